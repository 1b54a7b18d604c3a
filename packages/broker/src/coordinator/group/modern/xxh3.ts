/**
 * XXH3 in its 64-bit form with the default secret and seed 0, over whole inputs (https://github.com/Cyan4973/xxHash, the
 * algorithm's specification). Kafka's metadata hashes are made with it; it is no protection against anybody.
 */
export function xxh3(input: Buffer): bigint {
  if (input.length <= 16) return upTo16(input);
  if (input.length <= 128) return upTo128(input);
  if (input.length <= 240) return upTo240(input);
  return long(input);
}

const MASK = 0xffff_ffff_ffff_ffffn;
const LOW = 0xffff_ffffn;
const P32_1 = 0x9e3779b1n;
const P32_2 = 0x85ebca77n;
const P32_3 = 0xc2b2ae3dn;
const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P64_5 = 0x27d4eb2f165667c5n;
const PRIME_MX1 = 0x165667919e3779f9n;
const PRIME_MX2 = 0x9fb21c651e98df25n;

const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221' +
    'b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb' +
    '170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

function read64(bytes: Buffer, at: number): bigint {
  return bytes.readBigUInt64LE(at);
}

function read32(bytes: Buffer, at: number): bigint {
  return BigInt(bytes.readUInt32LE(at));
}

/** The low and the high half of a 128-bit product, xored. */
function mulFold(left: bigint, right: bigint): bigint {
  const product = left * right;
  return (product & MASK) ^ (product >> 64n);
}

function avalanche(value: bigint): bigint {
  let hash = value ^ (value >> 37n);
  hash = (hash * PRIME_MX1) & MASK;
  return hash ^ (hash >> 32n);
}

function avalanche64(value: bigint): bigint {
  let hash = value ^ (value >> 33n);
  hash = (hash * P64_2) & MASK;
  hash ^= hash >> 29n;
  hash = (hash * P64_3) & MASK;
  return hash ^ (hash >> 32n);
}

function swap64(value: bigint): bigint {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeBigUInt64LE(value);
  return bytes.readBigUInt64BE();
}

function rotateLeft(value: bigint, bits: bigint): bigint {
  return ((value << bits) | (value >> (64n - bits))) & MASK;
}

function upTo16(input: Buffer): bigint {
  const { length } = input;
  if (length > 8) {
    const low = read64(input, 0) ^ read64(SECRET, 24) ^ read64(SECRET, 32);
    const high = read64(input, length - 8) ^ read64(SECRET, 40) ^ read64(SECRET, 48);
    return avalanche((BigInt(length) + swap64(low) + high + mulFold(low, high)) & MASK);
  }
  if (length >= 4) {
    const flip = read64(SECRET, 8) ^ read64(SECRET, 16);
    let hash = ((read32(input, length - 4) + (read32(input, 0) << 32n)) & MASK) ^ flip;
    hash ^= rotateLeft(hash, 49n) ^ rotateLeft(hash, 24n);
    hash = (hash * PRIME_MX2) & MASK;
    hash ^= (hash >> 35n) + BigInt(length);
    hash = (hash * PRIME_MX2) & MASK;
    return hash ^ (hash >> 28n);
  }
  if (length === 0) return avalanche64(read64(SECRET, 56) ^ read64(SECRET, 64));
  const first = BigInt(input[0] ?? 0);
  const middle = BigInt(input[length >> 1] ?? 0);
  const last = BigInt(input[length - 1] ?? 0);
  const combined = (first << 16n) | (middle << 24n) | last | (BigInt(length) << 8n);
  return avalanche64(combined ^ ((read32(SECRET, 0) ^ read32(SECRET, 4)) & LOW));
}

function mix16(input: Buffer, at: number, secretAt: number): bigint {
  return mulFold(
    read64(input, at) ^ read64(SECRET, secretAt),
    read64(input, at + 8) ^ read64(SECRET, secretAt + 8),
  );
}

function upTo128(input: Buffer): bigint {
  const { length } = input;
  let hash = (BigInt(length) * P64_1) & MASK;
  for (let i = (length - 1) >> 5; i >= 0; i--) {
    hash += mix16(input, 16 * i, 32 * i);
    hash += mix16(input, length - 16 * (i + 1), 32 * i + 16);
  }
  return avalanche(hash & MASK);
}

function upTo240(input: Buffer): bigint {
  const { length } = input;
  let hash = (BigInt(length) * P64_1) & MASK;
  for (let i = 0; i < 8; i++) hash += mix16(input, 16 * i, 16 * i);
  hash = avalanche(hash & MASK);
  for (let i = 8; i < length >> 4; i++) hash += mix16(input, 16 * i, 16 * (i - 8) + 3);
  hash += mix16(input, length - 16, 136 - 17);
  return avalanche(hash & MASK);
}

const STRIPE_BYTES = 64;
const STRIPES_PER_BLOCK = (SECRET.length - STRIPE_BYTES) >> 3;
const BLOCK_BYTES = STRIPE_BYTES * STRIPES_PER_BLOCK;

function long(input: Buffer): bigint {
  const { length } = input;
  const lanes = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1];
  const blocks = Math.floor((length - 1) / BLOCK_BYTES);
  for (let block = 0; block < blocks; block++) {
    for (let stripe = 0; stripe < STRIPES_PER_BLOCK; stripe++)
      accumulate(lanes, input, { at: block * BLOCK_BYTES + stripe * STRIPE_BYTES, secretAt: 8 * stripe });
    scramble(lanes);
  }
  const stripes = Math.floor((length - 1 - BLOCK_BYTES * blocks) / STRIPE_BYTES);
  for (let stripe = 0; stripe < stripes; stripe++)
    accumulate(lanes, input, { at: blocks * BLOCK_BYTES + stripe * STRIPE_BYTES, secretAt: 8 * stripe });
  accumulate(lanes, input, { at: length - STRIPE_BYTES, secretAt: SECRET.length - STRIPE_BYTES - 7 });
  let hash = (BigInt(length) * P64_1) & MASK;
  for (let i = 0; i < 4; i++) {
    hash += mulFold(
      lane(lanes, 2 * i) ^ read64(SECRET, 11 + 16 * i),
      lane(lanes, 2 * i + 1) ^ read64(SECRET, 19 + 16 * i),
    );
  }
  return avalanche(hash & MASK);
}

function accumulate(lanes: bigint[], input: Buffer, where: { at: number; secretAt: number }): void {
  for (let i = 0; i < 8; i++) {
    const value = read64(input, where.at + 8 * i);
    const keyed = value ^ read64(SECRET, where.secretAt + 8 * i);
    lanes[i ^ 1] = (lane(lanes, i ^ 1) + value) & MASK;
    lanes[i] = (lane(lanes, i) + (keyed & LOW) * (keyed >> 32n)) & MASK;
  }
}

function scramble(lanes: bigint[]): void {
  for (let i = 0; i < 8; i++) {
    const value = lane(lanes, i);
    const keyed = value ^ (value >> 47n) ^ read64(SECRET, SECRET.length - STRIPE_BYTES + 8 * i);
    lanes[i] = (keyed * P32_1) & MASK;
  }
}

function lane(lanes: readonly bigint[], index: number): bigint {
  return lanes[index] ?? 0n;
}
