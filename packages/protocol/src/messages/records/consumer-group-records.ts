import { array, bytes, int32, int64, int8, string, struct, uuid } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const consumerGroupMetadataKey = coordinatorKey(
  'ConsumerGroupMetadataKey',
  { apiKey: 3, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupMetadataKey = Infer<typeof consumerGroupMetadataKey>;

export const consumerGroupMetadataValue = coordinatorValue(
  'ConsumerGroupMetadataValue',
  { apiKey: 3, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: int64('0+', { tag: 0, tagged: '0+' }),
  }),
);
export type ConsumerGroupMetadataValue = Infer<typeof consumerGroupMetadataValue>;

export const consumerGroupPartitionMetadataKey = coordinatorKey(
  'ConsumerGroupPartitionMetadataKey',
  { apiKey: 4, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupPartitionMetadataKey = Infer<typeof consumerGroupPartitionMetadataKey>;

export const consumerGroupPartitionMetadataValue = coordinatorValue(
  'ConsumerGroupPartitionMetadataValue',
  { apiKey: 4, versions: '0', flexible: '0+' },
  () => ({
    topics: array('0+', {
      topicId: uuid('0+'),
      topicName: string('0+'),
      numPartitions: int32('0+'),
      partitionMetadata: array('0+', {
        partition: int32('0+'),
        racks: array('0+', 'string'),
      }),
    }),
  }),
);
export type ConsumerGroupPartitionMetadataValue = Infer<typeof consumerGroupPartitionMetadataValue>;

export const consumerGroupMemberMetadataKey = coordinatorKey(
  'ConsumerGroupMemberMetadataKey',
  { apiKey: 5, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupMemberMetadataKey = Infer<typeof consumerGroupMemberMetadataKey>;

export const consumerGroupMemberMetadataValue = coordinatorValue(
  'ConsumerGroupMemberMetadataValue',
  { apiKey: 5, versions: '0', flexible: '0+' },
  () => ({
    instanceId: string('0+', { nullable: '0+' }),
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: array('0+', 'string'),
    subscribedTopicRegex: string('0+', { nullable: '0+' }),
    rebalanceTimeoutMs: int32('0+', { default: -1 }),
    serverAssignor: string('0+', { nullable: '0+' }),
    classicMemberMetadata: struct(
      '0+',
      {
        sessionTimeoutMs: int32('0+'),
        supportedProtocols: array('0+', {
          name: string('0+'),
          metadata: bytes('0+'),
        }),
      },
      { nullable: '0+', tag: 0, tagged: '0+' },
    ),
  }),
);
export type ConsumerGroupMemberMetadataValue = Infer<typeof consumerGroupMemberMetadataValue>;

export const consumerGroupTargetAssignmentMetadataKey = coordinatorKey(
  'ConsumerGroupTargetAssignmentMetadataKey',
  { apiKey: 6, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ConsumerGroupTargetAssignmentMetadataKey = Infer<typeof consumerGroupTargetAssignmentMetadataKey>;

export const consumerGroupTargetAssignmentMetadataValue = coordinatorValue(
  'ConsumerGroupTargetAssignmentMetadataValue',
  { apiKey: 6, versions: '0', flexible: '0+' },
  () => ({
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0, tagged: '0+', ignorable: true }),
  }),
);
export type ConsumerGroupTargetAssignmentMetadataValue = Infer<
  typeof consumerGroupTargetAssignmentMetadataValue
>;

export const consumerGroupTargetAssignmentMemberKey = coordinatorKey(
  'ConsumerGroupTargetAssignmentMemberKey',
  { apiKey: 7, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupTargetAssignmentMemberKey = Infer<typeof consumerGroupTargetAssignmentMemberKey>;

export const consumerGroupTargetAssignmentMemberValue = coordinatorValue(
  'ConsumerGroupTargetAssignmentMemberValue',
  { apiKey: 7, versions: '0', flexible: '0+' },
  () => ({
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', 'int32'),
    }),
  }),
);
export type ConsumerGroupTargetAssignmentMemberValue = Infer<typeof consumerGroupTargetAssignmentMemberValue>;

export const consumerGroupCurrentMemberAssignmentKey = coordinatorKey(
  'ConsumerGroupCurrentMemberAssignmentKey',
  { apiKey: 8, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ConsumerGroupCurrentMemberAssignmentKey = Infer<typeof consumerGroupCurrentMemberAssignmentKey>;

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
  assignmentEpochs: array('0+', 'int32', { nullable: '0+', tag: 0, tagged: '0+' }),
} as const;

export const consumerGroupCurrentMemberAssignmentValue = coordinatorValue(
  'ConsumerGroupCurrentMemberAssignmentValue',
  { apiKey: 8, versions: '0', flexible: '0+' },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
    partitionsPendingRevocation: array('0+', topicPartitions),
  }),
);
export type ConsumerGroupCurrentMemberAssignmentValue = Infer<
  typeof consumerGroupCurrentMemberAssignmentValue
>;

export const consumerGroupRegularExpressionKey = coordinatorKey(
  'ConsumerGroupRegularExpressionKey',
  { apiKey: 16, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    regularExpression: string('0'),
  }),
);
export type ConsumerGroupRegularExpressionKey = Infer<typeof consumerGroupRegularExpressionKey>;

export const consumerGroupRegularExpressionValue = coordinatorValue(
  'ConsumerGroupRegularExpressionValue',
  { apiKey: 16, versions: '0', flexible: '0+' },
  () => ({
    topics: array('0+', 'string'),
    version: int64('0+'),
    timestamp: int64('0+'),
  }),
);
export type ConsumerGroupRegularExpressionValue = Infer<typeof consumerGroupRegularExpressionValue>;
