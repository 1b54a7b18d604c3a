import { describe, expect, test } from 'vitest';
import { Producer } from '../../src/producer/producer.ts';
import type { ProducerOptions } from '../../src/producer/producer-options.ts';
import { SimCluster } from './sim/sim-cluster.ts';

function setUp(options: ProducerOptions = {}, topics: Record<string, number> = { t: 1 }) {
  const cluster = new SimCluster();
  for (const [name, partitionCount] of Object.entries(topics)) cluster.createTopic(name, partitionCount);
  return { cluster, producer: new Producer(cluster, options) };
}

describe('back-pressure', () => {
  test('a record for a missing topic holds up no other topic', async () => {
    const { cluster, producer } = setUp();
    const missing = producer.send('missing', { value: 'x' });
    const missingEnd = missing.then(
      () => 'stored',
      (error: Error) => error.name,
    );
    const startMs = cluster.clock.monotonicMs();
    await expect(cluster.settle(producer.send('t', { value: 'y' }))).resolves.toMatchObject({ offset: 0 });
    expect(cluster.clock.monotonicMs() - startMs).toBeLessThan(1_000);
    expect(await cluster.settle(missingEnd)).toBe('REQUEST_TIMED_OUT');
  });

  test('a partition that is not there yet is waited for, and holds up no other', async () => {
    const { cluster, producer } = setUp();
    await cluster.settle(producer.send('t', { value: 'a' }));
    const later = producer.send('t', { value: 'b', partition: 2 });
    const never = producer.send('t', { value: 'c', partition: 9 }).catch((error: Error) => error.message);
    await cluster.settle(producer.send('t', { value: 'd' }));
    await cluster.run(1_000);
    cluster.addPartitions('t', 3);
    expect(await cluster.settle(later)).toMatchObject({ partition: 2, offset: 0 });
    expect(await cluster.settle(never)).toContain('maxBlockMs');
  });

  test('what waits is a copy: the caller may use its bytes again', async () => {
    const { cluster, producer } = setUp();
    const bytes = Buffer.from('before');
    const sent = producer.send('t', { key: bytes, value: bytes, headers: { h: bytes } });
    bytes.fill('!');
    await cluster.settle(sent);
    expect(cluster.log('t').values).toEqual(['before']);
  });

  test('a signal takes out one that waits, and those behind it go on', async () => {
    const { cluster, producer } = setUp({ bufferMemoryBytes: 20_000, batchSizeBytes: 10_000 });
    await cluster.settle(producer.send('t', { value: 'a' }));
    const stop = new AbortController();
    const value = 'x'.repeat(9_000);
    const sent = Array.from({ length: 6 }, (_, index) =>
      producer.send('t', { value }, index === 3 ? { signal: stop.signal } : {}).then(
        () => 'stored',
        (error: Error) => error.message,
      ),
    );
    stop.abort(new Error('enough'));
    expect(await cluster.settle(Promise.all(sent))).toEqual(
      'stored stored stored enough stored stored'.split(' '),
    );
  });

  test.each([
    { limit: 'maxRequestSizeBytes', options: { maxRequestSizeBytes: 1_000 } },
    { limit: 'bufferMemoryBytes', options: { bufferMemoryBytes: 1_000, batchSizeBytes: 100 } },
  ])('a record above $limit is refused at once', async ({ limit, options }) => {
    const { cluster, producer } = setUp(options);
    await cluster.settle(producer.send('t', { value: 'fits' }));
    const startMs = cluster.clock.monotonicMs();
    const sent = producer.send('t', { value: 'x'.repeat(1_000) });
    await expect(cluster.settle(sent)).rejects.toMatchObject({
      name: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining(limit) as string,
    });
    expect(cluster.clock.monotonicMs()).toBe(startMs);
    await cluster.settle(producer.send('t', { value: 'x'.repeat(900) }));
  });

  test('a flush hurries what was sent before it, and what comes after it lingers again', async () => {
    const { cluster, producer } = setUp({ lingerMs: 100 });
    let count = 0;
    const batches: number[] = [];
    cluster.intercept = ({ api }) => {
      if (api === 'Produce') batches.push(cluster.clock.monotonicMs());
      return undefined;
    };
    await cluster.settle(producer.send('t', { value: 'first' }));
    void producer.send('t', { value: 'hurried' });
    const flushed = producer.flush();
    // From now on there is always a record under way.
    const sending: Promise<unknown>[] = [];
    for (; count < 100; count++) {
      sending.push(producer.send('t', { value: `${count}` }).catch(() => {}));
      await cluster.run(10);
    }
    await cluster.settle(flushed);
    await cluster.settle(Promise.all(sending));
    // 1,000 ms with a linger of 100 ms: a batch every 100 ms or so, not one for each record.
    expect(batches.length).toBeLessThan(20);
  });

  test('the wait for room ends with the first batch that is answered, and hurries no later ones', async () => {
    const { cluster, producer } = setUp({
      bufferMemoryBytes: 40_000,
      batchSizeBytes: 10_000,
      lingerMs: 1_000,
    });
    const value = 'x'.repeat(3_000);
    const all = Array.from({ length: 40 }, () => producer.send('t', { value }));
    await cluster.settle(Promise.all(all));
    const startMs = cluster.clock.monotonicMs();
    await cluster.settle(producer.send('t', { value }));
    expect(cluster.clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(1_000);
    expect(producer.bufferedBytes).toBe(0);
  });

  test.each([
    { what: 'metadata', known: [], topic: 'missing' },
    { what: 'room', known: ['a'], topic: 't' },
  ])(
    'records that wait for $what take no more than eight times the memory of the buffer',
    async ({ known, topic }) => {
      const { cluster, producer } = setUp({ bufferMemoryBytes: 20_000, maxBlockMs: 1_000 });
      for (const value of known) await cluster.settle(producer.send(topic, { value }));
      const value = 'x'.repeat(1_000);
      const sent = Array.from({ length: 1_000 }, () =>
        producer.send(topic, { value }).then(
          () => 'stored',
          (error: Error) => `${error.name}: ${error.message}`,
        ),
      );
      const outcomes = await cluster.settle(Promise.all(sent));
      const refused = outcomes.filter((outcome) => outcome.startsWith('BUFFER_EXHAUSTED'));
      expect(1_000 - refused.length).toBeGreaterThan(130);
      expect(1_000 - refused.length).toBeLessThan(170);
      expect(refused[0]).toMatch(/"20000".*sendMany.*room\(\).*raise bufferMemoryBytes/);
      expect(producer.bufferedBytes).toBe(0);
    },
  );

  test('sendMany sends more than there is room for, without an error', async () => {
    const { cluster, producer } = setUp({ bufferMemoryBytes: 20_000, batchSizeBytes: 10_000 });
    const value = 'x'.repeat(1_000);
    const sent = producer.sendMany(
      't',
      Array.from({ length: 1_000 }, () => ({ value })),
    );
    expect(await cluster.settle(sent)).toEqual({ count: 1_000 });
    expect(cluster.log('t').values.length).toBe(1_000);
  });

  test('a refusal that nobody awaits is told by flush, and is no unhandled rejection', async () => {
    const { cluster, producer } = setUp({ maxRequestSizeBytes: 1_000 });
    producer.send('t', { value: 'x'.repeat(2_000) });
    await cluster.run(10);
    await expect(cluster.settle(producer.flush())).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' });
  });

  test('a transaction is not committed without a record that was refused', async () => {
    const { cluster, producer } = setUp({ transactionalId: 'tx', maxRequestSizeBytes: 1_000 });
    const transaction = await cluster.settle(producer.begin());
    transaction.send('t', { value: 'x'.repeat(2_000) });
    await expect(cluster.settle(transaction.commit())).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' });
  });
});
