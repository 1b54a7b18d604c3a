import { array, int16, int32, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const deleteShareGroupStateRequest = request(
  'DeleteShareGroupStateRequest',
  { apiKey: 86, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
      }),
    }),
  }),
);
export type DeleteShareGroupStateRequest = Infer<typeof deleteShareGroupStateRequest>;

export const deleteShareGroupStateResponse = response(
  'DeleteShareGroupStateResponse',
  { apiKey: 86, versions: '0', flexible: '0+' },
  () => ({
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
      }),
    }),
  }),
);
export type DeleteShareGroupStateResponse = Infer<typeof deleteShareGroupStateResponse>;
