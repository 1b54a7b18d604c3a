/** xxHash32, the checksum inside LZ4 frames. */
const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** The hash of bytes `start` to `end` with seed 0, unsigned. */
export function xxHash32(bytes: Buffer, start = 0, end = bytes.length): number {
  let position = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (PRIME_1 + PRIME_2) | 0;
    let b = PRIME_2 | 0;
    let c = 0;
    let d = -PRIME_1 | 0;
    for (; end - position >= 16; position += 16) {
      a = round(a, bytes.readInt32LE(position));
      b = round(b, bytes.readInt32LE(position + 4));
      c = round(c, bytes.readInt32LE(position + 8));
      d = round(d, bytes.readInt32LE(position + 12));
    }
    hash = (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
  } else {
    hash = PRIME_5 | 0;
  }
  hash = (hash + end - start) | 0;
  for (; end - position >= 4; position += 4) {
    const mixed = (hash + Math.imul(bytes.readInt32LE(position), PRIME_3)) | 0;
    hash = Math.imul(rotate(mixed, 17), PRIME_4);
  }
  for (; position < end; position++) {
    const mixed = (hash + Math.imul(bytes[position] ?? 0, PRIME_5)) | 0;
    hash = Math.imul(rotate(mixed, 11), PRIME_1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function round(accumulator: number, input: number): number {
  return Math.imul(rotate((accumulator + Math.imul(input, PRIME_2)) | 0, 13), PRIME_1);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
