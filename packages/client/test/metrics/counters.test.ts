import { expect, test } from 'vitest';
import { GroupCounters } from '../../src/metrics/group-counters.ts';
import { IdleCounter } from '../../src/metrics/idle-counter.ts';
import { Timing } from '../../src/metrics/timing.ts';

test('a timing tells the average and the greatest, and nothing before the first', () => {
  const timing = new Timing();
  expect([timing.count, timing.avg, timing.max]).toEqual([0, null, null]);
  for (const ms of [4, 10, 1]) timing.add(ms);
  expect([timing.count, timing.total, timing.avg, timing.max]).toEqual([3, 15, 5, 10]);
});

test('an application that waits a quarter of its life has a ratio of a quarter', () => {
  const idle = new IdleCounter();
  expect(idle.ratio(50)).toBeNull();
  idle.begin(100);
  idle.begin(500);
  expect(idle.ratio(100)).toBeNull();
  idle.waits(200);
  expect(idle.ratio(300)).toBe(0.5);
  idle.goesOn(300);
  idle.goesOn(400);
  expect(idle.ratio(500)).toBe(0.25);
});

test('a rebalance lasts from its first sign until the assignment is taken over', () => {
  const counters = new GroupCounters();
  counters.rebalanceEnded(5);
  counters.rebalanceBegan(10);
  counters.rebalanceBegan(15);
  counters.rebalanceEnded(40);
  counters.rebalanceEnded(45);
  counters.rebalanceBegan(100);
  counters.rebalanceEnded(110);
  expect(counters.metrics(2_110, 3)).toMatchObject({
    assignedPartitions: 3,
    rebalanceTotal: 2,
    rebalanceLatencyTotal: 40,
    rebalanceLatencyAvg: 20,
    rebalanceLatencyMax: 30,
    lastRebalanceSecondsAgo: 2,
    lastHeartbeatSecondsAgo: null,
  });
});
