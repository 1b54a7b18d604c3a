import { NodeClock } from '@ottla/platform';
import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { connect } from '../../src/index.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { Producer } from '../../src/producer/producer.ts';

/** The real time, and what it is put forward by. */
class ForwardClock extends NodeClock {
  forwardMs = 0;

  override monotonicMs(): number {
    return super.monotonicMs() + this.forwardMs;
  }
}

test('a topic that nothing was sent to for metadata.max.idle.ms is no longer asked for', async () => {
  await using kafka = await startBroker({ topics: { idle: 1, busy: 1 } });
  const clock = new ForwardClock({ timersKeepProcessAlive: true });
  const cluster = new Cluster(resolveOptions({ bootstrap: kafka.bootstrap, clock }));
  await using producer = new Producer(cluster, { lingerMs: 0 });
  await producer.send('idle', { value: 'a' });
  await producer.send('busy', { value: 'a' });
  clock.forwardMs = 301_000;
  await producer.send('busy', { value: 'b' });
  await using ottla = connect(kafka.bootstrap);
  await ottla.admin().topics.delete(['idle', 'busy']);
  await cluster.refreshMetadata();
  // What is not asked for stays as it was.
  expect([...cluster.metadata.topics.keys()]).toEqual(['idle']);
  cluster.close();
});

test('a partition that such a topic has got meanwhile is found when a record wants it', async () => {
  await using kafka = await startBroker({ topics: { idle: 1 } });
  const clock = new ForwardClock({ timersKeepProcessAlive: true });
  const cluster = new Cluster(resolveOptions({ bootstrap: kafka.bootstrap, clock }));
  await using producer = new Producer(cluster, { lingerMs: 0, maxBlockMs: 3_000 });
  await producer.send('idle', { value: 'a' });
  await using ottla = connect(kafka.bootstrap);
  await ottla.admin().topics.createPartitions({ idle: 3 });
  clock.forwardMs = 301_000;
  expect(await producer.send('idle', { value: 'b', partition: 2 })).toMatchObject({
    partition: 2,
    offset: 0,
  });
  await producer.close();
  cluster.close();
});

test('a topic that was deleted is made anew for the next record, as by the Java producer', async () => {
  await using kafka = await startBroker({ topics: { gone: 1 } });
  const cluster = new Cluster(resolveOptions({ bootstrap: kafka.bootstrap }));
  const options = { lingerMs: 0, maxBlockMs: 3_000, deliveryTimeoutMs: 3_000, requestTimeoutMs: 1_000 };
  await using producer = new Producer(cluster, options);
  await producer.send('gone', { value: 'a' });
  await using ottla = connect(kafka.bootstrap);
  await ottla.admin().topics.delete(['gone']);
  await cluster.refreshMetadata();
  expect(await producer.send('gone', { value: 'b' })).toMatchObject({ topic: 'gone', offset: 0 });
  await producer.close();
  cluster.close();
});
