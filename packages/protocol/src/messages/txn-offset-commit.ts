import { array, int16, int32, int64, string, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const txnOffsetCommitRequest = request(
  'TxnOffsetCommitRequest',
  { apiKey: 28, versions: '0-6', flexible: '3+', listeners: ['broker'] },
  () => ({
    transactionalId: string('0+', { entity: 'transactionalId' }),
    groupId: string('0+', { entity: 'groupId' }),
    producerId: int64('0+', { entity: 'producerId' }),
    producerEpoch: int16('0+'),
    generationIdOrMemberEpoch: int32('3+', { default: -1 }),
    memberId: string('3+'),
    groupInstanceId: string('3+', { nullable: '3+', default: null }),
    topics: array('0+', {
      name: string('0-5', { ignorable: true, entity: 'topicName' }),
      topicId: uuid('6+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        committedOffset: int64('0+'),
        committedLeaderEpoch: int32('2+', { default: -1, ignorable: true }),
        committedMetadata: string('0+', { nullable: '0+' }),
      }),
    }),
  }),
);
export type TxnOffsetCommitRequest = Infer<typeof txnOffsetCommitRequest>;

export const txnOffsetCommitResponse = response(
  'TxnOffsetCommitResponse',
  { apiKey: 28, versions: '0-6', flexible: '3+' },
  () => ({
    throttleTimeMs: int32('0+'),
    topics: array('0+', {
      name: string('0-5', { ignorable: true, entity: 'topicName' }),
      topicId: uuid('6+', { ignorable: true }),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
      }),
    }),
  }),
);
export type TxnOffsetCommitResponse = Infer<typeof txnOffsetCommitResponse>;
