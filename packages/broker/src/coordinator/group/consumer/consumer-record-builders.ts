import { toEntries, type AssignedPartitions, type TopicPartitions } from '../modern/topic-partitions.ts';
import type { ConsumerGroup, ResolvedRegex } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import type { ConsumerGroupRecord } from './consumer-records.ts';

/** The group's epoch, and the hash of the metadata of its topics. */
export function groupEpochRecord(groupId: string, epoch: number, metadataHash: number): ConsumerGroupRecord {
  return { type: 'consumer-group-metadata', key: { groupId }, value: { epoch, metadataHash } };
}

/** What a member says of itself. */
export function memberRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  return {
    type: 'consumer-group-member-metadata',
    key: { groupId, memberId: member.memberId },
    value: {
      instanceId: member.instanceId,
      rackId: member.rackId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscribedTopicNames],
      subscribedTopicRegex: member.subscribedTopicRegex,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      serverAssignor: member.serverAssignor,
      classicMemberMetadata: member.classic,
    },
  };
}

/** What a member should own. */
export function targetRecord(
  groupId: string,
  memberId: string,
  partitions: TopicPartitions,
): ConsumerGroupRecord {
  return {
    type: 'consumer-group-target-assignment-member',
    key: { groupId, memberId },
    value: { topicPartitions: toEntries(partitions) },
  };
}

/** For which group epoch, and when, the target assignment was computed. */
export function targetEpochRecord(groupId: string, epoch: number, timestampMs: number): ConsumerGroupRecord {
  return {
    type: 'consumer-group-target-assignment-metadata',
    key: { groupId },
    value: { assignmentEpoch: epoch, assignmentTimestamp: timestampMs },
  };
}

/** What a member owns. */
export function currentAssignmentRecord(groupId: string, member: ConsumerMember): ConsumerGroupRecord {
  return {
    type: 'consumer-group-current-member-assignment',
    key: { groupId, memberId: member.memberId },
    value: {
      memberEpoch: member.memberEpoch,
      previousMemberEpoch: member.previousMemberEpoch,
      state: member.state,
      assignedPartitions: withEpochs(member.assigned),
      partitionsPendingRevocation: withEpochs(member.pendingRevocation),
    },
  };
}

function withEpochs(
  assigned: AssignedPartitions,
): { topicId: string; partitions: number[]; assignmentEpochs: number[] }[] {
  return Array.from(assigned, ([topicId, epochs]) => ({
    topicId,
    partitions: [...epochs.keys()],
    assignmentEpochs: [...epochs.values()],
  }));
}

/** What a regular expression matches; null: nobody subscribes to it any more. */
export function regexRecord(
  groupId: string,
  regularExpression: string,
  resolved: ResolvedRegex | null,
): ConsumerGroupRecord {
  return {
    type: 'consumer-group-regular-expression',
    key: { groupId, regularExpression },
    value:
      resolved === null
        ? null
        : {
            topics: [...resolved.topics].toSorted(),
            version: resolved.version,
            timestamp: resolved.timestampMs,
          },
  };
}

/** Everything that deletes a member, in the order that Kafka's replay needs. */
export function memberTombstones(groupId: string, memberId: string): ConsumerGroupRecord[] {
  const key = { groupId, memberId };
  return [
    { type: 'consumer-group-current-member-assignment', key, value: null },
    { type: 'consumer-group-target-assignment-member', key, value: null },
    { type: 'consumer-group-member-metadata', key, value: null },
  ];
}

/** Deletes the partition metadata that Kafka 4.0 wrote. */
export function partitionMetadataTombstone(groupId: string): ConsumerGroupRecord {
  return { type: 'consumer-group-partition-metadata', key: { groupId }, value: null };
}

/**
 * Everything that deletes a group, in the order that Kafka's replay needs. `memberIds` are its members, if they are not those
 * that it has now.
 */
export function groupTombstones(
  group: ConsumerGroup,
  memberIds: Iterable<string> = group.members.keys(),
): ConsumerGroupRecord[] {
  const { groupId } = group;
  const keys = Array.from(memberIds, (memberId) => ({ groupId, memberId }));
  return [
    ...keys.map((key) => ({ type: 'consumer-group-current-member-assignment', key, value: null }) as const),
    ...keys.map((key) => ({ type: 'consumer-group-target-assignment-member', key, value: null }) as const),
    { type: 'consumer-group-target-assignment-metadata', key: { groupId }, value: null },
    ...keys.map((key) => ({ type: 'consumer-group-member-metadata', key, value: null }) as const),
    ...Array.from(group.resolvedRegexes.keys(), (regex) => regexRecord(groupId, regex, null)),
    partitionMetadataTombstone(groupId),
    { type: 'consumer-group-metadata', key: { groupId }, value: null },
  ];
}
