import type { StreamsGroupTopologyValue } from '@ottla/protocol';
import type { StreamsGroup } from './streams-group.ts';
import type { StreamsMember } from './streams-member.ts';
import type { StreamsGroupRecord } from './streams-records.ts';
import { toTaskIds, toTaskIdsWithEpochs, type Tasks } from './tasks.ts';

/** What a group epoch was decided of. */
export interface GroupEpoch {
  readonly epoch: number;
  readonly metadataHash: number;
  /** The epoch of the topology whose topics are as they must be; -1 while they are not. */
  readonly validatedTopologyEpoch: number;
  /** The configs that an assignor goes by. */
  readonly assignmentConfigs: ReadonlyMap<string, string>;
}

/** The group's epoch, and what it was decided of. */
export function epochRecord(groupId: string, next: GroupEpoch): StreamsGroupRecord {
  return {
    type: 'streams-epoch',
    key: { groupId },
    value: {
      epoch: next.epoch,
      metadataHash: next.metadataHash,
      validatedTopologyEpoch: next.validatedTopologyEpoch,
      lastAssignmentConfigs: Array.from(next.assignmentConfigs, ([key, value]) => ({ key, value })),
      // Of Kafka after 4.3: nothing that this version stores.
      storedDescriptionTopologyEpoch: -1,
      failedDescriptionTopologyEpoch: -1,
    },
  };
}

/** The topology that the group's first member brought. */
export function topologyRecord(groupId: string, value: StreamsGroupTopologyValue): StreamsGroupRecord {
  return { type: 'streams-topology', key: { groupId }, value };
}

/** What a member says of itself. */
export function memberRecord(groupId: string, member: StreamsMember): StreamsGroupRecord {
  const { memberId, instanceId, rackId, clientId, clientHost, rebalanceTimeoutMs } = member;
  const { topologyEpoch, processId, userEndpoint, clientTags } = member;
  return {
    type: 'streams-member',
    key: { groupId, memberId },
    value: {
      instanceId,
      rackId,
      clientId,
      clientHost,
      rebalanceTimeoutMs,
      topologyEpoch,
      processId,
      userEndpoint,
      clientTags: Array.from(clientTags, ([key, value]) => ({ key, value })),
    },
  };
}

/** For which group epoch, and when, the target assignment was computed. */
export function targetEpochRecord(groupId: string, epoch: number, timestampMs: number): StreamsGroupRecord {
  return {
    type: 'streams-target-epoch',
    key: { groupId },
    value: { assignmentEpoch: epoch, assignmentTimestamp: timestampMs },
  };
}

/** What a member should have. */
export function targetRecord(groupId: string, memberId: string, tasks: Tasks): StreamsGroupRecord {
  return {
    type: 'streams-target',
    key: { groupId, memberId },
    value: {
      activeTasks: toTaskIds(tasks.active),
      standbyTasks: toTaskIds(tasks.standby),
      warmupTasks: toTaskIds(tasks.warmup),
    },
  };
}

/** What a member has. */
export function currentRecord(groupId: string, member: StreamsMember): StreamsGroupRecord {
  const { memberId, memberEpoch, previousMemberEpoch, state, assigned, pendingRevocation } = member;
  const withoutEpochs = (tasks: Parameters<typeof toTaskIds>[0]) =>
    toTaskIds(tasks).map((entry) => ({ ...entry, assignmentEpochs: null }));
  return {
    type: 'streams-current',
    key: { groupId, memberId },
    value: {
      memberEpoch,
      previousMemberEpoch,
      state,
      activeTasks: toTaskIdsWithEpochs(assigned.active),
      standbyTasks: withoutEpochs(assigned.standby),
      warmupTasks: withoutEpochs(assigned.warmup),
      activeTasksPendingRevocation: toTaskIdsWithEpochs(pendingRevocation.active),
      standbyTasksPendingRevocation: withoutEpochs(pendingRevocation.standby),
      warmupTasksPendingRevocation: withoutEpochs(pendingRevocation.warmup),
    },
  };
}

/** Everything that deletes a member, in the order that Kafka's replay needs. */
export function memberTombstones(groupId: string, memberId: string): StreamsGroupRecord[] {
  const key = { groupId, memberId };
  return [
    { type: 'streams-current', key, value: null },
    { type: 'streams-target', key, value: null },
    { type: 'streams-member', key, value: null },
  ];
}

/** Everything that deletes a group, in the order that Kafka's replay needs. */
export function groupTombstones({ groupId, members }: StreamsGroup): StreamsGroupRecord[] {
  const key = { groupId };
  const keys = Array.from(members.keys(), (memberId) => ({ groupId, memberId }));
  return [
    ...keys.map((each) => ({ type: 'streams-current', key: each, value: null }) as const),
    ...keys.map((each) => ({ type: 'streams-target', key: each, value: null }) as const),
    { type: 'streams-target-epoch', key, value: null },
    ...keys.map((each) => ({ type: 'streams-member', key: each, value: null }) as const),
    { type: 'streams-epoch', key, value: null },
    { type: 'streams-topology', key, value: null },
  ];
}
