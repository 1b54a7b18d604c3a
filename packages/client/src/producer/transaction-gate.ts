import type { CommitOffset } from '../admin/commit-offset.ts';
import type { GroupMetadata } from '../consumer/offset-committer.ts';
import { AuthorizationError, KafkaError } from '../errors/kafka-error.ts';
import type { PartitionQueue } from './partition-queue.ts';
import type { ProducerBatch } from './producer-batch.ts';
import { LAST_PRODUCE_VERSION_WITH_NAMES, type SendGate } from './sender.ts';
import { NO_SEQUENCE, SequenceTracker } from './sequence-tracker.ts';
import {
  fencedIfSo,
  severityAtCoordinator,
  severityOfEnd,
  severityOfRecord,
  type Severity,
} from './transaction-failures.ts';
import type { TopicPartition, TransactionRequests } from './transaction-requests.ts';

/** Version 12 of Produce belongs to transactions v2. */
const LAST_PRODUCE_VERSION_OF_V1 = 11;

type State = 'idle' | 'open' | 'must-abort' | 'ending' | 'unanswered' | 'fatal';

/**
 * The transactions of one producer (KIP-98, KIP-360, KIP-890), as the gate that its batches go through:
 *
 *   idle -begin-> open ------------- end ---> ending -> idle
 *                  | a batch or a            ^  | no answer in time
 *                  v request failed          |  v
 *              must-abort ---------- end ----+ unanswered: the same end again, by the caller, `begin` or `finish`
 *
 *   fatal: another producer has taken over, or nothing would help
 */
export class TransactionGate implements SendGate {
  readonly sequences = new SequenceTracker<ProducerBatch>(true);
  readonly transactionalId: string;
  readonly #requests: TransactionRequests;
  readonly #wake: () => void;
  readonly #onFatal: (error: KafkaError) => void;
  readonly #onAbortable: (error: KafkaError) => void;
  #state: State = 'idle';
  #cause: KafkaError | null = null;
  #isV2 = false;
  /** Counts transactions, so that what is left of one cannot act on the next. */
  #generation = 0;
  /** Something of the transaction is at brokers, so that it has to be ended there. */
  #isBegun = false;
  /** Without v2 the epoch stays with EndTxn: after a failure it is raised, so that late requests of before are fenced. */
  #mustRenew = false;
  /** Whether the end that was not answered commits. */
  #isCommitting = false;
  /** Partitions that the coordinator knows to be part of the transaction (v1). */
  readonly #added = new Set<string>();
  readonly #toAdd = new Map<string, TopicPartition>();
  #adding: Promise<void> | null = null;
  #ending: Promise<void> | null = null;

  constructor(setup: {
    readonly requests: TransactionRequests;
    readonly wake: () => void;
    readonly onFatal: (error: KafkaError) => void;
    /** The transaction can only be aborted: what has never been sent need not go. */
    readonly onAbortable: (error: KafkaError) => void;
  }) {
    this.#requests = setup.requests;
    this.transactionalId = setup.requests.transactionalId;
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

  /** Whether a transaction has failed, or was ended without an answer: `begin` and `finish` end it. */
  get isUnfinished(): boolean {
    return this.#state === 'must-abort' || this.#state === 'unanswered';
  }

  /** Whether the transaction of that generation can take records and be ended. */
  isCurrent(generation: number): boolean {
    return generation === this.#generation && this.#state !== 'idle';
  }

  /**
   * Begins a transaction and gives its generation; the first one gets the producer id, which fences earlier producers of the
   * transactional id. One that could not be ended is ended first: aborted, or committed where that was asked for and not answered.
   */
  async begin(): Promise<number> {
    this.#throwIfFatal();
    if (this.#state === 'open' || this.#state === 'ending')
      throw new KafkaError(
        'INVALID_TXN_STATE',
        'A transaction is open: commit or abort it before the next one',
        { retriable: false },
      );
    if (this.#state !== 'idle') await this.finish();
    const generation = (this.#generation += 1);
    // Nobody else may begin meanwhile.
    this.#state = 'ending';
    try {
      this.#isV2 = await this.#requests.areV2();
      if (!this.sequences.hasProducerId) {
        const { producerId, producerEpoch } = await this.#requests.initialize();
        this.sequences.setProducerId(producerId, producerEpoch);
      }
    } catch (error) {
      this.#state = 'idle';
      // Rights can be given, and then it may be tried again.
      if (error instanceof KafkaError && error.fatal && !(error instanceof AuthorizationError))
        this.#fail(fencedIfSo(error), 'fatal');
      throw error;
    }
    this.#state = 'open';
    this.#cause = null;
    return generation;
  }

  isOpen(queue: PartitionQueue): boolean {
    if (!this.sequences.hasProducerId) return false;
    // What has a number goes on until it is answered: a gap in the numbers or a late write would harm the next transaction.
    if (this.#state === 'must-abort' || this.#state === 'ending')
      return queue.batches[0]!.baseSequence !== NO_SEQUENCE;
    if (this.#state !== 'open') return false;
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
    this.#fail(error, severityOfRecord(error));
  }

  #fail(error: KafkaError, severity: Severity): void {
    if (this.#state === 'fatal') return;
    if (severity === 'fatal') {
      this.#state = 'fatal';
      this.#cause = error;
      this.#onFatal(error);
    } else if (this.#state === 'open' || this.#state === 'ending') {
      this.#state = 'must-abort';
      this.#mustRenew = true;
      this.#cause = error;
      this.#onAbortable(error);
    }
  }

  /** Makes the offsets of a group part of the transaction. */
  async sendOffsets(offsets: readonly CommitOffset[], group: GroupMetadata): Promise<void> {
    this.throwIfFailed();
    try {
      if (!this.#isV2) await this.#requests.addOffsets(this.sequences, group.groupId);
      this.#isBegun = true;
      await this.#requests.commitOffsets(this.sequences, { offsets, group, isV2: this.#isV2 });
    } catch (error) {
      if (error instanceof KafkaError) this.#fail(fencedIfSo(error), severityAtCoordinator(error));
      throw error;
    }
  }

  /**
   * Ends the transaction; everything that was sent must be answered. Rejects with TimeoutError when the coordinator does not answer:
   * then it may have happened, and may be asked for again, but not the contrary.
   */
  async end(isCommit: boolean): Promise<void> {
    this.#throwIfFatal();
    if (this.#state === 'ending' || (this.#state === 'unanswered' && isCommit !== this.#isCommitting)) {
      const [asked, other] = this.#isCommitting ? ['commit', 'abort'] : ['abort', 'commit'];
      throw new KafkaError(
        'INVALID_TXN_STATE',
        `The transaction cannot be ended by ${isCommit === this.#isCommitting ? asked : other}: its ${asked} was not answered yet; call ${asked} again`,
        { retriable: false },
      );
    }
    if (isCommit) this.throwIfFailed();
    this.#state = 'ending';
    this.#isCommitting = isCommit;
    this.#ending = this.#end(isCommit);
    try {
      await this.#ending;
    } finally {
      this.#ending = null;
    }
  }

  /** Ends what is open: as was asked for when that was not answered, otherwise by aborting it. */
  async finish(): Promise<void> {
    // Whoever asked for the end is told how it went.
    await this.#ending?.catch(() => {});
    if (this.#state === 'idle') return;
    await this.end(this.#state === 'unanswered' && this.#isCommitting);
  }

  async #end(isCommit: boolean): Promise<void> {
    try {
      await this.#adding;
      this.#throwIfFatal();
      if (this.#isBegun) this.#use(await this.#requests.end(this.sequences, isCommit, this.#isV2));
      this.#isBegun = false;
      if (this.#mustRenew && !this.#isV2) {
        const { producerId, producerEpoch } = this.sequences;
        this.#use(await this.#requests.initialize({ producerId, producerEpoch }));
      }
      this.#mustRenew = false;
      this.#state = 'idle';
      this.#cause = null;
      this.#added.clear();
      this.#toAdd.clear();
    } catch (error) {
      const severity = error instanceof KafkaError ? severityOfEnd(error, isCommit) : 'unknown';
      if (severity === 'unknown') this.#state = 'unanswered';
      else this.#fail(fencedIfSo(error as KafkaError), severity);
      throw severity === 'fatal' ? fencedIfSo(error as KafkaError) : error;
    }
  }

  #use(identity: { readonly producerId: number; readonly producerEpoch: number } | null): void {
    if (identity === null) return;
    this.sequences.setProducerId(identity.producerId, identity.producerEpoch);
    this.sequences.resetSequences();
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

  async #addPartitions(): Promise<void> {
    const adding = [...this.#toAdd];
    this.#toAdd.clear();
    try {
      this.#isBegun = true;
      await this.#requests.addPartitions(
        this.sequences,
        adding.map(([, place]) => place),
      );
      for (const [id] of adding) this.#added.add(id);
    } catch (error) {
      if (error instanceof KafkaError) this.#fail(fencedIfSo(error), severityAtCoordinator(error));
    }
  }
}
