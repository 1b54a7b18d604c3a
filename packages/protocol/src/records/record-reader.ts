import { ProtocolError } from '../protocol-error.ts';
import { readSignedVarint, varintEnd } from './varint.ts';

/** Fewest bytes of a record: its length and six fields of one byte each. */
const MIN_RECORD_BYTES = 7;

/**
 * Steps through the (uncompressed) records of a batch without an object per record: after `next()` the fields describe
 * the current record by positions in `bytes`. Every length is checked against what is there.
 */
export class RecordReader {
  readonly bytes: Buffer;
  readonly recordCount: number;
  offsetDelta = 0;
  timestampDelta = 0;
  /** -1: the key is null. */
  keyLength = -1;
  keyStart = 0;
  /** -1: the value is null. */
  valueLength = -1;
  valueStart = 0;
  headerCount = 0;
  headersStart = 0;
  recordStart = 0;
  recordEnd: number;
  #read = 0;
  readonly #end: number;

  /**
   * @throws ProtocolError when `recordCount` records cannot fit between `start` and `end`
   */
  constructor(bytes: Buffer, recordCount: number, start = 0, end = bytes.length) {
    if (recordCount < 0 || recordCount * MIN_RECORD_BYTES > end - start) {
      refuse(`count ${recordCount} does not fit into ${end - start} bytes`, start);
    }
    this.bytes = bytes;
    this.recordCount = recordCount;
    this.recordEnd = start;
    this.#end = end;
  }

  /** Goes to the next record; false after the last. @throws ProtocolError on malformed or surplus bytes */
  next(): boolean {
    const start = this.recordEnd;
    if (this.#read === this.recordCount) {
      if (start !== this.#end) refuse(`data goes on after record ${this.#read}`, start);
      return false;
    }
    const { bytes } = this;
    const length = readSignedVarint(bytes, start, this.#end);
    const body = varintEnd.position;
    const end = body + length;
    if (length < 0 || end > this.#end) refuse(`length ${length} exceeds its batch`, start);
    // One byte of attributes, unused so far.
    this.timestampDelta = readSignedVarint(bytes, body + 1, end, 10);
    this.offsetDelta = readSignedVarint(bytes, varintEnd.position, end);
    this.keyLength = readLength(bytes, varintEnd.position, end);
    this.keyStart = varintEnd.position;
    this.valueLength = readLength(bytes, this.keyStart + Math.max(0, this.keyLength), end);
    this.valueStart = varintEnd.position;
    const headers = this.valueStart + Math.max(0, this.valueLength);
    this.headerCount = readSignedVarint(bytes, headers, end);
    this.headersStart = varintEnd.position;
    if (this.headerCount < 0 || this.headerCount * 2 > end - this.headersStart) {
      refuse(`count of headers ${this.headerCount} does not fit`, headers);
    }
    if (this.headerCount === 0 && this.headersStart !== end) refuse('is longer than its fields', start);
    this.recordStart = start;
    this.recordEnd = end;
    this.#read++;
    return true;
  }

  key(): Buffer | null {
    const { keyStart, keyLength } = this;
    return keyLength < 0 ? null : this.bytes.subarray(keyStart, keyStart + keyLength);
  }

  value(): Buffer | null {
    const { valueStart, valueLength } = this;
    return valueLength < 0 ? null : this.bytes.subarray(valueStart, valueStart + valueLength);
  }

  headers(): RecordHeader[] {
    return readRecordHeaders(this.bytes, this.headersStart, { count: this.headerCount, end: this.recordEnd });
  }
}

/**
 * Reads the headers of a record, which begin at `start`: for those who keep the place and decode later.
 * @throws ProtocolError when they are malformed or do not end where the record does
 */
export function readRecordHeaders(
  bytes: Buffer,
  start: number,
  { count, end }: { readonly count: number; readonly end: number },
): RecordHeader[] {
  const headers: RecordHeader[] = [];
  let position = start;
  for (let index = 0; index < count; index++) {
    const keyLength = readLength(bytes, position, end);
    if (keyLength < 0) refuse('has a header without a key', position);
    const keyStart = varintEnd.position;
    const valueLength = readLength(bytes, keyStart + keyLength, end);
    const valueStart = varintEnd.position;
    position = valueStart + Math.max(0, valueLength);
    headers.push({
      key: bytes.toString('utf8', keyStart, keyStart + keyLength),
      value: valueLength < 0 ? null : bytes.subarray(valueStart, position),
    });
  }
  if (position !== end) refuse('is longer than its headers', start);
  return headers;
}

export interface RecordHeader {
  readonly key: string;
  readonly value: Buffer | null;
}

/** A length of -1 (null) or more, with that many bytes behind it. */
function readLength(bytes: Buffer, position: number, end: number): number {
  const length = readSignedVarint(bytes, position, end);
  if (length < -1 || length > end - varintEnd.position) refuse(`has a bad length ${length}`, position);
  return length;
}

function refuse(problem: string, position: number): never {
  throw new ProtocolError(`Record ${problem} at byte ${position}`, position);
}
