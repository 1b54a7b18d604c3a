import { ProtocolError } from '../protocol-error.ts';

/**
 * The signed varints of records: zigzag, so that small negative numbers are short too. Values are exact within
 * +-(2^53-1); longer ones lose their low bits, as everywhere in this package.
 */

/** Where the last `readSignedVarint` ended: saves an object per call. */
export const varintEnd = { position: 0 };

/** Reads a zigzag varint of at most `maxBytes` (5 for int32, 10 for int64) that ends before `end`. */
export function readSignedVarint(bytes: Buffer, position: number, end: number, maxBytes = 5): number {
  const first = position < end ? bytes[position]! : 128;
  if (first < 128) {
    varintEnd.position = position + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  return readLong(bytes, position, Math.min(end, position + maxBytes));
}

function readLong(bytes: Buffer, position: number, stop: number): number {
  let value = 0;
  let scale = 1;
  for (let next = position; next < stop; next++) {
    const byte = bytes[next]!;
    value += (byte & 127) * scale;
    scale *= 128;
    if (byte < 128) {
      varintEnd.position = next + 1;
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
  throw new ProtocolError(`Record: Varint is cut short or too long at byte ${position}`, position);
}

/** Bytes that `value` takes as a zigzag varint. */
export function sizeOfSignedVarint(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  let size = 1;
  while (rest > 127) {
    rest = Math.floor(rest / 128);
    size++;
  }
  return size;
}

/** Writes a zigzag varint; returns the position after it. */
export function writeSignedVarint(bytes: Uint8Array, position: number, value: number): number {
  let next = position;
  if (value === (value << 1) >> 1) {
    // Nearly every value fits into 31 bits, where shifts are cheaper than divisions.
    let zigzag = (value << 1) ^ (value >> 31);
    for (; zigzag > 127; zigzag >>>= 7) bytes[next++] = (zigzag & 127) | 128;
    bytes[next++] = zigzag;
    return next;
  }
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  while (rest > 127) {
    bytes[next++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  bytes[next++] = rest;
  return next;
}
