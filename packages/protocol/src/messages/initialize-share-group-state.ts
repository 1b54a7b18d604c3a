import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const initializeShareGroupStateRequest = request(
  'InitializeShareGroupStateRequest',
  { apiKey: 83, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        stateEpoch: int32('0+'),
        startOffset: int64('0+'),
      }),
    }),
  }),
);
export type InitializeShareGroupStateRequest = Infer<typeof initializeShareGroupStateRequest>;

export const initializeShareGroupStateResponse = response(
  'InitializeShareGroupStateResponse',
  { apiKey: 83, versions: '0', flexible: '0+' },
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
export type InitializeShareGroupStateResponse = Infer<typeof initializeShareGroupStateResponse>;
