import { ErrorCodes, type BatchSummary } from '@ottla/protocol';
import { LogError } from '../errors.ts';
import type { AbortedTxn } from '../indexes/transaction-index.ts';
import type { ProducerEntry } from '../producers/producer-entry.ts';
import { ProducerState, type EndTransactionMarker } from '../producers/producer-state.ts';
import type { OffsetOrder } from './offset-order.ts';

/** So many producers are followed at once; beyond, those that were silent for a day are forgotten, as a broker does. */
const MAX_PRODUCERS = 200_000;
const EXPIRATION_MS = 86_400_000;

/**
 * Follows the producers of a log through its batches: whether their sequence numbers and epochs go on as a broker would
 * have let them, and whether snapshots say the same. What compaction took, or what could not be read, excuses what follows.
 */
export class ProducerCheck {
  readonly #state = new ProducerState();
  readonly #order: OffsetOrder;
  readonly #beginOffset: number;
  /** Producers from before the beginning of the log are known, or there were none. */
  readonly knowsBeginning: boolean;
  #hasForgotten = false;

  /** `first`: the producers of the snapshot at the beginning of the log; null when there is none. */
  constructor(order: OffsetOrder, beginOffset: number, first: readonly ProducerEntry[] | null) {
    this.#order = order;
    this.#beginOffset = beginOffset;
    this.knowsBeginning = first !== null || beginOffset === 0;
    this.#state.reset(beginOffset, first ?? []);
  }

  /** Takes in the next batch; returns what is wrong with its place among those of its producer. */
  visit(batch: BatchSummary, marker: EndTransactionMarker | null): ProducerVisit {
    if (batch.producerId < 0) return NOTHING;
    const problem = this.#fault(batch, marker);
    const aborted = this.#state.apply(batch, marker);
    if (this.#state.size > MAX_PRODUCERS) {
      this.#state.removeExpired(batch.maxTimestamp, EXPIRATION_MS);
      this.#hasForgotten = true;
    }
    return { problem, aborted };
  }

  #fault(batch: BatchSummary, marker: EndTransactionMarker | null): string | null {
    if (batch.isControl && marker === null) return null;
    const entry = this.#state.get(batch.producerId);
    if (entry === undefined || !this.#order.isWholeSince(endOf(entry))) return null;
    // Of what it wrote before the beginning of the log only the marker may be left.
    if (endOf(entry) < 0 && !this.knowsBeginning) return null;
    try {
      // Offsets that a coordinator commits for a transaction have no sequence numbers.
      const origin = batch.baseSequence < 0 ? 'coordinator' : 'client';
      const repeated = this.#state.check(batch, origin, marker);
      if (repeated === null) return null;
      return `Producer "${batch.producerId}" wrote the same before, at offset ${repeated.firstOffset}`;
    } catch (error) {
      if (error instanceof LogError && error.errorCode !== ErrorCodes.CORRUPT_MESSAGE) return error.message;
      throw error;
    }
  }

  /** Compares a snapshot that was taken at `offset`, which the batches have come to; returns the differences. */
  compare(offset: number, snapshot: readonly ProducerEntry[]): string[] {
    const problems: string[] = [];
    const known = new Set<number>();
    for (const kept of snapshot) {
      known.add(kept.producerId);
      const found = this.#state.get(kept.producerId);
      const problem =
        endOf(kept) >= offset
          ? `it says that producer ${kept.producerId} wrote offset ${endOf(kept)}, which is behind it`
          : found === undefined
            ? this.#unknown(kept)
            : this.#difference(kept, found);
      if (problem !== null) problems.push(problem);
    }
    for (const found of this.#state.entries()) {
      const { producerId, currentTxnFirstOffset } = found;
      if (currentTxnFirstOffset < 0 || known.has(producerId)) continue;
      if (this.#order.isWholeSince(currentTxnFirstOffset))
        problems.push(
          `it does not know of the transaction that producer ${producerId} began at ${currentTxnFirstOffset}`,
        );
    }
    return problems;
  }

  /** A producer that no batch tells of. */
  #unknown(kept: ProducerEntry): string | null {
    const end = endOf(kept);
    const isBefore = end < this.#beginOffset;
    if (isBefore || this.#hasForgotten || !this.#order.isWholeSince(end)) return null;
    return `it says that producer ${kept.producerId} wrote offset ${end}, where the log has nothing of it`;
  }

  #difference(kept: ProducerEntry, found: ProducerEntry): string | null {
    const [keptEnd, foundEnd] = [endOf(kept), endOf(found)];
    const isNewer =
      found.producerEpoch > kept.producerEpoch ||
      (found.producerEpoch === kept.producerEpoch && foundEnd > keptEnd);
    // The snapshot may know what is gone from the log, never less than the log.
    if (!isNewer && !this.#order.isWholeSince(foundEnd)) return null;
    const names: [string, number, number][] = [['epoch', kept.producerEpoch, found.producerEpoch]];
    // A broker that had forgotten the producer knows only of the marker that came since, as does a log whose beginning went.
    if (keptEnd >= 0 && (foundEnd >= 0 || keptEnd >= this.#beginOffset))
      names.push(['last sequence', sequenceOf(kept), sequenceOf(found)], ['last offset', keptEnd, foundEnd]);
    if (this.#knowsTransaction(kept))
      names.push(['open transaction', kept.currentTxnFirstOffset, found.currentTxnFirstOffset]);
    const wrong = names.find(([, theirs, ours]) => theirs !== ours);
    if (wrong === undefined) return null;
    return `producer ${kept.producerId} has the ${wrong[0]} ${wrong[1]} in it, and ${wrong[2]} by the batches`;
  }

  /** Where a transaction began that is older than the log, the batches cannot say. */
  #knowsTransaction(kept: ProducerEntry): boolean {
    const { currentTxnFirstOffset: first } = kept;
    return (this.knowsBeginning || first >= this.#beginOffset) && this.#order.isWholeSince(first);
  }

  /** The transactions that are open at the end. */
  openTransactions(): readonly ProducerEntry[] {
    return [...this.#state.entries()].filter((entry) => entry.currentTxnFirstOffset >= 0);
  }
}

export interface ProducerVisit {
  readonly problem: string | null;
  /** What belongs into the transaction index, when the batch aborts a transaction. */
  readonly aborted: AbortedTxn | null;
}

const NOTHING: ProducerVisit = { problem: null, aborted: null };

/** Last offset that a producer wrote; -1 when nothing but markers is known. */
function endOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastOffset ?? -1;
}

function sequenceOf(entry: ProducerEntry): number {
  return entry.batches.at(-1)?.lastSequence ?? -1;
}
