import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import type { OffsetRecord } from './offset-records.ts';
import type { CommitCommand, TopicErrors } from './offset-types.ts';

/** OffsetCommit: one record for each partition whose metadata is not too long, if the group lets it in. */
export function commitOffsets(command: CommitCommand, context: CommandContext): GroupOutcome {
  const { state, config, ticket, nowMs } = context;
  const group = state.view(command.groupId);
  const refusal = group === undefined ? errorWithoutGroup(command) : group.commitError(command);
  if (refusal !== ErrorCodes.NONE) return refuse(ticket, refusal);
  const records: OffsetRecord[] = [];
  const value: TopicErrors[] = command.topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map((partition) => {
      const { partitionIndex, committedMetadata } = partition;
      if (committedMetadata !== null && committedMetadata.length > config.offsetMetadataMaxBytes) {
        return { partitionIndex, errorCode: ErrorCodes.OFFSET_METADATA_TOO_LARGE };
      }
      records.push({
        type: 'offset-commit',
        key: { group: command.groupId, topic: name, partition: partitionIndex },
        value: {
          offset: partition.committedOffset,
          leaderEpoch: partition.committedLeaderEpoch,
          metadata: committedMetadata ?? '',
          commitTimestamp: nowMs,
          expireTimestamp: command.retentionTimeMs === -1 ? -1 : nowMs + command.retentionTimeMs,
          topicId,
        },
      });
      return { partitionIndex, errorCode: ErrorCodes.NONE };
    }),
  }));
  const timers = group?.timersAfterCommit(command) ?? [];
  return outcome({ records, timers, producer: command.producer, replies: [{ ticket, value }] });
}

/** A commit outside of membership makes a group of its own. */
function errorWithoutGroup({ generationId, apiVersion, producer }: CommitCommand): number {
  if (generationId < 0) return ErrorCodes.NONE;
  // Older clients do not know the newer error, nor do producers.
  return apiVersion >= 9 && producer === null ? ErrorCodes.GROUP_ID_NOT_FOUND : ErrorCodes.ILLEGAL_GENERATION;
}
