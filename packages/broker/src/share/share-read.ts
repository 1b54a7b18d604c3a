import { readBatchSummary, type BatchSummary } from '@ottla/protocol';
import type { PartitionReadResult } from '../replica/partition-read.ts';
import type { AcquiredRecords } from './share-partition-types.ts';

/** A batch as it lies in what was read. */
export interface ReadBatch {
  readonly summary: BatchSummary;
  readonly bytes: Buffer;
}

/** The batches of a read, in offset order; they share its memory. */
export function batchesOf(read: PartitionReadResult): ReadBatch[] {
  const batches: ReadBatch[] = [];
  for (const piece of read.records) {
    for (let position = 0; position < piece.length;) {
      const summary = readBatchSummary(piece, position);
      batches.push({ summary, bytes: piece.subarray(position, position + summary.sizeInBytes) });
      position += summary.sizeInBytes;
    }
  }
  return batches;
}

/** The bytes of those batches that hold something acquired: a member has no use for the others. */
export function acquiredBytes(batches: readonly ReadBatch[], acquired: readonly AcquiredRecords[]): Buffer[] {
  const kept: Buffer[] = [];
  let next = 0;
  for (const { summary, bytes } of batches) {
    while (next < acquired.length && acquired[next]!.lastOffset < summary.baseOffset) next += 1;
    const range = acquired[next];
    if (range === undefined) break;
    if (range.firstOffset <= summary.lastOffset) kept.push(bytes);
  }
  return kept;
}

/** The offset ranges of batches of transactions that were aborted, in offset order. */
export function abortedRanges(
  batches: readonly ReadBatch[],
  aborted: readonly { readonly producerId: number; readonly firstOffset: number }[],
): { firstOffset: number; lastOffset: number }[] {
  const upcoming = [...aborted].sort((left, right) => left.firstOffset - right.firstOffset);
  const open = new Set<number>();
  const ranges: { firstOffset: number; lastOffset: number }[] = [];
  let next = 0;
  for (const { summary } of batches) {
    for (; next < upcoming.length && upcoming[next]!.firstOffset <= summary.lastOffset; next += 1)
      open.add(upcoming[next]!.producerId);
    if (!summary.isTransactional || !open.has(summary.producerId)) continue;
    // The marker that ends the transaction is the last of its batches; it goes the same way.
    if (summary.isControl) open.delete(summary.producerId);
    ranges.push({ firstOffset: summary.baseOffset, lastOffset: summary.lastOffset });
  }
  return ranges;
}

/** Ranges without what lies in the removed ones; both in offset order. */
export function subtractRanges(
  acquired: readonly AcquiredRecords[],
  removed: readonly { readonly firstOffset: number; readonly lastOffset: number }[],
): AcquiredRecords[] {
  const left: AcquiredRecords[] = [];
  let next = 0;
  for (const range of acquired) {
    let { firstOffset } = range;
    while (next < removed.length && removed[next]!.lastOffset < firstOffset) next += 1;
    for (let at = next; at < removed.length && removed[at]!.firstOffset <= range.lastOffset; at += 1) {
      const gone = removed[at]!;
      if (firstOffset < gone.firstOffset)
        left.push({ ...range, firstOffset, lastOffset: gone.firstOffset - 1 });
      firstOffset = gone.lastOffset + 1;
    }
    if (firstOffset <= range.lastOffset) left.push({ ...range, firstOffset });
  }
  return left;
}
