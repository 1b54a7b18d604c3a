import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const readShareGroupStateSummaryRequest = request(
  'ReadShareGroupStateSummaryRequest',
  { apiKey: 87, versions: '0-1', flexible: '0+', listeners: ['broker'] },
  () => ({
    groupId: string('0+'),
    topics: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        leaderEpoch: int32('0+'),
      }),
    }),
  }),
);
export type ReadShareGroupStateSummaryRequest = Infer<typeof readShareGroupStateSummaryRequest>;

export const readShareGroupStateSummaryResponse = response(
  'ReadShareGroupStateSummaryResponse',
  { apiKey: 87, versions: '0-1', flexible: '0+' },
  () => ({
    results: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', {
        partition: int32('0+'),
        errorCode: int16('0+'),
        errorMessage: string('0+', { nullable: '0+', default: null }),
        stateEpoch: int32('0+'),
        leaderEpoch: int32('0+'),
        startOffset: int64('0+'),
        deliveryCompleteCount: int32('1+', { default: -1, ignorable: true }),
      }),
    }),
  }),
);
export type ReadShareGroupStateSummaryResponse = Infer<typeof readShareGroupStateSummaryResponse>;
