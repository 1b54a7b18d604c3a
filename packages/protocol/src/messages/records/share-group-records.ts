import { array, int32, int64, int8, string, uuid } from '../../schema/field.ts';
import { coordinatorKey, coordinatorValue, type Infer } from '../../schema/message-schema.ts';

export const shareGroupMemberMetadataKey = coordinatorKey(
  'ShareGroupMemberMetadataKey',
  { apiKey: 10, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupMemberMetadataKey = Infer<typeof shareGroupMemberMetadataKey>;

export const shareGroupMemberMetadataValue = coordinatorValue(
  'ShareGroupMemberMetadataValue',
  { apiKey: 10, versions: '0', flexible: '0+' },
  () => ({
    rackId: string('0+', { nullable: '0+' }),
    clientId: string('0+'),
    clientHost: string('0+'),
    subscribedTopicNames: array('0+', 'string'),
  }),
);
export type ShareGroupMemberMetadataValue = Infer<typeof shareGroupMemberMetadataValue>;

export const shareGroupMetadataKey = coordinatorKey(
  'ShareGroupMetadataKey',
  { apiKey: 11, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupMetadataKey = Infer<typeof shareGroupMetadataKey>;

export const shareGroupMetadataValue = coordinatorValue(
  'ShareGroupMetadataValue',
  { apiKey: 11, versions: '0', flexible: '0+' },
  () => ({
    epoch: int32('0+'),
    metadataHash: int64('0+'),
  }),
);
export type ShareGroupMetadataValue = Infer<typeof shareGroupMetadataValue>;

export const shareGroupTargetAssignmentMetadataKey = coordinatorKey(
  'ShareGroupTargetAssignmentMetadataKey',
  { apiKey: 12, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupTargetAssignmentMetadataKey = Infer<typeof shareGroupTargetAssignmentMetadataKey>;

export const shareGroupTargetAssignmentMetadataValue = coordinatorValue(
  'ShareGroupTargetAssignmentMetadataValue',
  { apiKey: 12, versions: '0', flexible: '0+' },
  () => ({
    assignmentEpoch: int32('0+'),
    assignmentTimestamp: int64('0+', { tag: 0, tagged: '0+', ignorable: true }),
  }),
);
export type ShareGroupTargetAssignmentMetadataValue = Infer<typeof shareGroupTargetAssignmentMetadataValue>;

export const shareGroupTargetAssignmentMemberKey = coordinatorKey(
  'ShareGroupTargetAssignmentMemberKey',
  { apiKey: 13, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupTargetAssignmentMemberKey = Infer<typeof shareGroupTargetAssignmentMemberKey>;

export const shareGroupTargetAssignmentMemberValue = coordinatorValue(
  'ShareGroupTargetAssignmentMemberValue',
  { apiKey: 13, versions: '0', flexible: '0+' },
  () => ({
    topicPartitions: array('0+', {
      topicId: uuid('0+'),
      partitions: array('0+', 'int32'),
    }),
  }),
);
export type ShareGroupTargetAssignmentMemberValue = Infer<typeof shareGroupTargetAssignmentMemberValue>;

export const shareGroupCurrentMemberAssignmentKey = coordinatorKey(
  'ShareGroupCurrentMemberAssignmentKey',
  { apiKey: 14, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
    memberId: string('0'),
  }),
);
export type ShareGroupCurrentMemberAssignmentKey = Infer<typeof shareGroupCurrentMemberAssignmentKey>;

const topicPartitions = {
  topicId: uuid('0+'),
  partitions: array('0+', 'int32'),
} as const;

export const shareGroupCurrentMemberAssignmentValue = coordinatorValue(
  'ShareGroupCurrentMemberAssignmentValue',
  { apiKey: 14, versions: '0', flexible: '0+' },
  () => ({
    memberEpoch: int32('0+'),
    previousMemberEpoch: int32('0+'),
    state: int8('0+'),
    assignedPartitions: array('0+', topicPartitions),
  }),
);
export type ShareGroupCurrentMemberAssignmentValue = Infer<typeof shareGroupCurrentMemberAssignmentValue>;

export const shareGroupStatePartitionMetadataKey = coordinatorKey(
  'ShareGroupStatePartitionMetadataKey',
  { apiKey: 15, versions: '0', flexible: 'none' },
  () => ({
    groupId: string('0'),
  }),
);
export type ShareGroupStatePartitionMetadataKey = Infer<typeof shareGroupStatePartitionMetadataKey>;

const topicPartitionsInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
  partitions: array('0+', 'int32'),
} as const;

const topicInfo = {
  topicId: uuid('0+'),
  topicName: string('0+'),
} as const;

export const shareGroupStatePartitionMetadataValue = coordinatorValue(
  'ShareGroupStatePartitionMetadataValue',
  { apiKey: 15, versions: '0', flexible: '0+' },
  () => ({
    initializingTopics: array('0+', topicPartitionsInfo),
    initializedTopics: array('0+', topicPartitionsInfo),
    deletingTopics: array('0+', topicInfo),
  }),
);
export type ShareGroupStatePartitionMetadataValue = Infer<typeof shareGroupStatePartitionMetadataValue>;
