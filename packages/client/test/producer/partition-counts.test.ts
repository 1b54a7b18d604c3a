import { expect, test } from 'vitest';
import { Producer } from '../../src/producer/producer.ts';
import { SimCluster } from './sim/sim-cluster.ts';

test('a producer that nothing fails for finds new partitions when its metadata is too old', async () => {
  const cluster = new SimCluster();
  cluster.createTopic('t', 1);
  const counts: number[] = [];
  const partitioner = ({ partitionCount }: { readonly partitionCount: number }): number => {
    counts.push(partitionCount);
    return partitionCount - 1;
  };
  const producer = new Producer(cluster, { partitioner });
  await cluster.settle(producer.send('t', { value: 'a' }));
  cluster.addPartitions('t', 3);
  for (let minute = 0; minute < 8; minute++) {
    await cluster.run(60_000);
    await cluster.settle(producer.send('t', { value: 'b' }));
  }
  expect(counts[4]).toBe(1);
  expect(counts.at(-1)).toBe(3);
});

test('a topic that was made anew with fewer partitions gets records in those that it has', async () => {
  const cluster = new SimCluster();
  cluster.createTopic('t', 8);
  const producer = new Producer(cluster);
  const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`);
  const sendAll = () =>
    cluster.settle(Promise.all(keys.map((key) => producer.send('t', { key, value: key }))));
  expect(new Set((await sendAll()).map(({ partition }) => partition)).size).toBeGreaterThan(4);
  cluster.createTopic('t', 2);
  cluster.publish();
  const startMs = cluster.clock.monotonicMs();
  const sent = await sendAll();
  expect(new Set(sent.map(({ partition }) => partition))).toEqual(new Set([0, 1]));
  expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1_000);
});

test('a partition that a topic made anew lacks is refused at once when a partitioner gives it', async () => {
  const cluster = new SimCluster();
  cluster.createTopic('t', 8);
  const producer = new Producer(cluster, { partitioner: () => 7 });
  await cluster.settle(producer.send('t', { value: 'a' }));
  cluster.createTopic('t', 2);
  cluster.publish();
  await expect(cluster.settle(producer.send('t', { value: 'b' }))).rejects.toThrow(
    'The partitioner gave partition "7" of topic "t", which has 2: give an integer from 0 to 1',
  );
});

test('a topic that is gone and does not come back is named, after maxBlockMs', async () => {
  const cluster = new SimCluster();
  cluster.createTopic('t', 1);
  const producer = new Producer(cluster, { maxBlockMs: 1_000 });
  await cluster.settle(producer.send('t', { value: 'a' }));
  cluster.brokerTopics.delete('t');
  cluster.publish();
  const startMs = cluster.clock.monotonicMs();
  await expect(cluster.settle(producer.send('t', { value: 'b' }))).rejects.toThrow(/"?t"?/);
  expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(2_000);
});
