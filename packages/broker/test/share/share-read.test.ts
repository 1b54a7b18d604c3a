import type { BatchSummary } from '@ottla/protocol';
import { expect, test } from 'vitest';
import { abortedRanges, subtractRanges } from '../../src/share/share-read.ts';

const MANY = 200_000;

const range = (firstOffset: number, lastOffset: number) => ({ firstOffset, lastOffset });
const acquired = (firstOffset: number, lastOffset: number) => ({ firstOffset, lastOffset, deliveryCount: 1 });

test.each([
  ['nothing', [], [acquired(10, 19)]],
  ['what lies before and behind', [range(0, 9), range(20, 29)], [acquired(10, 19)]],
  ['the beginning', [range(5, 12)], [acquired(13, 19)]],
  ['the end', [range(15, 25)], [acquired(10, 14)]],
  [
    'pieces',
    [range(11, 12), range(14, 14), range(19, 19)],
    [acquired(10, 10), acquired(13, 13), acquired(15, 18)],
  ],
  ['all', [range(10, 14), range(15, 19)], []],
  ['one over all', [range(0, 100)], []],
])('subtracted from what was acquired: %s', (_, removed, left) => {
  expect(subtractRanges([acquired(10, 19)], removed)).toEqual(left);
});

test('one removed range may cut several acquired ones', () => {
  const ranges = [acquired(0, 4), acquired(5, 9), acquired(10, 14)];
  expect(subtractRanges(ranges, [range(3, 11)])).toEqual([acquired(0, 2), acquired(12, 14)]);
});

/** A transactional batch of one record and the marker that ends its transaction, for each offset that is even. */
function transactions(count: number) {
  const batch = (baseOffset: number, isControl: boolean) => {
    const summary = {
      baseOffset,
      lastOffset: baseOffset,
      isControl,
      isTransactional: true,
      producerId: baseOffset >> 1,
    };
    return { summary: summary as BatchSummary, bytes: Buffer.alloc(0) };
  };
  return Array.from({ length: 2 * count }, (_, offset) => ({
    ...batch(offset, offset % 2 === 1),
  }));
}

test('a read of very many aborted transactions holds nothing up', () => {
  const batches = transactions(MANY);
  const aborted = Array.from({ length: MANY }, (_, producerId) => ({
    producerId,
    firstOffset: 2 * producerId,
  }));
  const begin = performance.now();
  const ranges = abortedRanges(batches, aborted);
  const left = subtractRanges(
    Array.from({ length: 2000 }, (_, index) => acquired(3 * index, 3 * index + 2)),
    ranges,
  );
  const tookMs = performance.now() - begin;
  expect([ranges.length, left]).toEqual([2 * MANY, []]);
  expect(tookMs).toBeLessThan(2000);
}, 300_000);
