import type { BatchSummary } from '@ottla/protocol';
import type { AbortedTxn } from '../indexes/transaction-index.ts';

interface OpenAbort {
  readonly txn: AbortedTxn;
  /** A batch of it is still in the cleaned log, so readers must go on filtering. */
  hasBatches: boolean;
}

/**
 * Follows the transactions of a log while its batches go by in order (Kafka's CleanedTransactionMetadata): which data
 * batches belong to an aborted transaction, and which markers end one of which nothing is left.
 *
 *     data of an aborted transaction   goes
 *     its marker                       goes once no batch of the transaction is left, after the delete horizon
 *     marker of a committed one        the same
 */
export class CleanedTransactions {
  /** By first offset. */
  readonly #aborted: readonly AbortedTxn[];
  /** The first of them that begins further on. */
  #next = 0;
  readonly #aborting = new Map<number, OpenAbort>();
  readonly #committing = new Set<number>();
  readonly #onKeptAbort: (txn: AbortedTxn) => void;

  /** `onKeptAbort` is told of the aborts that the cleaned segment's transaction index still needs. */
  constructor(aborted: readonly AbortedTxn[], onKeptAbort: (txn: AbortedTxn) => void = () => {}) {
    this.#aborted = aborted.toSorted((left, right) => left.firstOffset - right.firstOffset);
    this.#onKeptAbort = onKeptAbort;
  }

  /** A data batch: true when it belongs to an aborted transaction and goes. */
  isAborted(batch: BatchSummary): boolean {
    this.#open(batch.lastOffset);
    if (!batch.isTransactional) return false;
    const abort = this.#aborting.get(batch.producerId);
    if (abort !== undefined) return (abort.hasBatches = true);
    this.#committing.add(batch.producerId);
    return false;
  }

  /** A marker: true when nothing is left of the transaction that it ends, so that it may go too. */
  endsEmpty(batch: BatchSummary, isAbort: boolean): boolean {
    this.#open(batch.lastOffset);
    if (!isAbort) return !this.#committing.delete(batch.producerId);
    const abort = this.#aborting.get(batch.producerId);
    this.#aborting.delete(batch.producerId);
    if (abort === undefined || !abort.hasBatches) return true;
    this.#onKeptAbort(abort.txn);
    return false;
  }

  #open(offset: number): void {
    for (; this.#next < this.#aborted.length; this.#next++) {
      const txn = this.#aborted[this.#next]!;
      if (txn.firstOffset > offset) return;
      if (!this.#aborting.has(txn.producerId)) this.#aborting.set(txn.producerId, { txn, hasBatches: false });
    }
  }
}
