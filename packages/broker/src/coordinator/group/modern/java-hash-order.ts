import { javaStringHash } from '../../runtime/coordinator-partition.ts';

/**
 * The order in which Java's `HashSet` goes through topic ids that were put into it one after the other. Kafka's uniform
 * assignor hands out topics in that order, and ours is to come to the same assignment.
 */
export function javaHashOrder(topicIds: Iterable<string>): string[] {
  return inBuckets([...topicIds], uuidHash);
}

/** The same for partition numbers. */
export function javaHashOrderOfNumbers(numbers: Iterable<number>): number[] {
  return inBuckets([...numbers], (value) => value);
}

/**
 * The order in which Java's `HashMap` goes through strings that were put into it one after the other, when it was made for
 * as many as `initialCapacity`; several of one bucket are in the order in which they came.
 */
export function javaHashOrderOfStrings(strings: Iterable<string>, initialCapacity = 16): string[] {
  const values = [...strings];
  let capacity = 1;
  while (capacity < initialCapacity || values.length > capacity * LOAD_FACTOR) capacity *= 2;
  return inBuckets(values, javaStringHash, capacity);
}

function copyCapacity(count: number): number {
  let capacity = 16;
  while (capacity < count / LOAD_FACTOR + 1) capacity *= 2;
  return capacity;
}

function inBuckets<T>(
  values: readonly T[],
  hash: (value: T) => number,
  capacity = copyCapacity(values.length),
): T[] {
  return values
    .map((value, position) => ({ value, position, bucket: spread(hash(value)) & (capacity - 1) }))
    .toSorted((left, right) => left.bucket - right.bucket || left.position - right.position)
    .map(({ value }) => value);
}

const LOAD_FACTOR = 0.75;

function spread(hash: number): number {
  return hash ^ (hash >>> 16);
}

function uuidHash(id: string): number {
  const bytes = Buffer.from(id, 'base64url');
  return bytes.readInt32BE(0) ^ bytes.readInt32BE(4) ^ bytes.readInt32BE(8) ^ bytes.readInt32BE(12);
}

/** Kafka's order of topic ids: as two signed 64-bit numbers. */
export function compareTopicIds(left: string, right: string): number {
  const [a, b] = [Buffer.from(left, 'base64url'), Buffer.from(right, 'base64url')];
  const high = a.readBigInt64BE(0) - b.readBigInt64BE(0);
  const order = high === 0n ? a.readBigInt64BE(8) - b.readBigInt64BE(8) : high;
  return order < 0n ? -1 : Number(order > 0n);
}
