import { expect, test } from 'vitest';
import { BrokerConfig } from '../../src/config/broker-config.ts';
import { GroupConfigs } from '../../src/config/group-config.ts';

/** The keys that Kafka 4.3.1 bounds when they take effect, with the least value that they take and the broker's limits (`GroupConfig.evaluate`). */
const BOUNDED = [
  ['consumer.session.timeout.ms', 1, 45_000, 60_000],
  ['consumer.heartbeat.interval.ms', 1, 5000, 15_000],
  ['consumer.assignment.interval.ms', 0, 0, 15_000],
  ['share.session.timeout.ms', 1, 45_000, 60_000],
  ['share.heartbeat.interval.ms', 1, 5000, 15_000],
  ['share.assignment.interval.ms', 0, 0, 15_000],
  ['share.record.lock.duration.ms', 1000, 15_000, 60_000],
  ['share.delivery.count.limit', 2, 2, 10],
  ['share.partition.max.record.locks', 100, 100, 4000],
  ['streams.session.timeout.ms', 1, 45_000, 60_000],
  ['streams.heartbeat.interval.ms', 1, 5000, 15_000],
  ['streams.assignment.interval.ms', 0, 0, 15_000],
  ['streams.num.standby.replicas', 0, 0, 2],
] as const;

function inForce(
  name: (typeof BOUNDED)[number][0],
  text: string,
  properties: Record<string, string> = {},
): unknown {
  const config = BrokerConfig.parse(new Map(Object.entries(properties)));
  return new GroupConfigs(
    () => config,
    () => new Map([[name, text]]),
  ).of('group')[name];
}

test.each(BOUNDED)('%s set beyond the limits counts as the limit', (name, least, min, max) => {
  expect(inForce(name, String(max))).toBe(max);
  expect(inForce(name, String(max + 1))).toBe(max);
  expect(inForce(name, String(least))).toBe(min);
});

test('the limits are those of now, not of when it was set', () => {
  const properties = { 'group.consumer.max.heartbeat.interval.ms': '10000' };
  expect(inForce('consumer.heartbeat.interval.ms', '14000', properties)).toBe(10_000);
});

test('what has no limits is as it was set', () => {
  const of = new GroupConfigs(
    () => BrokerConfig.parse(new Map()),
    () => new Map([['streams.initial.rebalance.delay.ms', '2147483647']]),
  );
  expect(of.of('group')['streams.initial.rebalance.delay.ms']).toBe(2_147_483_647);
});
