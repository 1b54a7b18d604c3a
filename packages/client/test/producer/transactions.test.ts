import { ErrorCodes, type ErrorName } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { Producer } from '../../src/producer/producer.ts';
import type { ProducerOptions } from '../../src/producer/producer-options.ts';
import { SimCluster, type SimRequest } from './sim/sim-cluster.ts';

const TIMEOUTS = { maxBlockMs: 10_000, requestTimeoutMs: 1_000, deliveryTimeoutMs: 30_000 };

function setUp(version: 1 | 2, options: ProducerOptions = {}) {
  const cluster = new SimCluster();
  cluster.transactionVersion = version;
  cluster.createTopic('t', 1);
  const producer = new Producer(cluster, { transactionalId: 'tx', ...TIMEOUTS, ...options });
  /** What the coordinator and the leaders were asked, in order. */
  const asked = (): string[] =>
    cluster.requests.map(({ api, body }) =>
      api === 'EndTxn' ? ((body as { committed: boolean }).committed ? 'commit' : 'abort') : api,
    );
  return { cluster, producer, asked };
}

/** Answers the first requests of an API as told, the later ones as the cluster does. */
function first(api: string, answers: readonly (object | 'never')[]) {
  const left = [...answers];
  return (request: SimRequest) => (request.api === api ? left.shift() : undefined);
}

const refusedProduce = (errorCode: number) => ({
  responses: [
    {
      name: 't',
      partitionResponses: [
        { index: 0, errorCode, baseOffset: -1, recordErrors: [], currentLeader: { leaderId: -1 } },
      ],
    },
  ],
  nodeEndpoints: [],
});

describe.each([1, 2] as const)('transactions v%i', (version) => {
  test('abort waits for what was sent, so that the next transaction has no gap in its numbers', async () => {
    const { cluster, producer, asked } = setUp(version);
    const doomed = await cluster.settle(producer.begin());
    await cluster.settle(doomed.send('t', { value: 'a' }));
    cluster.intercept = first('Produce', [refusedProduce(ErrorCodes.NOT_ENOUGH_REPLICAS)]);
    const retried = doomed.send('t', { value: 'b' }).catch((error: Error) => error.name);
    // It has been refused once, and waits for another attempt.
    while (asked().filter((api) => api === 'Produce').length < 2) await cluster.run(5);
    await cluster.run(30);
    await cluster.settle(doomed.abort());
    expect(await retried).toMatchObject({ offset: 1 });
    expect(asked().slice(-2)).toEqual(['Produce', 'abort']);
    const sent = producer.transaction((tx) => tx.send('t', { value: 'c' }));
    expect(await cluster.settle(sent)).toMatchObject({ offset: 2 });
  });

  test('abort drops what was never sent', async () => {
    const { cluster, producer, asked } = setUp(version, { lingerMs: 1_000 });
    const doomed = await cluster.settle(producer.begin());
    await cluster.settle(doomed.send('t', { value: 'a' }));
    const dropped = doomed.send('t', { value: 'b' }).catch((error: Error) => error.name);
    await cluster.settle(doomed.abort());
    expect(await dropped).toBe('TRANSACTION_ABORTABLE');
    expect(asked().filter((api) => api === 'Produce').length).toBe(1);
    expect(cluster.log('t').values).toEqual(['a']);
  });

  test('a commit that is not answered can be asked for again, and only that', async () => {
    const { cluster, producer, asked } = setUp(version);
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    cluster.intercept = (request) => (request.api === 'EndTxn' ? 'never' : undefined);
    await expect(cluster.settle(transaction.commit())).rejects.toMatchObject({ name: 'REQUEST_TIMED_OUT' });
    cluster.intercept = () => undefined;
    await expect(cluster.settle(transaction.abort())).rejects.toMatchObject({ name: 'INVALID_TXN_STATE' });
    await expect(cluster.settle(transaction.send('t', { value: 'b' }))).rejects.toMatchObject({
      name: 'INVALID_TXN_STATE',
    });
    await cluster.settle(transaction.commit());
    expect(asked()).not.toContain('abort');
    await cluster.settle(producer.transaction((tx) => tx.send('t', { value: 'c' })));
  });

  test.each([{ asks: 'commit' }, { asks: 'abort' }] as const)(
    'begin asks again for a $asks that was not answered',
    async ({ asks }) => {
      const { cluster, producer, asked } = setUp(version);
      cluster.intercept = (request) => (request.api === 'EndTxn' ? 'never' : undefined);
      const transaction = producer.transaction(async (tx) => {
        await tx.send('t', { value: 'a' });
        if (asks === 'abort') throw new Error('changed my mind');
      });
      await expect(cluster.settle(transaction)).rejects.toThrow();
      await expect(cluster.settle(producer.begin())).rejects.toMatchObject({ name: 'REQUEST_TIMED_OUT' });
      cluster.intercept = () => undefined;
      await cluster.settle(producer.transaction((tx) => tx.send('t', { value: 'b' })));
      const ends = asked().filter((api) => api === 'commit' || api === 'abort');
      expect(new Set(ends.slice(0, -1))).toEqual(new Set([asks]));
      expect(ends.at(-1)).toBe('commit');
    },
  );

  test('begin aborts a transaction that failed, and its handle acts on the next one no more', async () => {
    const { cluster, producer, asked } = setUp(version);
    const failed = await cluster.settle(producer.begin());
    cluster.intercept = first('Produce', [refusedProduce(ErrorCodes.INVALID_RECORD)]);
    await expect(cluster.settle(failed.send('t', { value: 'a' }))).rejects.toMatchObject({
      name: 'INVALID_RECORD',
    });
    const next = await cluster.settle(producer.begin());
    expect(asked()).toContain('abort');
    // Without v2 the producer raises its epoch itself.
    expect(asked().filter((api) => api === 'InitProducerId').length).toBe(version === 1 ? 2 : 1);
    const calls: (() => PromiseLike<unknown>)[] = [
      () => failed.send('t', { value: 'b' }),
      () => failed.commit(),
      () => failed.abort(),
    ];
    for (const call of calls)
      await expect(cluster.settle(call())).rejects.toMatchObject({ name: 'INVALID_TXN_STATE' });
    await cluster.settle(next.send('t', { value: 'c' }));
    await cluster.settle(next.commit());
    expect(cluster.log('t').values).toEqual(['c']);
  });

  test('close aborts a transaction that is open', async () => {
    const { cluster, producer, asked } = setUp(version);
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    await cluster.settle(producer.close());
    expect(asked().at(-1)).toBe('abort');
  });

  test('close waits for a commit that is under way and aborts nothing', async () => {
    const { cluster, producer, asked } = setUp(version);
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    const committed = transaction.commit();
    await cluster.run(0);
    await cluster.settle(producer.close());
    await cluster.settle(committed);
    expect(asked()).not.toContain('abort');
  });

  test.each([
    { title: 'above the limit', send: { value: 'x'.repeat(20_000) }, topic: 't' },
    { title: 'for a topic that does not come', send: { value: 'x' }, topic: 'missing' },
    { title: 'for a partition that does not come', send: { value: 'x', partition: 7 }, topic: 't' },
  ])('a record $title that nobody looks at fails the commit', async ({ send, topic }) => {
    const { cluster, producer } = setUp(version, { maxRequestSizeBytes: 10_000 });
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    transaction.send(topic, send).catch(() => {});
    const committed = transaction.commit();
    await expect(cluster.settle(committed)).rejects.toMatchObject({ retriable: false });
    await cluster.settle(transaction.abort());
  });

  test.each<{ name: ErrorName; fatal: ErrorName | null; onAbort?: boolean }>([
    { name: 'INVALID_PRODUCER_EPOCH', fatal: 'PRODUCER_FENCED' },
    { name: 'PRODUCER_FENCED', fatal: 'PRODUCER_FENCED' },
    { name: 'INVALID_TXN_STATE', fatal: 'INVALID_TXN_STATE' },
    { name: 'INVALID_PRODUCER_ID_MAPPING', fatal: 'INVALID_PRODUCER_ID_MAPPING' },
    { name: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', fatal: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' },
    { name: 'UNKNOWN_PRODUCER_ID', fatal: null },
    { name: 'TRANSACTION_ABORTABLE', fatal: null },
    { name: 'TRANSACTION_ABORTABLE', fatal: 'TRANSACTION_ABORTABLE', onAbort: true },
  ])('an end answered with $name leaves the producer as Java does', async ({ name, fatal, onAbort }) => {
    const { cluster, producer } = setUp(version);
    const transaction = await cluster.settle(producer.begin());
    await cluster.settle(transaction.send('t', { value: 'a' }));
    cluster.intercept = first('EndTxn', [{ errorCode: ErrorCodes[name], producerId: -1, producerEpoch: -1 }]);
    const ended = onAbort === true ? transaction.abort() : transaction.commit();
    await expect(cluster.settle(ended)).rejects.toMatchObject({ name: fatal ?? name });
    const again = cluster.settle(producer.transaction((tx) => tx.send('t', { value: 'b' })));
    if (fatal === null) expect(await again).toMatchObject({ offset: 1 });
    else await expect(again).rejects.toMatchObject({ name: fatal });
  });
});

test('the feature transaction.version is looked at with each transaction', async () => {
  const { cluster, producer, asked } = setUp(1);
  await cluster.settle(producer.transaction((tx) => tx.send('t', { value: 'a' })));
  cluster.transactionVersion = 2;
  await cluster.settle(producer.transaction((tx) => tx.send('t', { value: 'b' })));
  expect(asked().filter((api) => api === 'AddPartitionsToTxn').length).toBe(1);
});
