import { BATCH_HEADER_BYTES, writeSignedVarint } from '@ottla/protocol';
import {
  closeGap,
  exactBytesOf,
  maxBytesOf,
  varintBytesOf,
  writeField,
  writeText,
  type HeaderPair,
  type RecordBytes,
} from './record-bytes.ts';

/** Length, attributes, timestamp, offset and the lengths of key, value and headers take at most this. */
const RECORD_OVERHEAD_BYTES = 5 + 1 + 10 + 5 + 5 + 5 + 5;
/** What the lengths of one header take at most. */
const HEADER_OVERHEAD_BYTES = 5 + 5;

const NO_HEADERS: readonly HeaderPair[] = [];

/** A record as it goes into a batch. */
export interface EncodableRecord {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: RecordBytes;
  readonly value: RecordBytes;
  readonly headers: readonly HeaderPair[];
}

/** The most bytes that a record with these fields takes in a batch; with `sizeOf` exact but for a few bytes of lengths. */
// oxlint-disable-next-line max-params -- a hot leaf, called once per record
export function recordBound(
  key: RecordBytes,
  value: RecordBytes,
  headers: readonly HeaderPair[],
  sizeOf: (field: RecordBytes) => number,
): number {
  let bound = RECORD_OVERHEAD_BYTES + sizeOf(key) + sizeOf(value);
  for (const [name, content] of headers) bound += HEADER_OVERHEAD_BYTES + sizeOf(name) + sizeOf(content);
  return bound;
}

/**
 * Encodes records straight into the buffer that is sent, behind the room for the header of their batch:
 *
 *   | 61 bytes for the header | record | record | ...  position -> | free |
 *
 * Nothing of a record is kept but its bytes.
 */
export class BatchBuilder {
  readonly bytes: Buffer;
  /** Where the next record goes. */
  position: number = BATCH_HEADER_BYTES;
  recordCount = 0;
  /** Timestamp of the first record, which the others are relative to. */
  baseTimestamp = -1;
  maxTimestamp = -1;

  /** Writes into `bytes`, from its beginning to its end. */
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Appends a record; false when it does not fit, and then nothing has changed. */
  // oxlint-disable-next-line max-params -- the hottest call of the producer: an object per record would cost more than it does
  append(timestamp: number, key: RecordBytes, value: RecordBytes, headers = NO_HEADERS): boolean {
    const { bytes, position: start } = this;
    const room = bytes.length - start;
    if (
      room < recordBound(key, value, headers, maxBytesOf) &&
      room < recordBound(key, value, headers, exactBytesOf)
    )
      return false;
    if (this.recordCount === 0) this.baseTimestamp = timestamp;
    const guess = varintBytesOf(8 + lengthOf(key) + lengthOf(value));
    let position = start + guess;
    bytes[position++] = 0;
    position = writeSignedVarint(bytes, position, timestamp - this.baseTimestamp);
    position = writeSignedVarint(bytes, position, this.recordCount);
    position = writeField(bytes, position, key);
    position = writeField(bytes, position, value);
    position = headers.length === 0 ? putZero(bytes, position) : writeHeaders(bytes, position, headers);
    this.position = closeGap(bytes, { position: start, guess, end: position });
    this.recordCount++;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    return true;
  }
}

function lengthOf(field: RecordBytes): number {
  return field === null ? 0 : field.length;
}

function putZero(bytes: Buffer, position: number): number {
  bytes[position] = 0;
  return position + 1;
}

function writeHeaders(bytes: Buffer, start: number, headers: readonly HeaderPair[]): number {
  let position = writeSignedVarint(bytes, start, headers.length);
  for (const [name, value] of headers) {
    const guess = varintBytesOf(name.length);
    const end = writeText(bytes, position + guess, name);
    position = closeGap(bytes, { position, guess, end });
    position = writeField(bytes, position, value);
  }
  return position;
}
