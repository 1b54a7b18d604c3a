import { describe, expect, it } from 'vitest';
import {
  coordinatorPartition,
  javaStringHash,
} from '../../../src/coordinator/runtime/coordinator-partition.ts';

describe('the partition of a coordinator key', () => {
  // From `"...".hashCode()` of a Java virtual machine; the last is the one hash whose absolute value overflows.
  it.each([
    ['', 0, 0],
    ['a', 97, 47],
    ['g1', 3242, 42],
    ['polygenelubricants', -2_147_483_648, 0],
  ])('%j hashes to %i and goes to partition %i of 50', (key, hash, partition) => {
    expect(javaStringHash(key)).toBe(hash);
    expect(coordinatorPartition(key, 50)).toBe(partition);
  });
});
