import type { StateBatch } from './share-state-types.ts';

/**
 * Lays newer state batches over older ones and returns disjoint batches in offset order, nothing below `startOffset`
 * (-1: no bound), neighbours of the same state joined:
 *
 *     older    |----- count 1 -----|
 *     newer            |-- count 2 --|
 *     result   |- 1 ---|---- 2 ------|
 *
 * Where two overlap, the higher delivery count wins, then the higher delivery state: a record's fate only moves on
 * (Kafka's PersisterStateBatchCombiner).
 */
export function combineStateBatches(
  older: readonly StateBatch[],
  newer: readonly StateBatch[],
  startOffset: number,
): StateBatch[] {
  const pending = [...older, ...newer].sort(byFirstOffset);
  const combined: StateBatch[] = [];
  for (let next = 0; next < pending.length; next++) {
    const batch = cutBelow(pending[next]!, startOffset);
    if (batch !== null) place(batch, combined, (rest) => insertAfter(pending, next, rest));
  }
  return combined;
}

/** Puts a batch that begins at or after the last combined one; what is left over of either comes back through `again`. */
function place(batch: StateBatch, combined: StateBatch[], again: (rest: StateBatch) => void): void {
  const last = combined.at(-1);
  if (last === undefined || last.lastOffset < batch.firstOffset - 1) {
    combined.push(batch);
    return;
  }
  const order = comparePriority(batch, last);
  if (order === 0) {
    combined[combined.length - 1] = { ...last, lastOffset: Math.max(last.lastOffset, batch.lastOffset) };
  } else if (last.lastOffset < batch.firstOffset) {
    combined.push(batch);
  } else if (order < 0) {
    if (batch.lastOffset > last.lastOffset) again({ ...batch, firstOffset: last.lastOffset + 1 });
  } else {
    combined.pop();
    if (last.firstOffset < batch.firstOffset) combined.push({ ...last, lastOffset: batch.firstOffset - 1 });
    if (last.lastOffset > batch.lastOffset) again({ ...last, firstOffset: batch.lastOffset + 1 });
    // Cut off, it may now continue a batch of the same state.
    place(batch, combined, again);
  }
}

function comparePriority(left: StateBatch, right: StateBatch): number {
  return left.deliveryCount - right.deliveryCount || left.deliveryState - right.deliveryState;
}

function byFirstOffset(left: StateBatch, right: StateBatch): number {
  return left.firstOffset - right.firstOffset;
}

function cutBelow(batch: StateBatch, startOffset: number): StateBatch | null {
  if (batch.lastOffset < batch.firstOffset || batch.lastOffset < startOffset) return null;
  return batch.firstOffset < startOffset ? { ...batch, firstOffset: startOffset } : batch;
}

/** Inserts in offset order somewhere behind `index`. */
function insertAfter(batches: StateBatch[], index: number, batch: StateBatch): void {
  let low = index + 1;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (batches[middle]!.firstOffset < batch.firstOffset) low = middle + 1;
    else high = middle;
  }
  batches.splice(low, 0, batch);
}
