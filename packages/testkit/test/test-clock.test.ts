import { expect, test } from 'vitest';
import { TestClock } from '../src/test-clock.ts';

const HOUR_MS = 3_600_000;

test('timers run in the order of their time when the clock is advanced, those set on the way too', () => {
  const clock = new TestClock();
  const ran: string[] = [];
  clock.setTimer(3 * HOUR_MS, () => ran.push('third'));
  clock.setTimer(HOUR_MS, () => {
    ran.push('first');
    clock.setTimer(HOUR_MS, () => ran.push('second'));
    clock.setTimer(9 * HOUR_MS, () => ran.push('too late'));
  });
  clock.setTimer(2 * HOUR_MS, () => ran.push('cancelled')).cancel();
  clock.advance(4 * HOUR_MS);
  expect(ran).toEqual(['first', 'second', 'third']);
  clock.advance(10 * HOUR_MS);
  expect(ran).toEqual(['first', 'second', 'third', 'too late']);
});

test('both times go forward by what the clock is advanced, and a timer sees its own time', () => {
  const clock = new TestClock();
  const wall = clock.nowMs();
  const monotonic = clock.monotonicMs();
  let atTimer = 0;
  clock.setTimer(HOUR_MS, () => (atTimer = clock.monotonicMs()));
  clock.advance(2 * HOUR_MS);
  expect(clock.nowMs() - wall).toBeGreaterThanOrEqual(2 * HOUR_MS);
  expect(clock.monotonicMs() - monotonic).toBeGreaterThanOrEqual(2 * HOUR_MS);
  expect(atTimer - monotonic).toBeGreaterThanOrEqual(HOUR_MS);
  expect(atTimer - monotonic).toBeLessThan(2 * HOUR_MS);
});

test('a timer also runs by itself, and one that was due in an advance does not run twice', async () => {
  const clock = new TestClock();
  let runs = 0;
  await new Promise<void>((resolve) => {
    // The timers of the broker do not keep a process alive; this one is waited for by a test, whose runner does.
    clock.setTimer(5, resolve);
    clock.setTimer(1, () => (runs += 1));
    clock.advance(1);
  });
  expect(runs).toBe(1);
});
