import { ErrorCodes, type OffsetCommitResponse } from '@ottla/protocol';
import { groupBy } from '../admin/per-item.ts';
import { unlessAborted } from '../cluster/wait.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, isKafkaError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { commitFailed } from './consumer-errors.ts';
import type { Timing } from '../metrics/timing.ts';
import type { CommitOffset } from '../admin/commit-offset.ts';
import type { ConsumerInterceptors } from './consumer-interceptor.ts';

/** Who a member is to its group: for commits, and for a producer that sends offsets in a transaction. */
export interface GroupMetadata {
  readonly groupId: string;
  /** The generation, or the member epoch with `groupProtocol: 'consumer'`; -1 without membership. */
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface OffsetCommitterParts {
  readonly cluster: Cluster;
  readonly lane: string;
  /** Who we are now; asked for every attempt, since epochs move on. */
  readonly identity: () => GroupMetadata;
  /** Null when there are none. */
  readonly interceptors: ConsumerInterceptors | null;
  /** How long commits take, in milliseconds. */
  readonly latency: Timing;
}

/** From version 10 on topics are named by id. */
const LAST_VERSION_WITH_NAMES = 9;

const LOST_MEMBERSHIP = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH'] as const;

/** Commits offsets of a group, one request after the other, so that an older commit never overtakes a newer one. */
export class OffsetCommitter {
  readonly #parts: OffsetCommitterParts;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: OffsetCommitterParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when the coordinator has them. Rejects with what it answered; ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID and FENCED_MEMBER_EPOCH
   * say that the partitions belong to others now.
   */
  commit(offsets: readonly CommitOffset[], limits: CallLimits = {}): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    const { signal } = limits;
    const commit = async (): Promise<void> => {
      signal?.throwIfAborted();
      await this.#commit(offsets, limits);
    };
    const inTurn = this.#last.then(commit, commit);
    this.#last = inTurn;
    const run = signal === undefined ? inTurn : unlessAborted(inTurn, signal);
    // A commit that nobody waits for must not end the process; its caller still sees the rejection.
    run.catch((error: unknown) =>
      this.#parts.cluster.options.logger.warn({ err: error }, 'Committing offsets failed'),
    );
    return run;
  }

  async #commit(offsets: readonly CommitOffset[], limits: CallLimits): Promise<void> {
    const { cluster, identity, interceptors, latency } = this.#parts;
    const { tracer, clientId, clock } = cluster.options;
    const startedMs = clock.monotonicMs();
    const span = tracer?.startCommit?.({ clientId, group: identity().groupId, offsets });
    try {
      await this.#send(offsets, limits);
    } catch (error) {
      span?.end(error instanceof Error ? error.name : String(error));
      throw error;
    }
    latency.add(clock.monotonicMs() - startedMs);
    span?.end('ok');
    interceptors?.committed(offsets);
  }

  async #send(offsets: readonly CommitOffset[], limits: CallLimits): Promise<void> {
    const { cluster, lane } = this.#parts;
    const { groupId, generationId } = this.#parts.identity();
    const what = `Committing offsets of group "${groupId}"`;
    let epoch = generationId;
    await cluster.retry({ ...limits, what }, async ({ remainingMs, signal }) => {
      const identity = this.#parts.identity();
      const answer = await cluster.request(
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
          lane,
          timeoutMs: Math.min(remainingMs, cluster.options.requestTimeoutMs),
          signal,
          maxVersion: LAST_VERSION_WITH_NAMES,
        },
      );
      const error = firstError(answer);
      if (error === null) return;
      if (isKafkaError(error, 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE'))
        cluster.forgetCoordinator('group', groupId);
      if (isKafkaError(error, 'STALE_MEMBER_EPOCH')) {
        const current = this.#parts.identity().generationId;
        const isNewer = current !== epoch && current > 0;
        epoch = current;
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

/** The first error of a partition; null when all were taken. */
function firstError(answer: OffsetCommitResponse): KafkaError | null {
  for (const { name, partitions } of answer.topics)
    for (const { errorCode, partitionIndex } of partitions)
      if (errorCode !== ErrorCodes.NONE)
        return brokerError(errorCode, null, `partition ${name}-${partitionIndex}`);
  return null;
}
