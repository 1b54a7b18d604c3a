import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupOutcome, GroupTimer } from '../group-types.ts';
import { expireGroup } from './offset-expiration.ts';
import { offsetTombstone } from './offset-records.ts';
import type { DeleteOffsetsCommand, TopicErrors, TopicsDeletedCommand } from './offset-types.ts';

/** OffsetDelete: tombstones for offsets of topics that no member subscribes to (KIP-496). */
export function deleteOffsets(
  command: DeleteOffsetsCommand,
  { state, ticket }: CommandContext,
): GroupOutcome {
  const { groupId } = command;
  const group = state.view(groupId);
  if (group === undefined) return refuse(ticket, ErrorCodes.GROUP_ID_NOT_FOUND);
  const refusal = group.offsetDeletionError();
  if (refusal !== ErrorCodes.NONE) return refuse(ticket, refusal);
  const records: GroupRecord[] = [];
  const reply: TopicErrors[] = command.topics.map(({ name, partitionIndexes }) => {
    const subscribed = group.isSubscribedToTopic(name);
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

/** Offsets of deleted topics; one committed for another topic of the same name stays. */
export function deleteTopics(command: TopicsDeletedCommand, { state, ticket }: CommandContext): GroupOutcome {
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
export function expireOffsets({ state, config, nowMs }: CommandContext): GroupOutcome {
  const clock = { nowMs, retentionMs: config.offsetsRetentionMs };
  const records: GroupRecord[] = [];
  for (const groupId of state.groupIds()) {
    const group = state.view(groupId);
    if (group === undefined) continue;
    for (const record of expireGroup(group, state.offsets, clock)) records.push(record);
  }
  return outcome({
    records,
    atomic: false,
    timers: [expirationTimer(config.offsetsRetentionCheckIntervalMs)],
  });
}

/** The timer of the next clean-up. */
export function expirationTimer(delayMs: number): GroupTimer {
  return { key: 'expire-offsets', delayMs, command: { type: 'expire-offsets' } };
}
