import { SimClock } from '@ottla/platform';
import { expect, it } from 'vitest';
import { TimerTable } from '../../../src/coordinator/runtime/timer-table.ts';

it('fires each key once, at the last deadline set for it', () => {
  const clock = new SimClock();
  const fired: string[] = [];
  const timers = new TimerTable<string>(clock, (command) => fired.push(`${command}@${clock.monotonicMs()}`));
  timers.schedule('moved later', 10, 'old');
  timers.schedule('moved later', 30, 'later');
  timers.schedule('moved earlier', 50, 'old');
  timers.schedule('moved earlier', 20, 'earlier');
  timers.schedule('cancelled', 15, 'never');
  timers.cancel('cancelled');
  clock.advance(100);
  expect(fired).toEqual(['earlier@20', 'later@30']);
  expect(timers.size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

it('keeps one clock timer per key however often a deadline moves later', () => {
  const clock = new SimClock();
  const timers = new TimerTable<string>(clock, () => {});
  for (let i = 0; i < 1000; i++) {
    timers.schedule('session', 100, 'expired');
    clock.advance(1);
  }
  expect(clock.pendingTimers).toBe(1);
});
