import { lazy, optionalModule } from '../compression/codec.ts';

/**
 * CRC-32C (Castagnoli), the checksum of record batches, sixteen bytes a step:
 * table k holds the effect of a byte that is followed by k zero bytes.
 */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;
const tables = buildTables();

/**
 * CRC-32C of bytes `start` to `end` as an unsigned number. `previous` is the checksum of what came before, so that a
 * value can be computed piece by piece.
 */
// oxlint-disable-next-line max-params -- a hot leaf: an options object would cost more than the work for short input
export function crc32c(bytes: Buffer, start = 0, end = bytes.length, previous = 0): number {
  if (end - start >= NATIVE_FROM_BYTES) {
    const native = nativeCrc32c();
    if (native !== undefined) return native(bytes.subarray(start, end), previous);
  }
  return crc32cPure(bytes, start, end, previous);
}

/** Below this the call into the addon and the view it needs cost more than they save. */
const NATIVE_FROM_BYTES = 400;

type Crc32c = (bytes: Buffer, previous: number) => number;

/** The addon, 0.17 ns per byte; undefined where it cannot be loaded. */
export const nativeCrc32c = lazy(() => optionalModule<{ crc32c: Crc32c }>('@node-rs/crc32')?.crc32c);

/** The same in JavaScript, 0.75 ns per byte. */
// oxlint-disable-next-line max-params -- the same signature
export function crc32cPure(bytes: Buffer, start: number, end: number, previous: number): number {
  const t = tables;
  let crc = ~previous;
  let p = start;
  for (; end - p >= SLICES; p += SLICES) {
    crc ^= bytes[p]! | (bytes[p + 1]! << 8) | (bytes[p + 2]! << 16) | (bytes[p + 3]! << 24);
    crc =
      t[15 * 256 + (crc & 255)]! ^
      t[14 * 256 + ((crc >>> 8) & 255)]! ^
      t[13 * 256 + ((crc >>> 16) & 255)]! ^
      t[12 * 256 + (crc >>> 24)]! ^
      t[11 * 256 + bytes[p + 4]!]! ^
      t[10 * 256 + bytes[p + 5]!]! ^
      t[9 * 256 + bytes[p + 6]!]! ^
      t[8 * 256 + bytes[p + 7]!]! ^
      t[7 * 256 + bytes[p + 8]!]! ^
      t[6 * 256 + bytes[p + 9]!]! ^
      t[5 * 256 + bytes[p + 10]!]! ^
      t[4 * 256 + bytes[p + 11]!]! ^
      t[3 * 256 + bytes[p + 12]!]! ^
      t[2 * 256 + bytes[p + 13]!]! ^
      t[256 + bytes[p + 14]!]! ^
      t[bytes[p + 15]!]!;
  }
  for (; p < end; p++) crc = (crc >>> 8) ^ t[(crc ^ bytes[p]!) & 255]!;
  return ~crc >>> 0;
}

function buildTables(): Int32Array {
  const result = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    result[byte] = crc;
  }
  for (let index = 256; index < SLICES * 256; index++) {
    const before = result[index - 256]!;
    result[index] = (before >>> 8) ^ result[before & 255]!;
  }
  return result;
}
