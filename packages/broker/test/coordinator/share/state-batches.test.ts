import { SeededRandom } from '@ottla/platform';
import { expect, test } from 'vitest';
import type { StateBatch } from '../../../src/coordinator/share/share-state-types.ts';
import { combineStateBatches } from '../../../src/coordinator/share/state-batches.ts';

const batch = (
  firstOffset: number,
  lastOffset: number,
  deliveryState = 0,
  deliveryCount = 1,
): StateBatch => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

test.each<[string, [StateBatch[], StateBatch[], number], StateBatch[]]>([
  ['nothing', [[], [], -1], []],
  ['neighbours of one state', [[batch(0, 4)], [batch(5, 9)], -1], [batch(0, 9)]],
  ['neighbours of two states', [[batch(0, 4)], [batch(5, 9, 2)], -1], [batch(0, 4), batch(5, 9, 2)]],
  [
    'a newer count in the middle',
    [[batch(0, 9)], [batch(3, 5, 0, 2)], -1],
    [batch(0, 2), batch(3, 5, 0, 2), batch(6, 9)],
  ],
  [
    'an older count that loses',
    [[batch(3, 5, 0, 2)], [batch(0, 9)], -1],
    [batch(0, 2), batch(3, 5, 0, 2), batch(6, 9)],
  ],
  ['what lies below the start', [[batch(0, 9)], [batch(12, 14)], 5], [batch(5, 9), batch(12, 14)]],
  ['a higher state of the same count', [[batch(0, 9)], [batch(8, 12, 2)], 0], [batch(0, 7), batch(8, 12, 2)]],
])('state batches combine: %s', (_name, [older, newer, startOffset], expected) => {
  expect(combineStateBatches(older, newer, startOffset)).toEqual(expected);
});

test('state batches combine to what each single offset would get, for random batches', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new SeededRandom(seed);
    const some = (): StateBatch[] =>
      Array.from({ length: random.nextInt(6) }, () => {
        const first = random.nextInt(40);
        return batch(first, first + random.nextInt(10), [0, 2, 4][random.nextInt(3)]!, 1 + random.nextInt(3));
      });
    const older = combineStateBatches([], some(), -1);
    const newer = some();
    const startOffset = random.nextInt(20) - 1;
    const combined = combineStateBatches(older, newer, startOffset);
    const at = (batches: readonly StateBatch[], offset: number): string => {
      const covering = batches.filter((each) => each.firstOffset <= offset && offset <= each.lastOffset);
      covering.sort((a, b) => b.deliveryCount - a.deliveryCount || b.deliveryState - a.deliveryState);
      return covering[0] === undefined ? '-' : `${covering[0].deliveryState}/${covering[0].deliveryCount}`;
    };
    for (let offset = 0; offset < 60; offset++) {
      const expected = offset < startOffset ? '-' : at([...older, ...newer], offset);
      expect(at(combined, offset), `seed ${seed}, offset ${offset}`).toBe(expected);
    }
    for (let i = 1; i < combined.length; i++)
      expect(combined[i]!.firstOffset, `seed ${seed}`).toBeGreaterThan(combined[i - 1]!.lastOffset);
  }
});
