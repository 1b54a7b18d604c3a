import { ErrorCodes, type TxnOffsetCommitRequest } from '@ottla/protocol';
import type { CommitOffset } from '../admin/commit-offset.ts';
import type { GroupMetadata } from '../consumer/offset-committer.ts';
import { brokerError, isRetriableError, throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { ProducerCluster } from './producer-cluster.ts';
import { fetchProducerId, forgetIfMoved, type ProducerIdentity } from './producer-ids.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';

/** The feature level from which on the broker adds partitions by itself and raises the epoch with each end (KIP-890). */
const TRANSACTIONS_V2 = 2;
/** Version 5 of TxnOffsetCommit and EndTxn belongs to transactions v2. */
const VERSION_OF_V2 = 5;

/** A partition of a transaction. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * What a transactional producer asks of its coordinator and of the group's. Each call is repeated until it is answered or `max.block.ms`
 * has passed: the coordinators recognise a repetition. Rejects with what the broker answered or TimeoutError.
 */
export class TransactionRequests {
  readonly transactionalId: string;
  readonly #cluster: ProducerCluster;
  readonly #options: ResolvedProducerOptions;

  constructor(cluster: ProducerCluster, options: ResolvedProducerOptions, transactionalId: string) {
    this.#cluster = cluster;
    this.#options = options;
    this.transactionalId = transactionalId;
  }

  /** Whether the cluster has transactions v2 now: an administrator can change the feature. */
  async areV2(): Promise<boolean> {
    const timeoutMs = this.#options.maxBlockMs;
    const { finalizedFeatures } = await this.#cluster.retry(
      { what: 'Asking for features', timeoutMs },
      ({ remainingMs }) => this.#cluster.features('any', { timeoutMs: remainingMs }),
    );
    return (finalizedFeatures.get('transaction.version') ?? 0) >= TRANSACTIONS_V2;
  }

  /** Gets the producer id, or the next epoch of the `current` one. */
  initialize(current?: ProducerIdentity): Promise<ProducerIdentity> {
    const timeoutMs = this.#options.maxBlockMs;
    return fetchProducerId(this.#cluster, this.#options, {
      timeoutMs,
      ...(current !== undefined && { current }),
    });
  }

  /** Tells the coordinator which partitions get records (v1). */
  async addPartitions(identity: ProducerIdentity, adding: readonly TopicPartition[]): Promise<void> {
    const topics = new Map<string, number[]>();
    for (const { topic, partition } of adding) topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    const body = {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: identity.producerId,
      v3AndBelowProducerEpoch: identity.producerEpoch,
      v3AndBelowTopics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    };
    await this.#toCoordinator('Adding partitions to the transaction', async (limits) => {
      const answer = await this.#cluster.request(this.#target, apis.addPartitionsToTxn, body, {
        ...limits,
        maxVersion: 3,
      });
      for (const { name, resultsByPartition } of answer.resultsByTopicV3AndBelow) {
        for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
          if (partitionErrorCode === ErrorCodes.OPERATION_NOT_ATTEMPTED) continue;
          this.#check(partitionErrorCode, `${name}-${partitionIndex}`);
        }
      }
    });
  }

  /** Tells the coordinator which group's offsets come (v1). */
  async addOffsets({ producerId, producerEpoch }: ProducerIdentity, groupId: string): Promise<void> {
    const body = { transactionalId: this.transactionalId, producerId, producerEpoch, groupId };
    await this.#toCoordinator('Adding offsets to the transaction', async (limits) => {
      const { errorCode } = await this.#cluster.request(this.#target, apis.addOffsetsToTxn, body, limits);
      this.#check(errorCode, `group "${groupId}"`);
    });
  }

  /** Writes offsets of a group that count once the transaction is committed. */
  async commitOffsets(
    identity: ProducerIdentity,
    what: {
      readonly offsets: readonly CommitOffset[];
      readonly group: GroupMetadata;
      readonly isV2: boolean;
    },
  ): Promise<void> {
    const { groupId, generationId, memberId, groupInstanceId } = what.group;
    const member: Pick<TxnOffsetCommitRequest, 'generationIdOrMemberEpoch' | 'memberId' | 'groupInstanceId'> =
      { generationIdOrMemberEpoch: generationId, memberId, groupInstanceId };
    const body = (version: number) => ({
      transactionalId: this.transactionalId,
      groupId,
      producerId: identity.producerId,
      producerEpoch: identity.producerEpoch,
      // Who the member is came with version 3 (KIP-447).
      ...(version >= 3 && member),
      topics: byTopic(what.offsets),
    });
    const target = { coordinator: 'group', key: groupId } as const;
    await this.#cluster.retry(
      { what: 'Committing offsets in the transaction', timeoutMs: this.#options.maxBlockMs },
      async ({ remainingMs }) => {
        const answer = await this.#cluster.request(target, apis.txnOffsetCommit, body, {
          timeoutMs: remainingMs,
          maxVersion: what.isV2 ? VERSION_OF_V2 : VERSION_OF_V2 - 1,
        });
        for (const { name, partitions } of answer.topics) {
          for (const { partitionIndex, errorCode } of partitions) {
            if (
              errorCode === ErrorCodes.NOT_COORDINATOR ||
              errorCode === ErrorCodes.COORDINATOR_NOT_AVAILABLE
            )
              this.#cluster.forgetCoordinator('group', groupId);
            throwIfError(errorCode, null, `${name}-${partitionIndex}`);
          }
        }
      },
    );
  }

  /** Ends the transaction; gives the identity for the next one where the coordinator chose one (v2). */
  async end(
    { producerId, producerEpoch }: ProducerIdentity,
    isCommit: boolean,
    isV2: boolean,
  ): Promise<ProducerIdentity | null> {
    const body = { transactionalId: this.transactionalId, producerId, producerEpoch, committed: isCommit };
    const what = isCommit ? 'Committing the transaction' : 'Aborting the transaction';
    let next: ProducerIdentity | null = null;
    await this.#toCoordinator(what, async (limits) => {
      const answer = await this.#cluster.request(this.#target, apis.endTxn, body, {
        ...limits,
        maxVersion: isV2 ? VERSION_OF_V2 : VERSION_OF_V2 - 1,
      });
      this.#check(answer.errorCode, what);
      next = isV2 && answer.producerId >= 0 ? answer : null;
    });
    return next;
  }

  get #target() {
    return { coordinator: 'transaction', key: this.transactionalId } as const;
  }

  /** CONCURRENT_TRANSACTIONS and a coordinator that moved are tried again, and so is what was not heard of. */
  #toCoordinator(what: string, attempt: (limits: { timeoutMs: number }) => Promise<void>): Promise<void> {
    return this.#cluster.retry(
      { what, timeoutMs: this.#options.maxBlockMs, isRetriable: isRetriableError },
      ({ remainingMs }) => attempt({ timeoutMs: remainingMs }),
    );
  }

  #check(errorCode: number, what: string): void {
    forgetIfMoved(this.#cluster, this.transactionalId, errorCode);
    if (errorCode !== ErrorCodes.NONE) throw brokerError(errorCode, null, what);
  }
}

function byTopic(offsets: readonly CommitOffset[]) {
  const topics = new Map<
    string,
    {
      partitionIndex: number;
      committedOffset: number;
      committedLeaderEpoch: number;
      committedMetadata: string;
    }[]
  >();
  for (const { topic, partition, offset, leaderEpoch, metadata } of offsets) {
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? '',
    });
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }));
}
