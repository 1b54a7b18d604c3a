import { array, bool, int16, int32, string, struct, uuid } from '../schema/field.ts';
import { request, response, type Infer } from '../schema/message-schema.ts';

export const describeTopicPartitionsRequest = request(
  'DescribeTopicPartitionsRequest',
  { apiKey: 75, versions: '0', flexible: '0+', listeners: ['broker'] },
  () => ({
    topics: array('0+', {
      name: string('0+', { entity: 'topicName' }),
    }),
    responsePartitionLimit: int32('0+', { default: 2000 }),
    cursor: struct(
      '0+',
      {
        topicName: string('0+', { entity: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type DescribeTopicPartitionsRequest = Infer<typeof describeTopicPartitionsRequest>;

export const describeTopicPartitionsResponse = response(
  'DescribeTopicPartitionsResponse',
  { apiKey: 75, versions: '0', flexible: '0+' },
  () => ({
    throttleTimeMs: int32('0+', { ignorable: true }),
    topics: array('0+', {
      errorCode: int16('0+'),
      name: string('0+', { nullable: '0+', mapKey: true, entity: 'topicName' }),
      topicId: uuid('0+', { ignorable: true }),
      isInternal: bool('0+', { ignorable: true }),
      partitions: array('0+', {
        errorCode: int16('0+'),
        partitionIndex: int32('0+'),
        leaderId: int32('0+', { entity: 'brokerId' }),
        leaderEpoch: int32('0+', { default: -1, ignorable: true }),
        replicaNodes: array('0+', 'int32', { entity: 'brokerId' }),
        isrNodes: array('0+', 'int32', { entity: 'brokerId' }),
        eligibleLeaderReplicas: array('0+', 'int32', { nullable: '0+', default: null, entity: 'brokerId' }),
        lastKnownElr: array('0+', 'int32', { nullable: '0+', default: null, entity: 'brokerId' }),
        offlineReplicas: array('0+', 'int32', { ignorable: true, entity: 'brokerId' }),
      }),
      topicAuthorizedOperations: int32('0+', { default: -2147483648 }),
    }),
    nextCursor: struct(
      '0+',
      {
        topicName: string('0+', { entity: 'topicName' }),
        partitionIndex: int32('0+'),
      },
      { nullable: '0+', default: null },
    ),
  }),
);
export type DescribeTopicPartitionsResponse = Infer<typeof describeTopicPartitionsResponse>;
