import { ErrorCodes } from '@ottla/protocol';
import type { CommitCommand, CommitTopic, FetchOffsetsQuery } from '../offsets/offset-types.ts';

/** First version of OffsetCommit that knows member epochs. */
const EPOCH_AWARE_COMMIT_VERSION = 9;

/** What the checks need to know of the members of one kind of group. */
export interface CommitRules<Member extends { readonly memberEpoch: number }> {
  readonly members: ReadonlyMap<string, Member>;
  /** Whether a member uses the classic protocol, whose clients know other errors. */
  isClassic(member: Member): boolean;
  /** The epoch at which a member got what a partition belongs to; undefined when it is not its own. */
  assignedSince(member: Member, topic: CommitTopic, partition: number): number | undefined;
}

/**
 * Why a commit is refused, or NONE. A member may commit at its epoch, and at an earlier one for what it got no later than
 * that (KIP-1251): so a commit that crosses the heartbeat which bumped the epoch is not lost.
 */
export function memberCommitError<Member extends { readonly memberEpoch: number }>(
  rules: CommitRules<Member>,
  command: CommitCommand,
): number {
  const { generationId, memberId, groupInstanceId, apiVersion } = command;
  const isTransactional = command.producer !== null;
  if (generationId < 0 && rules.members.size === 0) return ErrorCodes.NONE;
  // Producers before KIP-447 say nothing of their consumer's membership.
  if (isTransactional && generationId === -1 && memberId === '' && groupInstanceId === null)
    return ErrorCodes.NONE;
  const member = rules.members.get(memberId);
  if (member === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
  if (!isTransactional && !rules.isClassic(member) && apiVersion < EPOCH_AWARE_COMMIT_VERSION)
    return ErrorCodes.UNSUPPORTED_VERSION;
  // Producers do not know the newer error.
  const stale = isTransactional ? ErrorCodes.ILLEGAL_GENERATION : staleError(rules, member);
  if (generationId === member.memberEpoch) return ErrorCodes.NONE;
  if (generationId > member.memberEpoch) return stale;
  const ownsAll = command.topics.every((topic) =>
    topic.partitions.every(({ partitionIndex }) => {
      const epoch = rules.assignedSince(member, topic, partitionIndex);
      return epoch !== undefined && generationId >= epoch;
    }),
  );
  return ownsAll ? ErrorCodes.NONE : stale;
}

/** Why OffsetFetch is refused, or NONE. */
export function memberFetchError<Member extends { readonly memberEpoch: number }>(
  rules: Pick<CommitRules<Member>, 'members' | 'isClassic'>,
  { memberId, memberEpoch }: FetchOffsetsQuery,
): number {
  if (memberId === null && memberEpoch < 0) return ErrorCodes.NONE;
  const member = rules.members.get(memberId ?? '');
  if (member === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
  return member.memberEpoch === memberEpoch ? ErrorCodes.NONE : staleError(rules, member);
}

function staleError<Member extends { readonly memberEpoch: number }>(
  rules: Pick<CommitRules<Member>, 'isClassic'>,
  member: Member,
): number {
  return rules.isClassic(member) ? ErrorCodes.ILLEGAL_GENERATION : ErrorCodes.STALE_MEMBER_EPOCH;
}
