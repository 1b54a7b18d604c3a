import type { BatchSummary } from '@ottla/protocol';
import type { AbortedTxn } from '../indexes/transaction-index.ts';
import type { ProducerState } from '../producers/producer-state.ts';
import type { SegmentList } from '../segments/segment-list.ts';
import type { AbortedTransaction, LogAppendOptions, VerificationGuard } from '../types.ts';

/** What a log's partition does to take part in transactions, beside keeping their batches. */
export class LogTransactions {
  readonly #producers: ProducerState;
  readonly #segments: SegmentList;
  readonly #fail: (error: unknown) => Error;

  /** `fail` takes the directory offline and returns the error for the caller. */
  constructor(log: { producers: ProducerState; segments: SegmentList }, fail: (error: unknown) => Error) {
    this.#producers = log.producers;
    this.#segments = log.segments;
    this.#fail = fail;
  }

  /**
   * Begins to verify that the partition is part of a producer's transaction; null when the transaction is open here
   * already, and nothing has to be verified (KIP-890).
   */
  startVerification(producerId: number, producerEpoch: number): VerificationGuard | null {
    if (this.#producers.hasOngoingTransaction(producerId, producerEpoch)) return null;
    return this.#producers.verifications.start(producerId);
  }

  /** @throws LogError INVALID_TXN_STATE for a batch that would open a transaction and has not been verified */
  checkVerified(batch: BatchSummary, { verificationGuard }: LogAppendOptions): void {
    const { producerId, producerEpoch, isTransactional, isControl } = batch;
    if (verificationGuard === undefined || !isTransactional || isControl) return;
    if (this.#producers.hasOngoingTransaction(producerId, producerEpoch)) return;
    this.#producers.verifications.check(producerId, verificationGuard);
  }

  /** Whether the producer has a transaction open here with this very epoch. */
  isOpen(producerId: number, producerEpoch: number): boolean {
    return this.#producers.hasOngoingTransaction(producerId, producerEpoch);
  }

  /** Whether the end of the producer's transaction with this epoch is in the log already. */
  isEnded(producerId: number, producerEpoch: number): boolean {
    return this.#producers.isEnded(producerId, producerEpoch);
  }

  /** Aborted transactions that overlap [fromOffset, upToOffset), as a fetch answers them. */
  collectAborted(fromOffset: number, upToOffset: number): AbortedTransaction[] {
    return this.aborted(fromOffset, upToOffset).map(({ producerId, firstOffset }) => ({
      producerId,
      firstOffset,
    }));
  }

  /** The same with the offsets of their markers, for compaction. @throws LogError when an index cannot be read */
  aborted(fromOffset: number, upToOffset: number): AbortedTxn[] {
    const found: AbortedTxn[] = [];
    const from = Math.max(0, this.#segments.floorSlot(fromOffset));
    try {
      for (let slot = from; slot < this.#segments.length; slot++) {
        if (this.#segments.at(slot)!.txnIndex.collect({ fromOffset, upToOffset }, found)) break;
      }
    } catch (error) {
      throw this.#fail(error);
    }
    return found;
  }
}
