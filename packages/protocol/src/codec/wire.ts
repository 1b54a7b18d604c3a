import { ProtocolError, UnsupportedVersionError } from '../protocol-error.ts';

/**
 * The functions that generated codecs call for what is not worth unrolling: variable-length values and refusals.
 * A read function leaves the position after what it read in `cursor.position`, which costs no object per call.
 */
export const cursor = { position: 0 };

/** Kafka's limit on strings, compact ones included. */
const MAX_STRING_BYTES = 0x7fff;
const MAX_TAGGED_FIELDS = 64;
const TWO_32 = 4_294_967_296;
/** What Long.MAX_VALUE decodes to: 2^63, the nearest `number`. Encoding it gives Long.MAX_VALUE again. */
export const INT64_MAX = 2 ** 63;
/** Long.MIN_VALUE. */
export const INT64_MIN = -(2 ** 63);
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';
const UUID_CHARACTERS = 22;

/** Refuses input: what is wrong with which field, and where. @throws ProtocolError, always */
export function fail(problem: string, field: string, position: number): never {
  throw new ProtocolError(`${field}: ${problem} at byte ${position}`, position);
}

/** Refuses input that ends inside `field`. @throws ProtocolError, always */
export function failEnd(field: string, position: number): never {
  return fail('Message ends too early', field, position);
}

/** Refuses a null in the input where the version allows none. @throws ProtocolError, always */
export function failNull(field: string, position: number): never {
  return fail('Null where the field must not be null', field, position);
}

/** Refuses a value that the encoder cannot write into `field`. */
export function failValue(field: string, value: unknown, wanted: string): never {
  throw new ProtocolError(`${field}: Cannot write "${String(value)}", need ${wanted}`, -1);
}

/**
 * Refuses to drop a value that was set and that the version cannot carry. @throws UnsupportedVersionError,
 * always
 */
export function failVersion(field: string, version: number): never {
  throw new UnsupportedVersionError(
    `Attempted to write a non-default ${field} at version ${version}, which cannot carry it`,
  );
}

/** An unsigned varint of at most five bytes and 32 bits. */
export function readVarint(bytes: Buffer, position: number, field: string): number {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[position + index];
    if (byte === undefined) failEnd(field, position);
    if (index === 4 && byte > 15) fail('Varint longer than 32 bits', field, position);
    value |= (byte & 127) << (7 * index);
    if (byte < 128) {
      cursor.position = position + index + 1;
      return value >>> 0;
    }
  }
  return fail('Varint longer than 5 bytes', field, position);
}

/** UTF-8 text of `length` bytes, which must be there. */
export function readString(bytes: Buffer, position: number, length: number): string {
  return length === 0 ? '' : bytes.toString('utf8', position, position + length);
}

/** Holds Kafka's limit on strings. @throws ProtocolError */
export function checkStringLength(length: number, field: string, position: number): void {
  if (length > MAX_STRING_BYTES) fail(`String of ${length} bytes, the limit is 32767`, field, position);
}

/**
 * Topic ids come again and again, so the texts of the last ones are kept: slot `hash` holds the four words of an id and
 * its text. Equal ids then are the same string, which is also found faster in a Map.
 */
const UUID_SLOTS = 1024;
const uuidWords = new Int32Array(4 * UUID_SLOTS);
const uuidTexts: string[] = Array.from({ length: UUID_SLOTS }, () => ZERO_UUID);

/** The sixteen bytes must be there; gives the 22 characters. */
export function readUuid(bytes: Buffer, position: number): string {
  const a = readInt32(bytes, position);
  const b = readInt32(bytes, position + 4);
  const c = readInt32(bytes, position + 8);
  const d = readInt32(bytes, position + 12);
  const mixed = Math.imul(a ^ b ^ c ^ d, 0x9e3779b1);
  const slot = (mixed >>> 16) & (UUID_SLOTS - 1);
  const words = 4 * slot;
  if (
    uuidWords[words] === a &&
    uuidWords[words + 1] === b &&
    uuidWords[words + 2] === c &&
    uuidWords[words + 3] === d
  ) {
    return uuidTexts[slot]!;
  }
  const text = bytes.toString('base64url', position, position + 16);
  uuidWords[words] = a;
  uuidWords[words + 1] = b;
  uuidWords[words + 2] = c;
  uuidWords[words + 3] = d;
  uuidTexts[slot] = text;
  return text;
}

/** The four bytes must be there. */
export function readInt32(bytes: Buffer, position: number): number {
  return (
    (bytes[position]! << 24) |
    (bytes[position + 1]! << 16) |
    (bytes[position + 2]! << 8) |
    bytes[position + 3]!
  );
}

/** The eight bytes must be there. */
export function readInt64(bytes: Buffer, position: number): number {
  return readInt32(bytes, position) * TWO_32 + (readInt32(bytes, position + 4) >>> 0);
}

/** The eight bytes must be there. */
export function readFloat64(bytes: Buffer, position: number): number {
  return bytes.readDoubleBE(position);
}

/** Bounds the tagged fields of a struct. @throws ProtocolError */
export function checkTagCount(count: number, field: string, position: number): void {
  if (count > MAX_TAGGED_FIELDS) {
    fail(`${count} tagged fields, the limit is ${MAX_TAGGED_FIELDS}`, field, position);
  }
}

/** Writes eight bytes; `INT64_MAX` and above give Long.MAX_VALUE. */
export function putInt64(bytes: Buffer, position: number, value: number): void {
  let high = Math.floor(value / TWO_32);
  let low = value - high * TWO_32;
  if (value >= INT64_MAX) {
    high = 0x7fffffff;
    low = 0xffffffff;
  }
  bytes[position] = high >>> 24;
  bytes[position + 1] = high >>> 16;
  bytes[position + 2] = high >>> 8;
  bytes[position + 3] = high;
  bytes[position + 4] = low >>> 24;
  bytes[position + 5] = low >>> 16;
  bytes[position + 6] = low >>> 8;
  bytes[position + 7] = low;
}

/** Writes eight bytes. */
export function putFloat64(bytes: Buffer, position: number, value: number): void {
  bytes.writeDoubleBE(value, position);
}

/** Writes an unsigned varint of at most 31 bits; returns the position after it. */
export function putVarint(bytes: Buffer, position: number, value: number): number {
  let rest = value;
  let next = position;
  while (rest > 127) {
    bytes[next++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[next++] = rest;
  return next;
}

/** The bytes of the uuids written last, by text. */
const uuidBytes = new Map<string, Buffer>();

/** Writes the sixteen bytes of a uuid in 22 characters. @throws ProtocolError when it is anything else */
// oxlint-disable-next-line max-params -- called from generated code
export function putUuid(bytes: Buffer, position: number, value: string, field: string): void {
  let known = uuidBytes.get(value);
  if (known === undefined) {
    known = Buffer.from(value, 'base64url');
    if (value.length !== UUID_CHARACTERS || known.length !== 16) {
      failValue(field, value, 'a uuid of 22 base64 characters');
    }
    if (uuidBytes.size >= UUID_SLOTS) uuidBytes.clear();
    uuidBytes.set(value, known);
  }
  for (let index = 0; index < 16; index++) bytes[position + index] = known[index]!;
}

/** Room that `putString` and `putCompactString` may need for `value`. */
export function stringRoom(value: string): number {
  return 5 + 3 * value.length;
}

/** Writes int16 length and UTF-8; returns the position after them. */
export function putString(bytes: Buffer, position: number, value: string, field: string): number {
  const length = putText(bytes, position + 2, value);
  if (length > MAX_STRING_BYTES) failTooLong(field, length);
  bytes[position] = length >>> 8;
  bytes[position + 1] = length;
  return position + 2 + length;
}

/** Writes the length + 1 as a varint, then UTF-8; returns the position after them. */
export function putCompactString(bytes: Buffer, position: number, value: string, field: string): number {
  // Up to 42 UTF-16 units make at most 126 bytes, so their length + 1 takes one byte, wherever it ends up.
  if (value.length <= 42) {
    const length = putText(bytes, position + 1, value);
    bytes[position] = length + 1;
    return position + 1 + length;
  }
  const length = Buffer.byteLength(value);
  if (length > MAX_STRING_BYTES) failTooLong(field, length);
  const start = putVarint(bytes, position, length + 1);
  return start + putText(bytes, start, value);
}

function failTooLong(field: string, length: number): never {
  return failValue(field, `${length} bytes`, 'a string of at most 32767 bytes');
}

/** Up to here a loop in JavaScript beats the call into the runtime. */
const SHORT_TEXT = 32;

function putText(bytes: Buffer, position: number, value: string): number {
  const { length } = value;
  if (length > SHORT_TEXT) return bytes.write(value, position);
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit > 127) return bytes.write(value, position);
    bytes[position + index] = unit;
  }
  return length;
}

/** Length of a byte field, which may be given as a list of buffers. */
export function byteLength(value: Buffer | readonly Buffer[]): number {
  if (!Array.isArray(value)) return (value as Buffer).length;
  let total = 0;
  for (const one of value as readonly Buffer[]) total += one.length;
  return total;
}
