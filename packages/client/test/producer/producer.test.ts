import { describe, expect, test } from 'vitest';
import { connect, serde, topic, type Ottla, type Topic } from '../../src/index.ts';
import { useBroker } from '../test-broker.ts';

const broker = useBroker({ 'num.partitions': '3' });
let count = 0;
const fresh = (prefix = 'topic'): string => `${prefix}-${(count += 1)}`;

/** Everything in a topic, in order of partition and offset. */
async function readAll<K, V>(ottla: Ottla, source: Topic<K, V>, options: { committedOnly?: boolean } = {}) {
  await using admin = ottla.admin();
  const ends = await admin.offsets.list(source, 'latest');
  const left = new Map(ends.map((end) => [end.partition, end.error === null ? end.offset : 0]));
  const found: { partition: number; offset: number; key: K; value: V; headers: unknown[] }[] = [];
  const isolationLevel = options.committedOnly === true ? 'read_committed' : 'read_uncommitted';
  await using consumer = ottla.consumer(source, { from: 'earliest', isolationLevel });
  const isDone = (): boolean =>
    [...left].every(([partition, end]) => end === 0 || (positions.get(partition) ?? 0) >= end);
  const positions = new Map<number, number>();
  const loop = (async () => {
    for await (const m of consumer) {
      positions.set(m.partition, m.offset + 1);
      const headers = m.headers.map(({ key, value }) => [key, value?.toString() ?? null]);
      found.push({ partition: m.partition, offset: m.offset, key: m.key as K, value: m.value as V, headers });
    }
  })();
  for (let look = 0; look < 200 && !isDone(); look++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    for (const { partition } of ends) {
      try {
        const position = consumer.position({ topic: source.name, partition });
        if (position !== null) positions.set(partition, Math.max(position, positions.get(partition) ?? 0));
      } catch {
        // Not assigned yet.
      }
    }
  }
  await consumer.close();
  await loop;
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

describe('a producer', () => {
  test('stores records with keys, values, headers and timestamps, and says where', async () => {
    await using ottla = connect(broker.bootstrap);
    await using producer = ottla.producer({ lingerMs: 0 });
    const orders = topic(fresh(), { key: serde.string, value: serde.json<{ total: number }>() });
    const sent = await producer.send(orders, {
      key: 'c-17',
      value: { total: 12.5 },
      headers: { source: 'web', empty: null },
      timestamp: 1_700_000_000_123,
    });
    // The official client puts this key into partition 2 of 3.
    expect(sent).toEqual({
      topic: orders.name,
      partition: sent.partition,
      offset: 0,
      timestamp: 1_700_000_000_123,
    });
    expect(await readAll(ottla, orders)).toEqual([
      {
        partition: sent.partition,
        offset: 0,
        key: 'c-17',
        value: { total: 12.5 },
        headers: [
          ['source', 'web'],
          ['empty', null],
        ],
      },
    ]);
  });

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'sends many records in batches (%s) and keeps their order',
    async (compression) => {
      await using ottla = connect(broker.bootstrap);
      await using producer = ottla.producer({ compression, batchSizeBytes: 4_000 });
      const texts = topic(fresh());
      const promises = Array.from({ length: 5_000 }, (_, index) =>
        producer.send(texts, { key: `k${index % 10}`, value: `value ${index}` }),
      );
      const places = await Promise.all(promises);
      expect(new Set(places.map(({ partition, offset }) => `${partition}/${offset}`)).size).toBe(5_000);
      const stored = await readAll(ottla, texts);
      expect(stored.length).toBe(5_000);
      for (const key of ['k0', 'k7']) {
        const numbers = stored
          .filter((each) => each.key === key)
          .map(({ value }) => Number(value.split(' ')[1]));
        expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      }
    },
  );

  test('waits for room in a small buffer instead of growing', async () => {
    await using ottla = connect(broker.bootstrap);
    await using producer = ottla.producer({ bufferMemoryBytes: 64_000, batchSizeBytes: 8_000 });
    const texts = topic(fresh());
    let most = 0;
    const value = 'x'.repeat(500);
    const promises = Array.from({ length: 700 }, async () => {
      await producer.send(texts, { value });
      most = Math.max(most, producer.bufferedBytes);
    });
    await Promise.all(promises);
    expect(most).toBeLessThanOrEqual(64_000);
    expect((await readAll(ottla, texts)).length).toBe(700);
  });

  test('flush tells of failures that nobody awaited, once', async () => {
    await using ottla = connect(broker.bootstrap);
    const name = fresh();
    await ottla.admin().topics.create({ name, configs: { 'max.message.bytes': '100' } });
    const producer = ottla.producer({ maxRequestSizeBytes: 10_000_000 });
    void producer.send(name, { value: 'x'.repeat(5_000) });
    await expect(producer.flush()).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' });
    await producer.flush();
    await producer.close();
  });

  test('splits a batch that is too large for the topic', async () => {
    await using ottla = connect(broker.bootstrap);
    const texts = topic(fresh());
    await ottla
      .admin()
      .topics.create({ name: texts.name, partitions: 1, configs: { 'max.message.bytes': '3000' } });
    await using producer = ottla.producer({ batchSizeBytes: 16_000, lingerMs: 50 });
    const places = await Promise.all(
      Array.from({ length: 50 }, (_, index) => producer.send(texts, { value: `${index}`.padEnd(200, '.') })),
    );
    expect(places.map(({ offset }) => offset)).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test.each([
    {
      title: 'a partition that does not exist',
      record: { value: 'x', partition: 99 },
      name: 'REQUEST_TIMED_OUT',
    },
    { title: 'a value of no form', record: { value: 5 as unknown as string }, name: 'INVALID_OPTION' },
    { title: 'a timestamp of no meaning', record: { value: 'x', timestamp: -5 }, name: 'INVALID_OPTION' },
  ])('refuses $title', async ({ record, name }) => {
    await using ottla = connect(broker.bootstrap);
    await using producer = ottla.producer({ maxBlockMs: 500 });
    await expect(producer.send(fresh(), record)).rejects.toMatchObject({ name });
  });

  test('acks 0 and 1, without idempotence', async () => {
    await using ottla = connect(broker.bootstrap);
    for (const acks of [0, 1] as const) {
      await using producer = ottla.producer({ acks });
      const texts = topic(fresh());
      const { offset } = await producer.send(texts, { value: 'x' });
      expect(offset).toBe(acks === 0 ? -1 : 0);
      await producer.flush();
      expect((await readAll(ottla, texts)).length).toBe(1);
    }
  });

  test('a signal ends the wait for a topic that does not come', async () => {
    await using ottla = connect(broker.bootstrap);
    await using producer = ottla.producer({ allowAutoTopicCreation: false });
    const stop = new AbortController();
    const sent = producer.send(fresh('absent'), { value: 'x' }, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(sent).rejects.toThrow('enough');
  });

  test('after close nothing can be sent', async () => {
    await using ottla = connect(broker.bootstrap);
    const producer = ottla.producer();
    await producer.close();
    await producer.close();
    await expect(producer.send('x', { value: 'x' })).rejects.toMatchObject({ name: 'CLIENT_CLOSED' });
  });
});

describe('transactions', () => {
  test('what is committed is read, what is aborted is not', async () => {
    await using ottla = connect(broker.bootstrap);
    const texts = topic(fresh());
    await using producer = ottla.producer({ transactionalId: fresh('tx') });
    await producer.transaction(async (tx) => {
      await tx.send(texts, { key: 'a', value: '1' });
      void tx.send(texts, { key: 'b', value: '1' });
    });
    await expect(
      producer.transaction(async (tx) => {
        await tx.send(texts, { key: 'a', value: '2' });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await producer.transaction((tx) => tx.send(texts, { key: 'a', value: '3' }));
    const values = (await readAll(ottla, texts, { committedOnly: true })).map(
      ({ key, value }) => `${key}=${value}`,
    );
    expect(values.toSorted()).toEqual(['a=1', 'a=3', 'b=1']);
  });

  test('offsets are committed with the records, or not at all', async () => {
    await using ottla = connect(broker.bootstrap);
    const [texts, group] = [topic(fresh()), fresh('group')];
    await ottla.admin().topics.ensure(texts);
    await using producer = ottla.producer({ transactionalId: fresh('tx') });
    const place = { topic: texts.name, partition: 0 };
    await producer.transaction((tx) => tx.sendOffsets([{ ...place, offset: 5 }], group));
    const aborted = await producer.begin();
    await aborted.sendOffsets([{ ...place, offset: 9 }], group);
    await aborted.abort();
    const committed = await ottla.admin().groups.offsets(group, { requireStable: true });
    expect(committed).toMatchObject([{ ...place, offset: 5 }]);
  });

  test.each(['classic', 'consumer'] as const)(
    'a member of a group (%s) commits what it has read with what it makes of it; who is none is refused',
    async (groupProtocol) => {
      await using ottla = connect(broker.bootstrap);
      const [source, target, group] = [topic(fresh()), topic(fresh()), fresh('group')];
      await ottla.admin().topics.ensure(source);
      await using filler = ottla.producer();
      await filler.send(source, { key: 'k', value: 'read' });
      await using producer = ottla.producer({ transactionalId: fresh('tx') });
      await using consumer = ottla.consumer(source, {
        group,
        groupProtocol,
        from: 'earliest',
        commit: 'manual',
      });
      const next = await (async () => {
        for await (const { partition, offset } of consumer)
          return { topic: source.name, partition, offset: offset + 1 };
        throw new Error('The loop ended without a record');
      })();
      const member = consumer.groupMetadata;
      expect(member.memberId).not.toBe('');
      await producer.transaction(async (tx) => {
        void tx.send(target, { key: 'k', value: 'made' });
        await tx.sendOffsets([next], member);
      });
      expect(await ottla.admin().groups.offsets(group, { requireStable: true })).toMatchObject([next]);
      const stranger = { ...member, generationId: member.generationId + 7 };
      await expect(producer.transaction((tx) => tx.sendOffsets([next], stranger))).rejects.toMatchObject({
        name: groupProtocol === 'classic' ? 'ILLEGAL_GENERATION' : /MEMBER_EPOCH/,
      });
    },
  );

  test('a second producer of the same id fences the first', async () => {
    await using ottla = connect(broker.bootstrap);
    const [texts, transactionalId] = [topic(fresh()), fresh('tx')];
    const first = ottla.producer({ transactionalId });
    const open = await first.begin();
    await open.send(texts, { value: 'lost' });
    await using second = ottla.producer({ transactionalId });
    await second.transaction((tx) => tx.send(texts, { value: 'kept' }));
    await expect(open.commit()).rejects.toMatchObject({ name: /PRODUCER_FENCED|INVALID_PRODUCER_EPOCH/ });
    await first.close().catch(() => {});
    expect((await readAll(ottla, texts, { committedOnly: true })).map(({ value }) => value)).toEqual([
      'kept',
    ]);
  });

  test('outside of a transaction a transactional producer sends nothing', async () => {
    await using ottla = connect(broker.bootstrap);
    await using producer = ottla.producer({ transactionalId: fresh('tx') });
    await expect(producer.send(fresh(), { value: 'x' })).rejects.toMatchObject({ name: 'INVALID_TXN_STATE' });
    await expect(ottla.producer().begin()).rejects.toMatchObject({ name: 'INVALID_OPTION' });
  });
});
