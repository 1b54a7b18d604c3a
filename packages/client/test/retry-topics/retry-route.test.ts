import { SeededRandom } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { resolveRetryOptions, type RetryingConsumerOptions } from '../../src/retry-topics/retry-options.ts';
import { drawDelayMs, routeAfterFailure } from '../../src/retry-topics/retry-route.ts';
import { retryStages } from '../../src/retry-topics/retry-stages.ts';

const BACK_OFF = { delayMs: 1_000, multiplier: 2 };

/** The suffix of the topic and the delay, for a record that fails in a stage. */
function route(
  options: Omit<RetryingConsumerOptions, 'group'>,
  failed: { from: string; attempt: number; ageMs?: number; error?: unknown },
): [suffix: string, delayMs: number] | null {
  const resolved = resolveRetryOptions({ group: 'g', backOff: BACK_OFF, ...options });
  const stages = retryStages(resolved);
  const from = stages.findIndex(({ suffix }) => suffix === failed.from);
  const to = routeAfterFailure(stages, { error: new Error('x'), ageMs: 0, ...failed, from }, resolved);
  return to === null ? null : [to.stage.suffix, to.delayMs];
}

describe('the route of a record after a failure', () => {
  test.each([
    ['goes to the next delay', {}, { from: '', attempt: 1 }, ['-retry-1000', 1_000]],
    ['and to the one after it', {}, { from: '-retry-1000', attempt: 2 }, ['-retry-2000', 2_000]],
    ['is over after the last attempt', {}, { from: '-retry-2000', attempt: 3 }, ['-dlt', 0]],
    ['is over early for attempts that others made', {}, { from: '', attempt: 3 }, ['-dlt', 0]],
    ['goes on at the very age', { timeoutMs: 5 }, { from: '', attempt: 1, ageMs: 5 }, ['-retry-1000', 1_000]],
    ['is over above it', { timeoutMs: 5 }, { from: '', attempt: 1, ageMs: 6 }, ['-dlt', 0]],
    ['is over for what is not retried', { exclude: [Error] }, { from: '', attempt: 1 }, ['-dlt', 0]],
    ['ends without a dead-letter topic', { deadLetterStrategy: 'no-dlt' }, { from: '', attempt: 3 }, null],
    [
      'begins again behind a dead letter, after the last delay',
      {},
      { from: '-dlt', attempt: 4 },
      ['-dlt', 2_000],
    ],
    [
      'after the first delay without retry topics',
      { attempts: 1 },
      { from: '-dlt', attempt: 2 },
      ['-dlt', 1_000],
    ],
    ['ends there if so wanted', { deadLetterStrategy: 'fail-on-error' }, { from: '-dlt', attempt: 4 }, null],
    ['ends there for what is not retried', { exclude: [Error] }, { from: '-dlt', attempt: 4 }, null],
  ] as const)('%s', (_, options, failed, expected) => {
    expect(route(options, failed)).toEqual(expected);
  });
});

test('a delay is drawn within its jitter and never below the first delay or above the greatest', () => {
  const { backOff, ...options } = resolveRetryOptions({
    group: 'g',
    backOff: { ...BACK_OFF, jitterMs: 300, maxDelayMs: 2_100 },
  });
  const stages = retryStages({ ...options, backOff });
  const random = new SeededRandom(1);
  const drawn = (index: number): number[] => {
    const stage = stages[index]!;
    return Array.from({ length: 500 }, () => drawDelayMs({ stage, delayMs: stage.delayMs }, backOff, random));
  };
  const [first, second] = [drawn(1), drawn(2)];
  expect([Math.min(...first), Math.max(...first) <= 1_300]).toEqual([1_000, true]);
  expect([Math.min(...second) >= 1_400, Math.max(...second)]).toEqual([true, 2_100]);
  expect(new Set(second).size).toBeGreaterThan(50);
});
