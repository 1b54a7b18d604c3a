import { batchSizeAt, readBatchSummary } from '@ottla/protocol';
import type { LogSegment } from './log-segment.ts';
import type { TimestampOffset } from './time-index.ts';

const CHUNK_BYTES = 256 * 1024;

/**
 * Truncates a segment so that it ends before the batch which contains `offset`. Synchronous, so that no append can
 * come in between; it looks only at the batches after the last index entry below the offset. Returns the new end offset.
 */
export function cutSegment(segment: LogSegment, offset: number): number {
  let { position } = segment.offsetIndex.lookup(offset);
  let endOffset = segment.baseOffset;
  let maxTimestamp = lastTimeBelow(segment, offset);
  let buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let isFound = false;
  while (!isFound && position < segment.sizeInBytes) {
    const filled = segment.readSync(
      buffer,
      Math.min(buffer.length, segment.sizeInBytes - position),
      position,
    );
    let at = 0;
    let size = batchSizeAt(buffer.subarray(0, filled), 0);
    while (size > 0 && at + size <= filled) {
      const batch = readBatchSummary(buffer.subarray(0, filled), at);
      if (batch.lastOffset >= offset) {
        isFound = true;
        break;
      }
      if (batch.maxTimestamp > maxTimestamp.timestamp) {
        maxTimestamp = { timestamp: batch.maxTimestamp, offset: batch.lastOffset };
      }
      endOffset = batch.lastOffset + 1;
      at += size;
      size = batchSizeAt(buffer.subarray(0, filled), at);
    }
    position += at;
    if (!isFound && at === 0) {
      if (size <= buffer.length) break;
      buffer = Buffer.allocUnsafeSlow(size);
    }
  }
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
