import { describe, expect, test } from 'vitest';
import { Producer } from '../../src/producer/producer.ts';
import type { ProducerOptions } from '../../src/producer/producer-options.ts';
import { SimCluster } from './sim/sim-cluster.ts';

function setUp(options: ProducerOptions = {}) {
  const cluster = new SimCluster();
  cluster.createTopic('t', 1);
  return { cluster, producer: new Producer(cluster, options) };
}

const outcomeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: Error) => error.message,
  );

describe('flush', () => {
  test('a signal ends the wait for records that have no metadata yet', async () => {
    const { cluster, producer } = setUp();
    producer.send('missing', { value: 'x' }).catch(() => {});
    const stop = new AbortController();
    const flushed = outcomeOf(producer.flush({ signal: stop.signal }));
    await cluster.run(10);
    stop.abort(new Error('enough'));
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.settle(flushed)).toBe('enough');
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1_000);
  });

  test('sendMany: a signal ends the wait for answers', async () => {
    const { cluster, producer } = setUp();
    cluster.intercept = ({ api }) => (api === 'Produce' ? 'never' : undefined);
    const stop = new AbortController();
    const sent = outcomeOf(producer.sendMany('t', [{ value: 'x' }], { signal: stop.signal }));
    await cluster.run(100);
    stop.abort(new Error('enough'));
    const startMs = cluster.clock.monotonicMs();
    expect(await cluster.settle(sent)).toBe('enough');
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1_000);
  });

  test('it does not wait for records that came after it', async () => {
    const { cluster, producer } = setUp({ maxBlockMs: 1_000 });
    const send = (): void => void producer.send('missing', { value: 'x' }).catch(() => {});
    send();
    let isFlushed = false;
    const flushed = outcomeOf(producer.flush()).then(() => (isFlushed = true));
    // There is always a younger one that waits.
    for (let sentCount = 0; sentCount < 50 && !isFlushed; sentCount++) {
      await cluster.run(100);
      send();
    }
    expect(isFlushed).toBe(true);
    await flushed;
  });

  test('failures that were told and are looked at later hide no other', async () => {
    const { cluster, producer } = setUp({ maxBlockMs: 100 });
    const told = producer.send('missing', { value: 'x' });
    expect(await cluster.settle(outcomeOf(producer.flush()))).toContain('1 record was not sent');
    expect(await outcomeOf(told)).toContain('missing');
    const silent = producer.send('missing', { value: 'x' });
    const looked = producer.send('missing', { value: 'x' });
    await cluster.run(1_000);
    expect(await outcomeOf(looked)).toContain('missing');
    expect(await cluster.settle(outcomeOf(producer.flush()))).toContain('1 record was not sent');
    void silent;
  });

  test('the same for records that failed in a batch', async () => {
    const { cluster, producer } = setUp({ deliveryTimeoutMs: 1_000, requestTimeoutMs: 500 });
    cluster.intercept = ({ api }) => (api === 'Produce' ? 'never' : undefined);
    const told = [1, 2, 3].map(() => producer.send('t', { value: 'x' }));
    expect(await cluster.settle(outcomeOf(producer.flush()))).toContain('3 records were not sent');
    for (const each of told) expect(await outcomeOf(each)).toContain('not acknowledged');
    producer.send('t', { value: 'x' });
    producer.send('t', { value: 'x' });
    expect(await cluster.settle(outcomeOf(producer.flush()))).toContain('2 records were not sent');
  });
});

describe('close', () => {
  test('a flush that waits ends with it', async () => {
    const { cluster, producer } = setUp();
    cluster.intercept = ({ api }) => (api === 'InitProducerId' ? 'never' : undefined);
    const sent = outcomeOf(producer.send('t', { value: 'x' }));
    await cluster.run(10);
    const flushed = outcomeOf(producer.flush());
    const closed = outcomeOf(producer.close({ timeoutMs: 50 }));
    expect(await cluster.settle(Promise.all([sent, closed]))).toEqual([
      expect.stringContaining('closed'),
      'resolved',
    ]);
    expect(await cluster.settle(flushed)).toBe('resolved');
  });

  test.each([1, 2])('transactions v%i: a commit whose records it gave up is none', async (version) => {
    const { cluster, producer } = setUp({ transactionalId: 'tx' });
    cluster.transactionVersion = version;
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    cluster.intercept = ({ api }) => (api === 'Produce' ? 'never' : undefined);
    const lost = outcomeOf(transaction.send('t', { value: 'b' }));
    const committed = outcomeOf(transaction.commit());
    await cluster.run(10);
    await cluster.settle(outcomeOf(producer.close({ timeoutMs: 50 })));
    expect(await cluster.settle(lost)).toContain('closed');
    expect(await cluster.settle(committed)).toContain('closed');
    expect(cluster.requests.filter(({ api, body }) => api === 'EndTxn' && body.committed === true)).toEqual(
      [],
    );
  });
});
