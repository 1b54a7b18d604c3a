import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { outcome, type Ticket } from '../runtime/state-machine.ts';
import { CONSUMER_PROTOCOL_TYPE, isSubscribedToTopic } from './classic-group.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import { groupTombstone } from './group-metadata.ts';
import type { GroupRecord } from './group-records.ts';
import type { GroupState } from './group-state.ts';
import { EXPIRE_OFFSETS_TIMER } from './group-timers.ts';
import type {
  DeleteGroupsCommand,
  DeleteOffsetsCommand,
  GroupOutcome,
  TopicErrors,
  TopicsDeletedCommand,
} from './group-types.ts';
import { expireGroup } from './offset-expiration.ts';
import { offsetTombstone } from './offset-commits.ts';

/** OffsetDelete: tombstones for offsets of topics that no member subscribes to (KIP-496). */
export function deleteOffsets(
  state: GroupState,
  command: DeleteOffsetsCommand,
  ticket: Ticket,
): GroupOutcome {
  const { groupId } = command;
  const group = state.group(groupId);
  if (group === undefined) return outcome({ replies: [refusal(ticket, ErrorCodes.GROUP_ID_NOT_FOUND)] });
  if (group.state !== 'Empty' && group.protocolType !== CONSUMER_PROTOCOL_TYPE) {
    return outcome({ replies: [refusal(ticket, ErrorCodes.NON_EMPTY_GROUP)] });
  }
  const records: GroupRecord[] = [];
  const reply: TopicErrors[] = command.topics.map(({ name, partitionIndexes }) => {
    const subscribed = isSubscribedToTopic(group, name);
    const errorCode = subscribed ? ErrorCodes.GROUP_SUBSCRIBED_TO_TOPIC : ErrorCodes.NONE;
    for (const partition of subscribed ? [] : partitionIndexes) {
      const exists = state.offsets.committed.get(groupId, name, partition) !== undefined;
      if (exists || state.offsets.hasPending(groupId, name, partition)) {
        records.push(offsetTombstone(groupId, name, partition));
      }
    }
    return {
      name,
      topicId: ZERO_UUID,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
    };
  });
  return outcome({ records, replies: [{ ticket, value: reply }] });
}

/** DeleteGroups: each group on its own merits; those without members go, with all their offsets. */
export function deleteGroups(state: GroupState, command: DeleteGroupsCommand, ticket: Ticket): GroupOutcome {
  const records: GroupRecord[] = [];
  const reply = command.groupIds.map((groupId) => {
    const group = state.group(groupId);
    if (group === undefined) return { groupId, errorCode: ErrorCodes.GROUP_ID_NOT_FOUND };
    if (group.state !== 'Empty') return { groupId, errorCode: ErrorCodes.NON_EMPTY_GROUP };
    for (const { topic, partition } of state.offsets.partitionsOf(groupId)) {
      records.push(offsetTombstone(groupId, topic, partition));
    }
    records.push(groupTombstone(groupId));
    return { groupId, errorCode: ErrorCodes.NONE };
  });
  return outcome({ records, replies: [{ ticket, value: reply }] });
}

/** Offsets of deleted topics; one committed for another topic of the same name stays. */
export function deleteTopics(state: GroupState, command: TopicsDeletedCommand, ticket: Ticket): GroupOutcome {
  const deletedIds = new Map(command.topics.map(({ name, topicId }) => [name, topicId]));
  const records: GroupRecord[] = [];
  for (const groupId of state.offsets.groupIds()) {
    for (const { topic, partition } of state.offsets.partitionsOf(groupId)) {
      const deletedId = deletedIds.get(topic);
      if (deletedId === undefined) continue;
      const committedId = state.offsets.committed.get(groupId, topic, partition)?.topicId ?? ZERO_UUID;
      if (committedId === ZERO_UUID || committedId === deletedId) {
        records.push(offsetTombstone(groupId, topic, partition));
      }
    }
  }
  return outcome({ records, atomic: false, replies: [{ ticket, value: null }] });
}

/** The periodic clean-up of the whole shard, which sets its own timer again. */
export function expireOffsets(
  state: GroupState,
  config: GroupCoordinatorConfig,
  nowMs: number,
): GroupOutcome {
  const clock = { nowMs, retentionMs: config.offsetsRetentionMs };
  const records: GroupRecord[] = [];
  for (const groupId of state.groupIds()) {
    const group = state.group(groupId);
    if (group === undefined) continue;
    for (const record of expireGroup(group, state.offsets, clock)) records.push(record);
  }
  return outcome({
    records,
    atomic: false,
    timers: [
      {
        key: EXPIRE_OFFSETS_TIMER,
        delayMs: config.offsetsRetentionCheckIntervalMs,
        command: { type: 'expire-offsets' },
      },
    ],
  });
}

function refusal(
  ticket: Ticket,
  errorCode: number,
): { ticket: Ticket; errorCode: number; errorMessage: null } {
  return { ticket, errorCode, errorMessage: null };
}
