import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { Consumer } from '../../src/consumer/consumer.ts';
import { connect } from '../../src/index.ts';
import { apis } from '../../src/network/apis.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { ShareConsumer } from '../../src/share/share-consumer.ts';
import { useBroker } from '../test-broker.ts';
import { textRecords, writeBatches } from './produce.ts';

const broker = useBroker({ 'group.initial.rebalance.delay.ms': '0' });

/** A cluster of its own with one filled topic. */
async function withCluster(use: (cluster: Cluster) => Promise<void>): Promise<void> {
  const cluster = new Cluster(resolveOptions({ bootstrap: broker.bootstrap }));
  await cluster.request('controller', apis.createTopics, {
    topics: [{ name: 'closing', numPartitions: 2, replicationFactor: 1 }],
    timeoutMs: 5_000,
  });
  await writeBatches(broker.bootstrap, { topic: 'closing', partition: 0 }, [
    { records: textRecords(['a', 'b']) },
  ]);
  try {
    await use(cluster);
    // What a consumer had for itself is gone; the connection that all share may stay.
    expect(cluster.connectionCount).toBe(1);
  } finally {
    cluster.close();
  }
}

const HOUR_MS = 3_600_000;

test.each(['classic', 'consumer'] as const)(
  'protocol %s: a consumer closes its connections, whatever it was doing',
  (groupProtocol) =>
    withCluster(async (cluster) => {
      const options = { group: `closing-${groupProtocol}`, groupProtocol, from: 'earliest' } as const;
      const idle = new Consumer(cluster, { source: 'closing', options });
      await idle.close();
      const joining = new Consumer(cluster, { source: 'closing', options });
      joining.start();
      await joining.close();
      const reading = new Consumer(cluster, { source: 'closing', options });
      for await (const _ of reading) break;
      await reading.close();
      const waiting = new Consumer(cluster, { source: 'closing', options: { ...options, from: 'latest' } });
      const loop = (async () => {
        for await (const _ of waiting);
      })();
      await Promise.all([waiting.close(), loop]);
      expect(() => waiting.start()).toThrow('closed');
    }),
);

test('a share consumer closes its connections, whatever it was doing', () =>
  withCluster(async (cluster) => {
    const options = { group: 'closing-share', fetchMaxWaitMs: 50 };
    const idle = new ShareConsumer(cluster, { source: 'closing', options });
    expect(await idle.close()).toEqual([]);
    const joining = new ShareConsumer(cluster, { source: 'closing', options });
    const loop = (async () => {
      for await (const _ of joining);
    })();
    await Promise.all([joining.close(), loop]);
  }));

test.each(['classic', 'consumer'] as const)(
  'protocol %s: a coordinator that does not answer is not waited for longer than any request, as in Java',
  async (groupProtocol) => {
    await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a', 'b'] } });
    // Only the timeout of requests can end the close before the test's own.
    await using ottla = connect({
      bootstrap: kafka.bootstrap,
      requestTimeoutMs: 500,
      defaultApiTimeoutMs: HOUR_MS,
    });
    const consumer = ottla.consumer('t', { group: 'g', groupProtocol, from: 'earliest' });
    let seen = 0;
    for await (const _ of consumer) if ((seen += 1) === 2) break;
    for (const api of ['OffsetCommit', 'LeaveGroup', 'ConsumerGroupHeartbeat'] as const)
      kafka.faults.delay(api, HOUR_MS, { times: 1_000 });
    await expect(consumer.close({ timeoutMs: HOUR_MS })).resolves.toBeUndefined();
  },
);
