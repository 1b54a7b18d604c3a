import type { BatchSummary } from '@ottla/protocol';
import type { ProducerState } from './producer-state.ts';
import type { LogAppendOptions } from './types.ts';
import type { VerificationGuard } from './verification-guards.ts';

/** What a log's partition does to take part in transactions, beside keeping their batches. */
export class LogTransactions {
  readonly #producers: ProducerState;

  constructor(producers: ProducerState) {
    this.#producers = producers;
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
}
