import { ErrorCodes } from '@ottla/protocol';
import type { GroupView } from '../group-view.ts';
import type { CommitCommand, FetchOffsetsQuery } from '../offsets/offset-types.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';
import { groupTombstones } from './consumer-record-builders.ts';

/** First version of OffsetCommit that knows member epochs. */
const EPOCH_AWARE_COMMIT_VERSION = 9;

/** A consumer group for the APIs that concern every kind. */
export function consumerView(group: ConsumerGroup): GroupView {
  return {
    groupId: group.groupId,
    kind: 'consumer',
    protocolType: 'consumer',
    stateName: group.state,
    isEmpty: group.members.size === 0,
    commitError: (command) => commitError(group, command),
    timersAfterCommit: () => [],
    fetchError: (query) => fetchError(group, query),
    offsetDeletionError: () => ErrorCodes.NONE,
    isSubscribedToTopic: (topic) => group.subscriptions.has(topic),
    offsetsAgeSince: () => (offset) => offset.commitTimestampMs,
    deletionError: () => (group.members.size === 0 ? ErrorCodes.NONE : ErrorCodes.NON_EMPTY_GROUP),
    tombstones: () => groupTombstones(group),
  };
}

/**
 * A member may commit at its epoch, and at an earlier one for what it got no later than that (KIP-1251): so a commit that
 * crosses the heartbeat which bumped the epoch is not lost.
 */
function commitError(group: ConsumerGroup, command: CommitCommand): number {
  const { generationId, memberId, groupInstanceId, apiVersion } = command;
  const isTransactional = command.producer !== null;
  if (generationId < 0 && group.members.size === 0) return ErrorCodes.NONE;
  // Producers before KIP-447 say nothing of their consumer's membership.
  if (isTransactional && generationId === -1 && memberId === '' && groupInstanceId === null)
    return ErrorCodes.NONE;
  const member = group.members.get(memberId);
  if (member === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
  if (!isTransactional && member.classic === null && apiVersion < EPOCH_AWARE_COMMIT_VERSION)
    return ErrorCodes.UNSUPPORTED_VERSION;
  // Producers do not know the newer error.
  const stale = isTransactional ? ErrorCodes.ILLEGAL_GENERATION : staleError(member);
  if (generationId === member.memberEpoch) return ErrorCodes.NONE;
  if (generationId > member.memberEpoch) return stale;
  const ownsAll = command.topics.every(({ topicId, partitions }) =>
    partitions.every(({ partitionIndex }) => {
      const epoch =
        member.assigned.get(topicId)?.get(partitionIndex) ??
        member.pendingRevocation.get(topicId)?.get(partitionIndex);
      return epoch !== undefined && generationId >= epoch;
    }),
  );
  return ownsAll ? ErrorCodes.NONE : stale;
}

function fetchError(group: ConsumerGroup, { memberId, memberEpoch }: FetchOffsetsQuery): number {
  if (memberId === null && memberEpoch < 0) return ErrorCodes.NONE;
  const member = group.members.get(memberId ?? '');
  if (member === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
  return member.memberEpoch === memberEpoch ? ErrorCodes.NONE : staleError(member);
}

function staleError({ classic }: ConsumerMember): number {
  return classic === null ? ErrorCodes.STALE_MEMBER_EPOCH : ErrorCodes.ILLEGAL_GENERATION;
}
