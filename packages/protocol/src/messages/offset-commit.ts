import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const offsetCommitRequest = request(
  'OffsetCommitRequest',
  { apiKey: 8, versions: '2-10', flexible: '8+', listeners: ['broker'] },
  () => ({
    groupId: string('0+', { entity: 'groupId' }),
    generationIdOrMemberEpoch: int32('1+', { default: -1, ignorable: true }),
    memberId: string('1+', { ignorable: true }),
    groupInstanceId: string('7+', { nullable: '7+', default: null }),
    retentionTimeMs: int64('2-4', { default: -1, ignorable: true }),
    topics: array('0+', {
      name: string('0-9', { ignorable: true, entity: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('6+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type OffsetCommitRequest = Infer<typeof offsetCommitRequest>;

export const offsetCommitResponse = response(
  'OffsetCommitResponse',
  { apiKey: 8, versions: '2-10', flexible: '8+' },
  () => ({
    throttleTimeMs: int32('3+', { ignorable: true }),
    topics: array('0+', {
      name: string('0-9', { ignorable: true, entity: 'topicName' }),
      topicId: uuid('10+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type OffsetCommitResponse = Infer<typeof offsetCommitResponse>;
