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
