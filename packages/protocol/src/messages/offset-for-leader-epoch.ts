import { array, int16, int32, int64, string } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const offsetForLeaderEpochRequest = request(
  'OffsetForLeaderEpochRequest',
  { apiKey: 23, versions: '2-4', flexible: '4+', listeners: ['broker'] },
  () => ({
    replicaId: int32('3+', { default: -2, ignorable: true, entity: 'brokerId' }),
    topics: array('0+', {
      topic: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        partition: int32('0+'),
        currentLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        leaderEpoch: int32('0+'),
      }),
    }),
  }),
);
export type OffsetForLeaderEpochRequest = Infer<typeof offsetForLeaderEpochRequest>;

export const offsetForLeaderEpochResponse = response(
  'OffsetForLeaderEpochResponse',
  { apiKey: 23, versions: '2-4', flexible: '4+' },
  () => ({
    throttleTimeMs: int32('2+', { ignorable: true }),
    topics: array('0+', {
      topic: string('0+', { mapKey: true, entity: 'topicName' }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partition: int32('0+'),
        leaderEpoch: int32('1+', { default: -1, ignorable: true }),
        endOffset: int64('0+', { default: -1 }),
      }),
    }),
  }),
);
export type OffsetForLeaderEpochResponse = Infer<typeof offsetForLeaderEpochResponse>;
