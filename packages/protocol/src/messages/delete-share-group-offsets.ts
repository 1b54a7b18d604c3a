import { array, int16, int32, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const deleteShareGroupOffsetsRequest = request(
  'DeleteShareGroupOffsetsRequest',
  { apiKey: 92, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    topics: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
    }),
  }),
);
export type DeleteShareGroupOffsetsRequest = Infer<typeof deleteShareGroupOffsetsRequest>;

export const deleteShareGroupOffsetsResponse = response(
  'DeleteShareGroupOffsetsResponse',
  { apiKey: 92, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+'),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    responses: array('0+', {
      topicName: string('0+', { entity: 'topicName' }),
      topicId: uuid('0+'),
      errorCode: int16('0+'),
      errorMessage: string('0+', { nullable: '0+', default: null }),
    }),
  }),
);
export type DeleteShareGroupOffsetsResponse = Infer<typeof deleteShareGroupOffsetsResponse>;
