import type { BatchSummary } from '@ottla/protocol';
import type { AbortedTxn } from '../indexes/transaction-index.ts';
import type { ActiveProducer, AppendOrigin } from '../types.ts';
import {
  checkCoordinatorEpoch,
  checkProducerEpoch,
  checkSequence,
  checkTransactional,
  findDuplicate,
} from './producer-checks.ts';
import {
  addProducerBatch,
  newProducerEntry,
  updateProducerEpoch,
  type ProducerBatch,
  type ProducerEntry,
} from './producer-entry.ts';
import { VerificationGuards } from './verification-guards.ts';

/** A transaction marker: the only record of its control batch. */
export interface EndTransactionMarker {
  readonly isAbort: boolean;
  readonly coordinatorEpoch: number;
}

interface CompletedTxn {
  readonly firstOffset: number;
  readonly lastOffset: number;
}

/**
 * The idempotent and transactional producers of one log (KIP-98): what each has written last, which transactions are
 * open, and from that the first offset that a read_committed reader must not see yet. A pure state machine over
 * batches: `check` refuses, `apply` changes; replaying the log's batches through `apply` gives the same state again.
 */
export class ProducerState {
  readonly #producers = new Map<number, ProducerEntry>();
  /** First offset of each open transaction, by producer id. */
  readonly #ongoing = new Map<number, number>();
  /** Decided transactions whose marker is not below the high watermark yet, in marker order. */
  #unreplicated: CompletedTxn[] = [];
  /** Producers whose next transactional batch is being verified. */
  readonly verifications = new VerificationGuards();
  /** Offset after the last batch applied. */
  mapEndOffset = 0;

  get size(): number {
    return this.#producers.size;
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#producers.values();
  }

  /** What is known of one producer. */
  get(producerId: number): ProducerEntry | undefined {
    return this.#producers.get(producerId);
  }

  /**
   * Checks a batch that is to be appended; returns the batch that it repeats, null when it is new.
   * @throws LogError as Kafka refuses it
   */
  check(
    batch: BatchSummary,
    origin: AppendOrigin,
    marker: EndTransactionMarker | null,
  ): ProducerBatch | null {
    const entry = this.#producers.get(batch.producerId);
    if (entry === undefined) return null;
    if (origin === 'client') {
      const duplicate = findDuplicate(entry, batch);
      if (duplicate !== null) return duplicate;
    }
    checkProducerEpoch(entry, batch.producerEpoch, origin);
    if (marker !== null) {
      checkCoordinatorEpoch(entry, marker.coordinatorEpoch, origin);
      return null;
    }
    if (origin === 'client') checkSequence(entry, batch.producerEpoch, batch.baseSequence);
    checkTransactional(entry, batch.isTransactional);
    return null;
  }

  /** Takes in a batch with its final offsets; returns the entry for the transaction index when it aborts a transaction. */
  apply(batch: BatchSummary, marker: EndTransactionMarker | null): AbortedTxn | null {
    this.mapEndOffset = batch.lastOffset + 1;
    if (batch.producerId < 0) return null;
    let entry = this.#producers.get(batch.producerId);
    if (entry === undefined) {
      entry = newProducerEntry(batch.producerId);
      this.#producers.set(batch.producerId, entry);
    }
    if (batch.isControl) return marker === null ? null : this.#applyMarker(entry, batch, marker);
    addProducerBatch(entry, batch.producerEpoch, {
      firstSequence: batch.baseSequence,
      lastSequence: batch.lastSequence,
      firstOffset: batch.baseOffset,
      lastOffset: batch.lastOffset,
      timestamp: batch.maxTimestamp,
    });
    if (batch.isTransactional && entry.currentTxnFirstOffset < 0) {
      entry.currentTxnFirstOffset = batch.baseOffset;
      this.#ongoing.set(batch.producerId, batch.baseOffset);
      this.verifications.end(batch.producerId);
    }
    return null;
  }

  #applyMarker(entry: ProducerEntry, batch: BatchSummary, marker: EndTransactionMarker): AbortedTxn | null {
    const firstOffset = entry.currentTxnFirstOffset;
    this.verifications.end(batch.producerId);
    updateProducerEpoch(entry, batch.producerEpoch);
    entry.coordinatorEpoch = marker.coordinatorEpoch;
    entry.lastTimestamp = batch.maxTimestamp;
    entry.currentTxnFirstOffset = -1;
    // A marker without data moves nothing: there is no transaction here that readers could wait for.
    if (firstOffset < 0) return null;
    this.#ongoing.delete(batch.producerId);
    this.#unreplicated.push({ firstOffset, lastOffset: batch.baseOffset });
    if (!marker.isAbort) return null;
    return {
      producerId: batch.producerId,
      firstOffset,
      lastOffset: batch.baseOffset,
      lastStableOffset: this.firstUndecidedOffset() ?? batch.baseOffset + 1,
    };
  }

  /** Whether the producer has a transaction open here with this very epoch. */
  hasOngoingTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.#producers.get(producerId);
    return entry !== undefined && entry.currentTxnFirstOffset >= 0 && entry.producerEpoch === producerEpoch;
  }

  /** Whether the end of the producer's transaction with this epoch is in the log already. */
  isEnded(producerId: number, producerEpoch: number): boolean {
    const entry = this.#producers.get(producerId);
    return entry !== undefined && entry.producerEpoch === producerEpoch && entry.currentTxnFirstOffset < 0;
  }

  /** First offset of the oldest open transaction. */
  firstUndecidedOffset(): number | null {
    let first: number | null = null;
    for (const offset of this.#ongoing.values()) if (first === null || offset < first) first = offset;
    return first;
  }

  /** First offset that belongs to a transaction which is open or whose marker may still be lost. */
  firstUnstableOffset(): number | null {
    let first = this.firstUndecidedOffset();
    for (const txn of this.#unreplicated)
      if (first === null || txn.firstOffset < first) first = txn.firstOffset;
    return first;
  }

  onHighWatermarkUpdated(highWatermark: number): void {
    if (this.#unreplicated.length === 0) return;
    this.#unreplicated = this.#unreplicated.filter((txn) => txn.lastOffset >= highWatermark);
  }

  /** Forgets producers that were silent for `expirationMs` and have no transaction open. */
  removeExpired(nowMs: number, expirationMs: number): void {
    this.verifications.removeOld();
    for (const [producerId, entry] of this.#producers) {
      if (isExpired(entry, nowMs, expirationMs)) this.#producers.delete(producerId);
    }
  }

  /** Begins anew from the producers of a snapshot that was taken at `endOffset`. */
  reset(endOffset: number, entries: readonly ProducerEntry[]): void {
    this.#producers.clear();
    this.#ongoing.clear();
    this.#unreplicated = [];
    this.verifications.clear();
    this.mapEndOffset = endOffset;
    for (const entry of entries) {
      this.#producers.set(entry.producerId, entry);
      if (entry.currentTxnFirstOffset >= 0) this.#ongoing.set(entry.producerId, entry.currentTxnFirstOffset);
    }
  }

  activeProducers(): ActiveProducer[] {
    return [...this.#producers.values()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.producerEpoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: entry.coordinatorEpoch,
      currentTxnStartOffset: entry.currentTxnFirstOffset,
    }));
  }
}

/**
 * Whether a producer without an open transaction has been silent for `expirationMs`
 * (`producer.id.expiration.ms`).
 */
export function isExpired(entry: ProducerEntry, nowMs: number, expirationMs: number): boolean {
  return entry.currentTxnFirstOffset < 0 && nowMs - entry.lastTimestamp >= expirationMs;
}
