import {
  shareGroupCurrentMemberAssignmentKey,
  shareGroupCurrentMemberAssignmentValue,
  shareGroupMemberMetadataKey,
  shareGroupMemberMetadataValue,
  shareGroupMetadataKey,
  shareGroupMetadataValue,
  shareGroupStatePartitionMetadataKey,
  shareGroupStatePartitionMetadataValue,
  shareGroupTargetAssignmentMemberKey,
  shareGroupTargetAssignmentMemberValue,
  shareGroupTargetAssignmentMetadataKey,
  shareGroupTargetAssignmentMetadataValue,
  type ShareGroupCurrentMemberAssignmentKey,
  type ShareGroupCurrentMemberAssignmentValue,
  type ShareGroupMemberMetadataKey,
  type ShareGroupMemberMetadataValue,
  type ShareGroupMetadataKey,
  type ShareGroupMetadataValue,
  type ShareGroupStatePartitionMetadataKey,
  type ShareGroupStatePartitionMetadataValue,
  type ShareGroupTargetAssignmentMemberKey,
  type ShareGroupTargetAssignmentMemberValue,
  type ShareGroupTargetAssignmentMetadataKey,
  type ShareGroupTargetAssignmentMetadataValue,
} from '@ottla/protocol';
import { recordFormat, type RecordFormat, type TypedRecord } from '../../runtime/record-format.ts';
import type { Assignment, ShareMember, StateTopics } from './share-group.ts';

/** A record of a share group (KIP-932); a null value is a tombstone. All are replayed at the append. */
export type ShareGroupRecord =
  | TypedRecord<'share-member', ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue>
  | TypedRecord<'share-epoch', ShareGroupMetadataKey, ShareGroupMetadataValue>
  | TypedRecord<
      'share-target-epoch',
      ShareGroupTargetAssignmentMetadataKey,
      ShareGroupTargetAssignmentMetadataValue
    >
  | TypedRecord<'share-target', ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue>
  | TypedRecord<'share-current', ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue>
  | TypedRecord<
      'share-state-topics',
      ShareGroupStatePartitionMetadataKey,
      ShareGroupStatePartitionMetadataValue
    >;

/** Key types 10 to 15 of `__consumer_offsets`. */
export const shareGroupRecordFormats: readonly RecordFormat<ShareGroupRecord>[] = [
  recordFormat('share-member', { key: shareGroupMemberMetadataKey, value: shareGroupMemberMetadataValue }),
  recordFormat('share-epoch', { key: shareGroupMetadataKey, value: shareGroupMetadataValue }),
  recordFormat('share-target-epoch', {
    key: shareGroupTargetAssignmentMetadataKey,
    value: shareGroupTargetAssignmentMetadataValue,
  }),
  recordFormat('share-target', {
    key: shareGroupTargetAssignmentMemberKey,
    value: shareGroupTargetAssignmentMemberValue,
  }),
  recordFormat('share-current', {
    key: shareGroupCurrentMemberAssignmentKey,
    value: shareGroupCurrentMemberAssignmentValue,
  }),
  recordFormat('share-state-topics', {
    key: shareGroupStatePartitionMetadataKey,
    value: shareGroupStatePartitionMetadataValue,
  }),
] as readonly RecordFormat<ShareGroupRecord>[];

/** Whether a record is of a share group. */
export function isShareGroupRecord(record: { readonly type: string }): record is ShareGroupRecord {
  return record.type.startsWith('share-');
}

/** Kafka's MemberState STABLE: a member of a share group is never anything else. */
const STABLE = 0;

/** What a member says of itself. */
export function memberRecord(groupId: string, member: ShareMember): ShareGroupRecord {
  const { memberId, rackId, clientId, clientHost } = member;
  return {
    type: 'share-member',
    key: { groupId, memberId },
    value: { rackId, clientId, clientHost, subscribedTopicNames: [...member.subscribedTopicNames] },
  };
}

/** The group epoch, and of which topics it was decided. */
export function epochRecord(groupId: string, epoch: number, metadataHash: number): ShareGroupRecord {
  return { type: 'share-epoch', key: { groupId }, value: { epoch, metadataHash } };
}

/** The epoch and time (wall-clock milliseconds) of the target assignment. */
export function targetEpochRecord(
  groupId: string,
  assignmentEpoch: number,
  assignmentTimestamp: number,
): ShareGroupRecord {
  const value = { assignmentEpoch, assignmentTimestamp };
  return { type: 'share-target-epoch', key: { groupId }, value };
}

/** What a member is to have. */
export function targetRecord(groupId: string, memberId: string, assignment: Assignment): ShareGroupRecord {
  const value = { topicPartitions: topicPartitionsOf(assignment) };
  return { type: 'share-target', key: { groupId, memberId }, value };
}

/** What a member has, and its epoch. */
export function currentRecord(groupId: string, member: ShareMember): ShareGroupRecord {
  return {
    type: 'share-current',
    key: { groupId, memberId: member.memberId },
    value: {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: STABLE,
      assignedPartitions: topicPartitionsOf(member.assigned),
    },
  };
}

/** Which share partitions have state at the share coordinator. */
export function stateTopicsRecord(groupId: string, topics: StateTopics): ShareGroupRecord {
  return {
    type: 'share-state-topics',
    key: { groupId },
    value: {
      initializingTopics: topicInfosOf(topics.initializing),
      initializedTopics: topicInfosOf(topics.initialized),
      deletingTopics: Array.from(topics.deleting, ([topicId, topicName]) => ({ topicId, topicName })),
    },
  };
}

/** The records that remove one member. */
export function memberTombstones(groupId: string, memberId: string): ShareGroupRecord[] {
  const key = { groupId, memberId };
  return [
    { type: 'share-current', key, value: null },
    { type: 'share-target', key, value: null },
    { type: 'share-member', key, value: null },
  ];
}

/** The records that remove a group without members. */
export function groupTombstones(groupId: string): ShareGroupRecord[] {
  const key = { groupId };
  return [
    { type: 'share-target-epoch', key, value: null },
    { type: 'share-state-topics', key, value: null },
    { type: 'share-epoch', key, value: null },
  ];
}

function topicPartitionsOf(assignment: Assignment): { topicId: string; partitions: number[] }[] {
  return Array.from(assignment, ([topicId, partitions]) => ({ topicId, partitions: [...partitions] }));
}

function topicInfosOf(
  topics: StateTopics['initialized'],
): { topicId: string; topicName: string; partitions: number[] }[] {
  return Array.from(topics, ([topicId, { name, partitions }]) => ({
    topicId,
    topicName: name,
    partitions: [...partitions],
  }));
}
