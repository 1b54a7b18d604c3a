import type { BatchSummary } from '@ottla/protocol';

/** What a walk over the records of a batch found. */
export interface RecordScan {
  readonly maxTimestamp: number;
  readonly minTimestamp: number;
}

/** Attributes, time and offset deltas, two lengths and the header count: one byte each at least; zigzag doubles it. */
const MIN_ZIGZAG_LENGTH = 6 * 2;
const MALFORMED = -1;

/** Where the last varint ended: a second return value without an object. */
let cursor = 0;

/** An unsigned varint (still zigzag) of at most 10 bytes; MALFORMED when it does not end before `end`. */
function readVarint(buffer: Buffer, position: number, end: number): number {
  let byte = buffer[position]!;
  if (byte < 0x80) {
    cursor = position + 1;
    return byte;
  }
  let value = byte & 0x7f;
  byte = buffer[position + 1]!;
  if (byte < 0x80) {
    cursor = position + 2;
    return value | (byte << 7);
  }
  value |= (byte & 0x7f) << 7;
  // Rare: lengths above 8 KB and times more than 8 seconds apart. Multiplied, since shifts end at 32 bits.
  let factor = 2 ** 14;
  for (let at = position + 2; at < position + 10 && at < end; at++) {
    byte = buffer[at]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      cursor = at + 1;
      return value;
    }
    factor *= 128;
  }
  return MALFORMED;
}

/** The uncompressed records of a batch: bytes `start` to `end` of `buffer`. */
export interface RecordBytes {
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * Walks over the records of a batch from length to length: null unless there are exactly as many as the header says and
 * they end where the bytes end. A batch whose CRC is right but whose count lies would otherwise be stored, and stop
 * every consumer that comes to it. `checkOffsets` also asks for the offset deltas 0, 1, 2, ..., as Kafka does for
 * compressed batches. Reads two or three varints per record and allocates nothing for them.
 */
export function scanRecords(
  bytes: RecordBytes,
  batch: BatchSummary,
  checkOffsets: boolean,
): RecordScan | null {
  const { buffer, end } = bytes;
  let position = bytes.start;
  let count = 0;
  let maxZigzagEven = -1;
  let minDelta = 0;
  let maxDelta = -Infinity;
  while (position < end) {
    const length = readVarint(buffer, position, end);
    // A record of a negative length has an odd zigzag.
    if (length < MIN_ZIGZAG_LENGTH || (length & 1) === 1) return null;
    const next = cursor + length / 2;
    if (next > end) return null;
    const zigzag = readVarint(buffer, cursor + 1, next);
    if (zigzag === MALFORMED) return null;
    if (checkOffsets && readVarint(buffer, cursor, next) !== count * 2) return null;
    if (zigzag % 2 === 0) {
      if (zigzag > maxZigzagEven) maxZigzagEven = zigzag;
    } else {
      const delta = -(zigzag + 1) / 2;
      if (delta < minDelta) minDelta = delta;
      if (delta > maxDelta) maxDelta = delta;
    }
    position = next;
    count++;
  }
  if (count !== batch.recordCount || position !== end) return null;
  // The base time is that of the first record, so the smallest delta is 0 or below as a rule.
  if (maxZigzagEven >= 0) maxDelta = maxZigzagEven / 2;
  return { maxTimestamp: batch.baseTimestamp + maxDelta, minTimestamp: batch.baseTimestamp + minDelta };
}
