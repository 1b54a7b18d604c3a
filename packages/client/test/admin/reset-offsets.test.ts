import { describe, expect, test } from 'vitest';
import { planStep, type OffsetReset, type ResetFacts } from '../../src/admin/reset-offsets.ts';
import { OptionError } from '../../src/index.ts';

const place = { topic: 't', partition: 1 };
const facts: ResetFacts = { committed: 50, logStartOffset: 10, logEndOffset: 100 };

describe('planning a reset', () => {
  test.each<[string, OffsetReset, Partial<ResetFacts>, number]>([
    ['earliest', 'earliest', {}, 10],
    ['latest', 'latest', {}, 100],
    ['current', 'current', {}, 50],
    ['current without a committed offset is the end', 'current', { committed: null }, 100],
    ['current below the log is its start', 'current', { committed: 3 }, 10],
    ['a time', new Date(0), { atTime: 42 }, 42],
    ['a time after the last record is the end', { timestampMs: 9 }, { atTime: -1 }, 100],
    ['forward', { shiftBy: 20 }, {}, 70],
    ['back, not before the start', { shiftBy: -60 }, {}, 10],
    ['an offset beyond the end', { offset: 500 }, {}, 100],
    ['from a list', [{ ...place, offset: 33 }], {}, 33],
  ])('%s', (_, to, change, expected) => {
    expect(planStep(place, to, { ...facts, ...change })).toBe(expected);
  });

  test('a shift needs a committed offset, a list needs the partition', () => {
    expect(() => planStep(place, { shiftBy: 1 }, { ...facts, committed: null })).toThrow(OptionError);
    expect(() => planStep(place, [{ topic: 't', partition: 0, offset: 1 }], facts)).toThrow('t-1');
  });
});
