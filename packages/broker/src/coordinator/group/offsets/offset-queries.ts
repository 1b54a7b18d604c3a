import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import type { GroupState } from '../group-state.ts';
import type { FetchedOffset, FetchedTopic, FetchOffsetsQuery } from './offset-types.ts';
import type { CommittedOffset, OffsetStore } from './offset-store.ts';

/**
 * OffsetFetch: the offsets, if the group lets the asker see them.
 * @throws CoordinatorError with Kafka's error code
 */
export function fetchGroupOffsets(
  state: GroupState,
  query: FetchOffsetsQuery,
  requireStable: boolean,
): FetchedTopic[] {
  const errorCode = state.view(query.groupId)?.fetchError(query) ?? ErrorCodes.NONE;
  if (errorCode !== ErrorCodes.NONE) throw new CoordinatorError(errorCode);
  return fetchOffsets(state.offsets, query, requireStable);
}

/**
 * The committed offsets that a group asks for, in the order asked; -1 where there is none. `requireStable` (KIP-447)
 * refuses partitions for which a transaction is still open.
 */
function fetchOffsets(
  offsets: OffsetStore,
  query: FetchOffsetsQuery,
  requireStable: boolean,
): FetchedTopic[] {
  const { groupId, topics } = query;
  if (topics === null) return fetchAllOffsets(offsets, groupId, requireStable);
  return topics.map(({ name, topicId, partitionIndexes }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => {
      if (requireStable && offsets.hasPending(groupId, name, partitionIndex)) return unstable(partitionIndex);
      const committed = offsets.committed.get(groupId, name, partitionIndex);
      return isOfOtherTopic(committed, topicId)
        ? fetched(partitionIndex, undefined)
        : fetched(partitionIndex, committed);
    }),
  }));
}

function fetchAllOffsets(offsets: OffsetStore, groupId: string, requireStable: boolean): FetchedTopic[] {
  return Array.from(offsets.committed.ofGroup(groupId) ?? [], ([name, partitions]) => ({
    name,
    topicId: topicIdOf(partitions.values()),
    partitions: Array.from(partitions, ([partitionIndex, committed]) =>
      requireStable && offsets.hasPending(groupId, name, partitionIndex)
        ? unstable(partitionIndex)
        : fetched(partitionIndex, committed),
    ),
  }));
}

/** The offset was committed for an earlier topic of the same name. */
function isOfOtherTopic(committed: CommittedOffset | undefined, topicId: string): boolean {
  return (
    committed !== undefined &&
    committed.topicId !== ZERO_UUID &&
    topicId !== ZERO_UUID &&
    committed.topicId !== topicId
  );
}

function topicIdOf(committed: Iterable<CommittedOffset>): string {
  for (const { topicId } of committed) if (topicId !== ZERO_UUID) return topicId;
  return ZERO_UUID;
}

function fetched(partitionIndex: number, committed: CommittedOffset | undefined): FetchedOffset {
  return {
    partitionIndex,
    committedOffset: committed?.offset ?? -1,
    committedLeaderEpoch: committed?.leaderEpoch ?? -1,
    metadata: committed?.metadata ?? '',
    errorCode: ErrorCodes.NONE,
  };
}

function unstable(partitionIndex: number): FetchedOffset {
  return { ...fetched(partitionIndex, undefined), errorCode: ErrorCodes.UNSTABLE_OFFSET_COMMIT };
}
