import type { BatchSummary } from '@ottla/protocol';

/** What a walk over the records of an uncompressed batch found. */
export interface RecordScan {
  readonly maxTimestamp: number;
  readonly minTimestamp: number;
}

const RECORDS_AT = 61;

/**
 * Walks over the records of an uncompressed batch from length to length: null unless there are exactly as many as the
 * header says and they end where the batch ends. A batch whose CRC is right but whose count lies would otherwise be
 * stored, and stop every consumer that comes to it. Reads two varints per record and allocates nothing for them.
 */
export function scanRecords(buffer: Buffer, batch: BatchSummary): RecordScan | null {
  const end = batch.position + batch.sizeInBytes;
  let position = batch.position + RECORDS_AT;
  let count = 0;
  let maxDelta = -Infinity;
  let minDelta = Infinity;
  while (position < end) {
    // Zigzag varint of the record's length, at most 5 bytes; nearly always 1 or 2.
    let byte = buffer[position++]!;
    let length = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 28 || position >= end) return null;
      byte = buffer[position++]!;
      length += (byte & 0x7f) * 2 ** shift;
    }
    if ((length & 1) === 1) return null;
    const next = position + length / 2;
    // The least record: attributes, time and offset deltas, two lengths, the header count.
    if (next > end || length < 12) return null;
    // Zigzag varlong of the time delta, after one byte of attributes.
    let at = position + 1;
    byte = buffer[at++]!;
    let zigzag = byte & 0x7f;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (shift > 63 || at >= next) return null;
      byte = buffer[at++]!;
      zigzag += (byte & 0x7f) * 2 ** shift;
    }
    const delta = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    if (delta > maxDelta) maxDelta = delta;
    if (delta < minDelta) minDelta = delta;
    position = next;
    count++;
  }
  if (count !== batch.recordCount) return null;
  return { maxTimestamp: batch.baseTimestamp + maxDelta, minTimestamp: batch.baseTimestamp + minDelta };
}
