import type { AbortedTxn } from '../indexes/transaction-index.ts';

/** An entry that is not what the batches say, or is missing. */
export interface TransactionIndexFault {
  /** Of the marker. */
  readonly offset: number;
  readonly problem: string;
}

interface AbortMarker {
  readonly producerId: number;
  /** Null when no batch of the transaction is in the log. */
  readonly aborted: AbortedTxn | null;
}

/**
 * Compares the transaction index of a segment with the abort markers in it. A reader drops what a producer wrote from the
 * first offset of an entry to its marker: without the entry it would deliver aborted records, with a wrong one drop others.
 */
export class TransactionIndexCheck {
  readonly #markers = new Map<number, AbortMarker>();

  /** Takes in an abort marker of the segment. */
  visit(offset: number, marker: AbortMarker): void {
    this.#markers.set(offset, marker);
  }

  /** The segment ends here. `isWholeSince` tells whether all batches behind an offset have been seen. */
  end(
    entries: readonly AbortedTxn[],
    { beginOffset, isWholeSince }: { beginOffset: number; isWholeSince: (offset: number) => boolean },
  ): TransactionIndexFault[] {
    const faults: TransactionIndexFault[] = [];
    const indexed = new Set<number>();
    for (const entry of entries) {
      indexed.add(entry.lastOffset);
      const isWhole = entry.firstOffset >= beginOffset && isWholeSince(entry.firstOffset);
      const problem = entryFault(entry, this.#markers.get(entry.lastOffset), isWhole);
      if (problem !== null) faults.push({ offset: entry.lastOffset, problem });
    }
    for (const [offset, { producerId, aborted }] of this.#markers) {
      if (aborted === null || indexed.has(offset)) continue;
      const problem = `it has no entry for the transaction that producer ${producerId} began at ${aborted.firstOffset} and that was aborted`;
      faults.push({ offset, problem });
    }
    return faults;
  }
}

function entryFault(entry: AbortedTxn, marker: AbortMarker | undefined, isWhole: boolean): string | null {
  const { producerId, firstOffset, lastStableOffset } = entry;
  if (marker === undefined)
    return isWhole ? `producer ${producerId} has no abort marker at this offset` : null;
  if (marker.producerId !== producerId)
    return `it names producer ${producerId}, the marker is of producer ${marker.producerId}`;
  const { aborted } = marker;
  if (aborted === null) return null;
  if (firstOffset > aborted.firstOffset || (isWhole && firstOffset < aborted.firstOffset))
    return `the transaction begins at ${firstOffset} in it, and at ${aborted.firstOffset} by the batches`;
  // Transactions of which nothing is left had held it back.
  if (isWhole && lastStableOffset > aborted.lastStableOffset)
    return `its last stable offset is ${lastStableOffset}, and ${aborted.lastStableOffset} by the batches`;
  return null;
}
