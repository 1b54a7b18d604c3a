import { ErrorCodes } from '@ottla/protocol';
import type { Ticket } from '../runtime/state-machine.ts';
import type { ClassicGroup } from './classic-group.ts';
import type { GroupCoordinatorConfig } from './group-coordinator-config.ts';
import type { GroupRecord } from './group-records.ts';
import { rescheduleMember } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import type { CommitCommand, TopicErrors } from './group-types.ts';
import { memberError } from './membership.ts';

/** OffsetCommit that has been let in: one record for each partition whose metadata is not too long. */
export function commitOffsets(
  step: GroupTransition,
  { command, ticket, config }: { command: CommitCommand; ticket: Ticket; config: GroupCoordinatorConfig },
): void {
  const { group } = step;
  const member = step.member(command.memberId);
  if (member !== undefined && (group.state === 'Stable' || group.state === 'PreparingRebalance')) {
    rescheduleMember(step, member);
  }
  const reply: TopicErrors[] = command.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      if (committedMetadata !== null && committedMetadata.length > config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCodes.OFFSET_METADATA_TOO_LARGE };
      }
      step.append({
        type: 'offset-commit',
        key: { group: command.groupId, topic: name, partition: partitionIndex },
        value: {
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata: committedMetadata ?? '',
          commitTimestamp: step.nowMs,
          expireTimestamp: command.retentionTimeMs === -1 ? -1 : step.nowMs + command.retentionTimeMs,
          topicId,
        },
      });
      return { partitionIndex, errorCode: ErrorCodes.NONE };
    }),
  }));
  step.reply(ticket, reply);
}

/** Why a commit is refused, or NONE. `group` is undefined when there is none: a commit outside of membership makes one. */
export function commitError(group: ClassicGroup | undefined, command: CommitCommand): number {
  const { generationId, memberId, groupInstanceId } = command;
  if (group === undefined) {
    if (generationId < 0) return ErrorCodes.NONE;
    // Older clients do not know the newer error.
    return command.apiVersion >= 9 ? ErrorCodes.GROUP_ID_NOT_FOUND : ErrorCodes.ILLEGAL_GENERATION;
  }
  // Offsets from outside of membership, by a standalone consumer or an administrator, need a group without members.
  if (generationId < 0 && group.state === 'Empty') return ErrorCodes.NONE;
  if (generationId < 0 && memberId === '' && groupInstanceId === null) return ErrorCodes.UNKNOWN_MEMBER_ID;
  const errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode !== ErrorCodes.NONE) return errorCode;
  if (generationId !== group.generationId) return ErrorCodes.ILLEGAL_GENERATION;
  return group.state === 'CompletingRebalance' ? ErrorCodes.REBALANCE_IN_PROGRESS : ErrorCodes.NONE;
}

/** The record that deletes a committed offset. */
export function offsetTombstone(group: string, topic: string, partition: number): GroupRecord {
  return { type: 'offset-commit', key: { group, topic, partition }, value: null };
}
