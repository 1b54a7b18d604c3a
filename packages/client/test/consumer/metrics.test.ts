import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type ConsumerOptions, type Ottla } from '../../src/index.ts';

let kafka: TestBroker;
let ottla: Ottla;
beforeAll(async () => {
  kafka = await startBroker({
    // A share group gives partitions with the second heartbeat.
    properties: {
      'group.share.min.heartbeat.interval.ms': '50',
      'group.share.heartbeat.interval.ms': '50',
    },
  });
  ottla = connect({ bootstrap: kafka.bootstrap, clock: kafka.clock });
});
afterAll(async () => {
  await ottla.close();
  await kafka.close();
});

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

test('a consumer that has not begun has nothing to tell', () => {
  const consumer = ottla.consumer('metrics-none', { group: 'metrics-none' });
  expect(consumer.metrics()).toEqual({
    recordsConsumedTotal: 0,
    bytesConsumedTotal: 0,
    fetchTotal: 0,
    fetchLatencyAvg: null,
    fetchLatencyMax: null,
    fetchSizeAvg: null,
    fetchSizeMax: null,
    recordsPerRequestAvg: null,
    fetchThrottleTimeAvg: null,
    fetchThrottleTimeMax: null,
    assignedPartitions: 0,
    heartbeatTotal: 0,
    heartbeatResponseTimeMax: null,
    lastHeartbeatSecondsAgo: null,
    rebalanceTotal: 0,
    rebalanceLatencyTotal: 0,
    rebalanceLatencyAvg: null,
    rebalanceLatencyMax: null,
    lastRebalanceSecondsAgo: null,
    failedRebalanceTotal: 0,
    joinTotal: 0,
    joinTimeAvg: null,
    joinTimeMax: null,
    syncTotal: 0,
    syncTimeAvg: null,
    syncTimeMax: null,
    recordsLagMax: null,
    recordsLeadMin: null,
    partitions: [],
    commitTotal: 0,
    commitLatencyAvg: null,
    commitLatencyMax: null,
    pollIdleRatioAvg: null,
  });
});

test('records, bytes, lag and lead are those of what was handed out', async () => {
  await kafka.createTopic('metrics-a', 2);
  await kafka.produce('metrics-a', [
    ...Array.from({ length: 10 }, (_, n) => ({ value: `value-${n}`, partition: 0 })),
    { value: 'only', partition: 1 },
  ]);
  await using consumer = ottla.consumer(
    { partitions: [{ topic: 'metrics-a', partition: 0, offset: 0 }] },
    {},
  );
  let count = 0;
  for await (const _message of consumer) {
    count += 1;
    if (count === 4) break;
  }
  const metrics = consumer.metrics();
  expect(metrics).toMatchObject({ recordsConsumedTotal: 4, assignedPartitions: 1, heartbeatTotal: 0 });
  // The loop was left in the fourth, which comes again.
  expect(metrics.partitions).toEqual([
    { topic: 'metrics-a', partition: 0, recordsLag: 7, recordsLead: 3, preferredReadReplica: -1 },
  ]);
  expect(metrics).toMatchObject({ recordsLagMax: 7, recordsLeadMin: 3 });
  expect(metrics.bytesConsumedTotal).toBe(metrics.fetchSizeMax);
  expect(metrics.bytesConsumedTotal).toBeGreaterThan(10 * 'value-0'.length);
  expect(metrics.fetchTotal).toBeGreaterThanOrEqual(1);
  expect(metrics.recordsPerRequestAvg).toBe(4 / metrics.fetchTotal);
});

const protocols: readonly (readonly [string, ConsumerOptions])[] = [
  ['classic', { heartbeatIntervalMs: 1_000 }],
  ['consumer', { groupProtocol: 'consumer' }],
];

describe.each(protocols)('a member with protocol %s', (protocol, options) => {
  test('counts heartbeats, rebalances with their callbacks, and commits', async () => {
    const name = `metrics-${protocol}`;
    await kafka.createTopic(name, 3);
    await kafka.produce(name, ['a', 'b', 'c']);
    await using consumer = ottla.consumer(name, {
      group: name,
      from: 'earliest',
      // A callback that takes two seconds of the client's time.
      onAssigned: () => kafka.clock.advance(2_000),
      ...options,
    });
    let count = 0;
    for await (const _message of consumer) if (++count === 3) break;
    await consumer.commit();
    const first = consumer.metrics();
    expect(first).toMatchObject({ assignedPartitions: 3, rebalanceTotal: 1, commitTotal: 1 });
    expect(first.rebalanceLatencyMax).toBeGreaterThanOrEqual(2_000);
    expect(first.rebalanceLatencyTotal).toBe(first.rebalanceLatencyMax);
    expect(first.commitLatencyAvg).toBe(first.commitLatencyMax);
    expect(first.joinTotal).toBe(protocol === 'classic' ? 1 : 0);
    expect(first.syncTotal).toBe(protocol === 'classic' ? 1 : 0);
    expect(first.failedRebalanceTotal).toBe(0);
    const { heartbeatTotal } = first;
    kafka.clock.advance(7_000);
    await until(() => consumer.metrics().heartbeatTotal > heartbeatTotal);
    await until(() => (consumer.metrics().heartbeatResponseTimeMax ?? -1) >= 0);
    const later = consumer.metrics();
    expect(later.lastRebalanceSecondsAgo! - first.lastRebalanceSecondsAgo!).toBeGreaterThanOrEqual(7);
    expect(later.lastHeartbeatSecondsAgo).toBeLessThan(later.lastRebalanceSecondsAgo!);
  });
});

test('a rebalance that is refused is counted', async () => {
  await kafka.createTopic('metrics-f');
  kafka.faults.fail('SyncGroup', 'REBALANCE_IN_PROGRESS');
  await using consumer = ottla.consumer('metrics-f', { group: 'metrics-f' });
  consumer.start();
  await until(() => consumer.metrics().rebalanceTotal === 1);
  expect(consumer.metrics()).toMatchObject({ failedRebalanceTotal: 1, joinTotal: 2, syncTotal: 1 });
});

test('the share of time that a loop waits is between none and all', async () => {
  await kafka.createTopic('metrics-i');
  await kafka.produce('metrics-i', ['a']);
  await using consumer = ottla.consumer('metrics-i', { from: 'earliest' });
  for await (const _message of consumer) {
    kafka.clock.advance(10_000);
    break;
  }
  const ratio = consumer.metrics().pollIdleRatioAvg!;
  expect(ratio).toBeGreaterThan(0);
  expect(ratio).toBeLessThan(1);
});

test('a share consumer counts what it was given and what it acknowledged', async () => {
  await kafka.createTopic('metrics-s');
  await using admin = ottla.admin();
  await admin.configs.alter({ type: 'group', name: 'metrics-s' }, { 'share.auto.offset.reset': 'earliest' });
  await kafka.produce('metrics-s', ['a', 'b', 'c']);
  const consumer = ottla.shareConsumer('metrics-s', { group: 'metrics-s' });
  let count = 0;
  for await (const _message of consumer) if (++count === 3) break;
  await consumer.commit();
  const metrics = consumer.metrics();
  expect(metrics).toMatchObject({
    recordsConsumedTotal: 3,
    acknowledgementsSendTotal: 3,
    acknowledgementsErrorTotal: 0,
    assignedPartitions: 1,
  });
  expect(metrics.rebalanceTotal).toBeGreaterThanOrEqual(1);
  expect(metrics.bytesConsumedTotal).toBe(metrics.fetchSizeMax);
  expect(metrics.heartbeatTotal).toBeGreaterThanOrEqual(1);
  expect(metrics.pollIdleRatioAvg).toBeGreaterThan(0);
  await consumer.close();
});
