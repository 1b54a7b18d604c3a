import { array, int16, int32, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const deleteTopicsRequest = request(
  'DeleteTopicsRequest',
  { apiKey: 20, versions: '1-6', flexible: '4+', listeners: ['broker', 'controller'] },
  () => ({
    topics: array('6+', {
      name: string('6+', { nullable: '6+', default: null, entity: 'topicName' }),
      topicId: uuid('6+'),
    }),
    topicNames: array('0-5', 'string', { ignorable: true, entity: 'topicName' }),
    timeoutMs: int32('0+'),
  }),
);
export type DeleteTopicsRequest = Infer<typeof deleteTopicsRequest>;

export const deleteTopicsResponse = response(
  'DeleteTopicsResponse',
  { apiKey: 20, versions: '1-6', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('1+', { ignorable: true }),
    responses: array('0+', {
      name: string('0+', { nullable: '6+', mapKey: true, entity: 'topicName' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  }),
);
export type DeleteTopicsResponse = Infer<typeof deleteTopicsResponse>;
