import { SeededRandom, SimClock } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import { backoffMs } from '../../src/cluster/backoff.ts';
import { retry } from '../../src/cluster/retry.ts';
import { KafkaError, TimeoutError } from '../../src/index.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';

const busy = new KafkaError('COORDINATOR_LOAD_IN_PROGRESS', 'busy');

/** Runs with a simulated clock, which goes on to the next timer as soon as nothing else happens. */
async function run<T>(clock: SimClock, work: Promise<T>): Promise<T> {
  let isOver = false;
  const done = work.finally(() => (isOver = true));
  done.catch(() => {});
  while (!isOver) {
    await new Promise(setImmediate);
    if (clock.nextTimerInMs !== null) clock.advance(clock.nextTimerInMs);
  }
  expect(clock.pendingTimers).toBe(0);
  return done;
}

describe('backoff', () => {
  test('doubles up to the maximum, give or take a fifth', () => {
    const random = new SeededRandom(7);
    const middles = [100, 200, 400, 800, 1_000, 1_000];
    for (const [failures, middle] of middles.entries()) {
      const delayMs = backoffMs({ initialMs: 100, maxMs: 1_000 }, failures, random);
      expect(delayMs).toBeGreaterThanOrEqual(middle * 0.8);
      expect(delayMs).toBeLessThanOrEqual(Math.min(middle * 1.2, 1_000));
    }
    expect(backoffMs({ initialMs: 0, maxMs: 1_000 }, 3, random)).toBe(0);
  });
});

describe('retry', () => {
  const clock = new SimClock();
  const options = resolveOptions({ clock, random: new SeededRandom(1) });

  test('goes on until it succeeds; each attempt knows the time that is left', async () => {
    const left: number[] = [];
    const result = await run(
      clock,
      retry(options, { what: 'Trying', timeoutMs: 5_000 }, async ({ number, remainingMs }) => {
        left.push(remainingMs);
        if (number < 3) throw busy;
        return 'done';
      }),
    );
    expect(result).toBe('done');
    expect(left).toHaveLength(4);
    expect([...left].sort((a, b) => b - a)).toEqual(left);
  });

  test('when the time is up the last failure is the cause', async () => {
    const failing = run(
      clock,
      retry(options, { what: 'Trying', timeoutMs: 2_000 }, () => Promise.reject(busy)),
    );
    await expect(failing).rejects.toBeInstanceOf(TimeoutError);
    await expect(failing).rejects.toMatchObject({
      cause: busy,
      message: 'Trying did not succeed within 2000 ms: busy',
    });
  });

  test('what cannot be retried is thrown at once, and a signal ends the wait between attempts', async () => {
    const wrong = new KafkaError('INVALID_TOPIC_EXCEPTION', 'wrong');
    await expect(retry(options, { what: 'Trying' }, () => Promise.reject(wrong))).rejects.toBe(wrong);
    const controller = new AbortController();
    const waiting = retry(options, { what: 'Trying', signal: controller.signal }, () => Promise.reject(busy));
    await new Promise(setImmediate);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
  });
});
