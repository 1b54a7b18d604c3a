import { SeededRandom } from '@ottla/platform';
import { expect, test } from 'vitest';
import { ArrivalSet } from '../../src/producer/arrival-set.ts';

test('the oldest member is the first of those that are left, whoever leaves', () => {
  const random = new SeededRandom(1);
  const set = new ArrivalSet<number>();
  let next = 0;
  for (let step = 0; step < 20_000; step++) {
    // It grows, shrinks and is empty now and then.
    const isGrowing = Math.floor(step / 500) % 2 === 0;
    if (random.nextInt(10) < (isGrowing ? 7 : 3)) set.add(next++);
    else if (set.size > 0) {
      const at = random.nextInt(3) === 0 ? random.nextInt(set.size) : 0;
      set.delete([...set][at]!);
    }
    if (random.nextInt(3) > 0) expect(set.oldest).toBe([...set][0]);
  }
});
