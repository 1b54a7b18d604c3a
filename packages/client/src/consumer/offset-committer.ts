import { ErrorCodes, type OffsetCommitResponse } from '@ottla/protocol';
import { groupBy } from '../admin/per-item.ts';
import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, isKafkaError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { commitFailed } from './consumer-errors.ts';

/** What to commit for a partition. */
export interface CommitOffset extends TopicPartition {
  /** The next record to read. */
  readonly offset: number;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
}

/** Who a member is to its group: for commits, and for a producer that sends offsets in a transaction. */
export interface GroupMetadata {
  readonly groupId: string;
  /** The generation, or the member epoch with `groupProtocol: 'consumer'`; -1 without membership. */
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** From version 10 on topics are named by id. */
const LAST_VERSION_WITH_NAMES = 9;

const LOST_MEMBERSHIP = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const;

/** Commits offsets of a group, one request after the other, so that an older commit never overtakes a newer one. */
export class OffsetCommitter {
  readonly #cluster: Cluster;
  readonly #lane: string;
  /** Who we are now; asked for every attempt, since epochs move on. */
  readonly #identity: () => GroupMetadata;
  #last: Promise<unknown> = Promise.resolve();

  constructor(cluster: Cluster, lane: string, identity: () => GroupMetadata) {
    this.#cluster = cluster;
    this.#lane = lane;
    this.#identity = identity;
  }

  /**
   * Resolves when the coordinator has them. Rejects with what it answered; ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH
   * say that the partitions belong to others now.
   */
  commit(offsets: readonly CommitOffset[], limits: CallLimits = {}): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    const before = this.#last;
    const run = before.then(
      () => this.#commit(offsets, limits),
      () => this.#commit(offsets, limits),
    );
    this.#last = run;
    // A commit that nobody waits for must not end the process; its caller still sees the rejection.
    run.catch((error: unknown) =>
      this.#cluster.options.logger.warn({ err: error }, 'Committing offsets failed'),
    );
    return run;
  }

  async #commit(offsets: readonly CommitOffset[], limits: CallLimits): Promise<void> {
    const { groupId } = this.#identity();
    const what = `Committing offsets of group "${groupId}"`;
    let epoch = this.#identity().generationId;
    await this.#cluster.retry({ ...limits, what }, async ({ remainingMs, signal }) => {
      const identity = this.#identity();
      const answer = await this.#cluster.request(
        { coordinator: 'group', key: groupId },
        apis.offsetCommit,
        {
          groupId,
          generationIdOrMemberEpoch: identity.generationId,
          memberId: identity.memberId,
          groupInstanceId: identity.groupInstanceId,
          topics: topicsOf(offsets),
        },
        {
          lane: this.#lane,
          timeoutMs: Math.min(remainingMs, this.#cluster.options.requestTimeoutMs),
          signal,
          maxVersion: LAST_VERSION_WITH_NAMES,
        },
      );
      const error = firstError(answer);
      if (error === null) return;
      if (isKafkaError(error, 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'))
        this.#cluster.forgetCoordinator('group', groupId);
      if (isKafkaError(error, 'STALE_MEMBER_EPOCH')) {
        const isNewer = this.#identity().generationId !== epoch && this.#identity().generationId > 0;
        epoch = this.#identity().generationId;
        throw isNewer
          ? new KafkaError('STALE_MEMBER_EPOCH', error.message, { retriable: true })
          : commitFailed(error);
      }
      throw isKafkaError(error, ...LOST_MEMBERSHIP) ? commitFailed(error) : error;
    });
  }
}

function topicsOf(offsets: readonly CommitOffset[]): object[] {
  return [...groupBy(offsets, ({ topic }) => topic)].map(([name, members]) => ({
    name,
    partitions: members.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? '',
    })),
  }));
}

/** The error of the partition that is worst off; a topic that is gone is one that nobody can read any more. */
function firstError(answer: OffsetCommitResponse): KafkaError | null {
  for (const { name, partitions } of answer.topics)
    for (const { errorCode, partitionIndex } of partitions)
      if (errorCode !== ErrorCodes.NONE)
        return brokerError(errorCode, null, `partition ${name}-${partitionIndex}`);
  return null;
}
