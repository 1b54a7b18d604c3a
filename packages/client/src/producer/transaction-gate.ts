import { ErrorCodes } from '@ottla/protocol';
import type { ProducerCluster } from './producer-cluster.ts';
import { brokerError, isRetriableError, KafkaError, throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { GroupMetadata } from '../consumer/offset-committer.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { fetchProducerId, forgetIfMoved } from './producer-ids.ts';
import { LAST_PRODUCE_VERSION_WITH_NAMES, type SendGate } from './sender.ts';
import { SequenceTracker } from './sequence-tracker.ts';
import type { OffsetToCommit } from '../admin/group-offsets.ts';

/** The feature level from which on the broker adds partitions by itself and raises the epoch with each end (KIP-890). */
const TRANSACTIONS_V2 = 2;
/** Version 12 of Produce and 5 of TxnOffsetCommit and EndTxn belong to transactions v2. */
const LAST_PRODUCE_VERSION_OF_V1 = 11;

type State = 'idle' | 'open' | 'ending' | 'must-abort' | 'fatal';

/**
 * The transactions of one producer (KIP-98, KIP-360, KIP-890), as the gate that its batches go through:
 *
 *   idle -begin-> open -end-> ending -> idle
 *                  | a batch or a request failed
 *                  v
 *              must-abort -abort-> ending -> idle          fatal: another producer has taken over
 */
export class TransactionGate implements SendGate {
  readonly sequences = new SequenceTracker<ProducerBatch>(true);
  readonly transactionalId: string;
  readonly #cluster: ProducerCluster;
  readonly #options: ResolvedProducerOptions;
  readonly #wake: () => void;
  readonly #onFatal: (error: KafkaError) => void;
  readonly #onAbortable: (error: KafkaError) => void;
  #state: State = 'idle';
  #cause: KafkaError | null = null;
  #isV2 = false;
  /** Something of the transaction is at brokers, so that it has to be ended there. */
  #isBegun = false;
  /** Partitions that the coordinator knows to be part of the transaction (v1). */
  readonly #added = new Set<string>();
  readonly #toAdd = new Map<string, { topic: string; partition: number }>();
  #adding: Promise<void> | null = null;

  constructor(setup: {
    readonly cluster: ProducerCluster;
    readonly options: ResolvedProducerOptions;
    readonly transactionalId: string;
    readonly wake: () => void;
    readonly onFatal: (error: KafkaError) => void;
    /** The transaction can only be aborted: what is not on the wire need not go. */
    readonly onAbortable: (error: KafkaError) => void;
  }) {
    this.#cluster = setup.cluster;
    this.#options = setup.options;
    this.transactionalId = setup.transactionalId;
    this.#wake = setup.wake;
    this.#onFatal = setup.onFatal;
    this.#onAbortable = setup.onAbortable;
  }

  get maxProduceVersion(): number {
    return this.#isV2 ? LAST_PRODUCE_VERSION_WITH_NAMES : LAST_PRODUCE_VERSION_OF_V1;
  }

  get isOpenTransaction(): boolean {
    return this.#state === 'open';
  }

  /** Why the transaction can only be aborted, or the producer closed; null while all is well. */
  get failure(): KafkaError | null {
    return this.#cause;
  }

  /** Begins a transaction; the first one gets the producer id, which fences earlier producers of the transactional id. */
  async begin(): Promise<void> {
    this.#throwIfFatal();
    if (this.#state !== 'idle')
      throw new KafkaError(
        'INVALID_TXN_STATE',
        'A transaction is open: commit or abort it before the next one',
        {
          retriable: false,
        },
      );
    if (!this.sequences.hasProducerId) await this.#initialize();
    this.#state = 'open';
    this.#cause = null;
  }

  isOpen(queue: PartitionQueue): boolean {
    if (this.#state === 'fatal' || this.#state === 'must-abort' || !this.sequences.hasProducerId)
      return false;
    if (this.#isV2) {
      this.#isBegun = true;
      return true;
    }
    const id = `${queue.partition}/${queue.topic.name}`;
    if (this.#added.has(id)) return true;
    this.#toAdd.set(id, { topic: queue.topic.name, partition: queue.partition });
    this.#adding ??= this.#addPartitions().finally(() => {
      this.#adding = null;
      this.#wake();
    });
    return false;
  }

  onFailure(error: KafkaError): void {
    if (this.#state === 'fatal') return;
    if (error.fatal && error.name !== 'INVALID_PRODUCER_EPOCH') {
      this.#state = 'fatal';
      this.#cause = error;
      this.#onFatal(error);
    } else if (this.#state === 'open' || this.#state === 'ending') {
      this.#state = 'must-abort';
      this.#cause ??= error;
      this.#onAbortable(error);
    }
  }

  /** Makes the offsets of a group part of the transaction. */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
    this.throwIfFailed();
    try {
      if (!this.#isV2) await this.#addOffsets(group.groupId);
      this.#isBegun = true;
      await this.#commitOffsets(offsets, group);
    } catch (error) {
      if (error instanceof KafkaError) this.onFailure(error);
      throw error;
    }
  }

  /** Ends the transaction; everything that was sent must be answered. */
  async end(isCommit: boolean): Promise<void> {
    this.#throwIfFatal();
    if (isCommit) this.throwIfFailed();
    const mustRenew = this.#state === 'must-abort';
    this.#state = 'ending';
    try {
      await this.#adding;
      if (this.#isBegun) await this.#endTransaction(isCommit);
      // Without v2 the epoch stays with EndTxn: after a failure it is raised, so that late requests of before are fenced.
      if (mustRenew && !this.#isV2) await this.#renew();
      this.#state = 'idle';
      this.#cause = null;
    } catch (error) {
      this.#state = 'open';
      if (error instanceof KafkaError) this.onFailure(error);
      throw error;
    } finally {
      if (this.#state === 'idle') {
        this.#isBegun = false;
        this.#added.clear();
        this.#toAdd.clear();
      }
    }
  }

  /** Throws what made the transaction one that can only be aborted. */
  throwIfFailed(): void {
    this.#throwIfFatal();
    if (this.#state !== 'must-abort') return;
    const cause = this.#cause!;
    throw new KafkaError(cause.name, `The transaction has failed and must be aborted: ${cause.message}`, {
      cause,
      retriable: false,
    });
  }

  #throwIfFatal(): void {
    if (this.#state === 'fatal') throw this.#cause!;
  }

  async #initialize(): Promise<void> {
    const timeoutMs = this.#options.maxBlockMs;
    const features = await this.#cluster.retry(
      { what: 'Asking for features', timeoutMs },
      ({ remainingMs }) => this.#cluster.features('any', { timeoutMs: remainingMs }),
    );
    this.#isV2 = (features.finalizedFeatures.get('transaction.version') ?? 0) >= TRANSACTIONS_V2;
    const identity = await fetchProducerId(this.#cluster, this.#options, { timeoutMs });
    this.sequences.setProducerId(identity.producerId, identity.producerEpoch);
  }

  async #renew(): Promise<void> {
    const { producerId, producerEpoch } = this.sequences;
    const next = await fetchProducerId(this.#cluster, this.#options, {
      current: { producerId, producerEpoch },
      timeoutMs: this.#options.maxBlockMs,
    });
    this.sequences.setProducerId(next.producerId, next.producerEpoch);
    this.sequences.resetSequences();
  }

  async #addPartitions(): Promise<void> {
    const adding = [...this.#toAdd];
    this.#toAdd.clear();
    const topics = new Map<string, number[]>();
    for (const [, { topic, partition }] of adding)
      topics.set(topic, [...(topics.get(topic) ?? []), partition]);
    const { producerId, producerEpoch } = this.sequences;
    const body = {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: producerEpoch,
      v3AndBelowTopics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    };
    try {
      this.#isBegun = true;
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
      for (const [id] of adding) this.#added.add(id);
    } catch (error) {
      if (error instanceof KafkaError) this.onFailure(error);
    }
  }

  async #addOffsets(groupId: string): Promise<void> {
    const { producerId, producerEpoch } = this.sequences;
    const body = { transactionalId: this.transactionalId, producerId, producerEpoch, groupId };
    await this.#toCoordinator('Adding offsets to the transaction', async (limits) => {
      const { errorCode } = await this.#cluster.request(this.#target, apis.addOffsetsToTxn, body, limits);
      this.#check(errorCode, `group "${groupId}"`);
    });
  }

  async #commitOffsets(offsets: readonly OffsetToCommit[], group: GroupMetadata): Promise<void> {
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
    const { producerId, producerEpoch } = this.sequences;
    const { groupId, generationId, memberId, groupInstanceId } = group;
    const body = (version: number) => ({
      transactionalId: this.transactionalId,
      groupId,
      producerId,
      producerEpoch,
      // Who the member is came with version 3 (KIP-447).
      ...(version >= 3 && { generationId, memberId, groupInstanceId }),
      topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    });
    const target = { coordinator: 'group', key: groupId } as const;
    await this.#cluster.retry(
      { what: 'Committing offsets in the transaction', timeoutMs: this.#options.maxBlockMs },
      async ({ remainingMs }) => {
        const answer = await this.#cluster.request(target, apis.txnOffsetCommit, body, {
          timeoutMs: remainingMs,
          maxVersion: this.#isV2 ? 5 : 4,
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

  async #endTransaction(isCommit: boolean): Promise<void> {
    const { producerId, producerEpoch } = this.sequences;
    const body = { transactionalId: this.transactionalId, producerId, producerEpoch, committed: isCommit };
    const what = isCommit ? 'Committing the transaction' : 'Aborting the transaction';
    await this.#toCoordinator(what, async (limits) => {
      const answer = await this.#cluster.request(this.#target, apis.endTxn, body, {
        ...limits,
        maxVersion: this.#isV2 ? 5 : 4,
      });
      this.#check(answer.errorCode, what);
      if (!this.#isV2 || answer.producerId < 0) return;
      this.sequences.setProducerId(answer.producerId, answer.producerEpoch);
      this.sequences.resetSequences();
    });
  }

  get #target() {
    return { coordinator: 'transaction', key: this.transactionalId } as const;
  }

  /** CONCURRENT_TRANSACTIONS and a coordinator that moved are tried again; what was not heard of is repeated, which the coordinator recognises. */
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
