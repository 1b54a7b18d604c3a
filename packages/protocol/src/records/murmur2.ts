const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;
const SHIFT = 24;

/** Kafka's murmur2 of the first `length` bytes of `key`, by default of the whole record key; signed 32 bits. */
export function murmur2(key: Uint8Array, length = key.length): number {
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let position = 0; position < whole; position += 4) {
    const bytes =
      key[position]! | (key[position + 1]! << 8) | (key[position + 2]! << 16) | (key[position + 3]! << 24);
    let word = Math.imul(bytes, MULTIPLIER);
    word ^= word >>> SHIFT;
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER);
  }
  if (length !== whole) {
    for (let position = length - 1; position >= whole; position--) {
      hash ^= (key[position] ?? 0) << (8 * (position - whole));
    }
    hash = Math.imul(hash, MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/**
 * The partition that the default partitioner of the official clients gives a key: all of `key`, or its first `length`
 * bytes.
 */
export function partitionForKey(key: Uint8Array, partitionCount: number, length = key.length): number {
  return (murmur2(key, length) & 0x7fffffff) % partitionCount;
}
