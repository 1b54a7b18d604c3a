import { array, bool, int16, int32, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const createPartitionsRequest = request(
  'CreatePartitionsRequest',
  { apiKey: 37, versions: '0-3', flexible: '2+', listeners: ['broker', 'controller'] },
  () => ({
    topics: array('0+', {
      name: string('0+', { mapKey: true, entity: 'topicName' }),
      count: int32('0+'),
      assignments: array(
        '0+',
        {
          brokerIds: array('0+', 'int32', { entity: 'brokerId' }),
        },
        { nullable: '0+' },
      ),
    }),
    timeoutMs: int32('0+'),
    validateOnly: bool('0+'),
  }),
);
export type CreatePartitionsRequest = Infer<typeof createPartitionsRequest>;

export const createPartitionsResponse = response(
  'CreatePartitionsResponse',
  { apiKey: 37, versions: '0-3', flexible: '2+' },
  () => ({
    throttleTimeMs: int32('0+'),
    results: array('0+', {
      name: string('0+', { entity: 'topicName' }),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type CreatePartitionsResponse = Infer<typeof createPartitionsResponse>;
