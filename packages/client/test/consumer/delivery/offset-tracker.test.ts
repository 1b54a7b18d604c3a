import { SeededRandom } from '@ottla/platform';
import { expect, test } from 'vitest';
import { OffsetTracker } from '../../../src/consumer/delivery/offset-tracker.ts';

test('the first unfinished offset moves on only over finished ones', () => {
  const tracker = new OffsetTracker();
  expect(tracker.firstPending).toBe(-1);
  const [first, second, third, last] = [10, 11, 12, 15].map((offset) => tracker.begin(offset));
  tracker.finish(second!);
  tracker.finish(last!);
  expect(tracker.firstPending).toBe(10);
  tracker.finish(first!);
  expect(tracker.firstPending).toBe(12);
  tracker.finish(third!);
  expect(tracker.firstPending).toBe(-1);
});

test.each([1, 2, 3, 4, 5])(
  'seed %i: it is always the least of those that were begun and not finished',
  (seed) => {
    const random = new SeededRandom(seed);
    const tracker = new OffsetTracker();
    const open: { readonly offset: number; readonly ticket: number }[] = [];
    let next = 0;
    for (let step = 0; step < 5_000; step += 1) {
      if (open.length < 1 + random.nextInt(2_000) && random.nextInt(2) === 0) {
        next += 1 + random.nextInt(3);
        open.push({ offset: next, ticket: tracker.begin(next) });
      } else if (open.length > 0) tracker.finish(open.splice(random.nextInt(open.length), 1)[0]!.ticket);
      const least = Math.min(...open.map(({ offset }) => offset));
      expect(tracker.firstPending).toBe(open.length === 0 ? -1 : least);
    }
  },
);
