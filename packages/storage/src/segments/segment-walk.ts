import { batchSizeAt, readBatchSummary, type BatchSummary } from '@ottla/protocol';
import type { TimestampOffset } from '../indexes/time-index.ts';
import type { LogSegment } from './log-segment.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Walks over the batches of a segment from `position` on, synchronously, so that no append can come in between: for
 * truncation only, which is rare and short. `visit` returns false to stop. Returns the position after the last batch
 * that it accepted.
 */
export function walkSegmentSync(
  segment: LogSegment,
  position: number,
  visit: (batch: BatchSummary, buffer: Buffer) => boolean,
): number {
  let buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  while (position < segment.sizeInBytes) {
    const filled = segment.readSync(
      buffer,
      Math.min(buffer.length, segment.sizeInBytes - position),
      position,
    );
    const chunk = buffer.subarray(0, filled);
    let at = 0;
    let size = batchSizeAt(chunk, at);
    for (; size > 0 && at + size <= filled; size = batchSizeAt(chunk, at)) {
      if (!visit(readBatchSummary(chunk, at), chunk)) return position + at;
      at += size;
    }
    position += at;
    if (at > 0) continue;
    if (size <= buffer.length)
      throw new Error(`Log file "${segment.path}" has no whole batch at position ${position}`);
    buffer = Buffer.allocUnsafeSlow(size);
  }
  return position;
}

/** Truncates a segment so that it ends before the batch which contains `offset`. Returns the new end offset. */
export function cutSegment(segment: LogSegment, offset: number): number {
  let endOffset = segment.baseOffset;
  let maxTimestamp = lastTimeBelow(segment, offset);
  // From a batch that stays: an entry for `offset` itself would lead to the one that is cut, and the end before it be unknown.
  const start = segment.offsetIndex.lookup(offset - 1).position;
  const position = walkSegmentSync(segment, start, (batch) => {
    if (batch.lastOffset >= offset) return false;
    if (batch.maxTimestamp > maxTimestamp.timestamp) {
      maxTimestamp = { timestamp: batch.maxTimestamp, offset: batch.lastOffset };
    }
    endOffset = batch.lastOffset + 1;
    return true;
  });
  segment.truncate(offset, position, maxTimestamp);
  return endOffset;
}

/** The newest time that the index knows of the batches below `offset`. */
function lastTimeBelow(segment: LogSegment, offset: number): TimestampOffset {
  for (let slot = segment.timeIndex.file.count - 1; slot >= 0; slot--) {
    const entry = segment.timeIndex.entry(slot);
    if (entry.offset < offset) return entry;
  }
  return { timestamp: -1, offset: segment.baseOffset };
}
