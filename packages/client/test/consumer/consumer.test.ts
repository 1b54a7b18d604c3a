import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, topic, type Consumer, type Message, type Ottla } from '../../src/index.ts';
import { useBroker } from '../test-broker.ts';
import { numbered, textRecords, writeBatches } from './produce.ts';

const broker = useBroker({ 'group.initial.rebalance.delay.ms': '0' });
let ottla: Ottla;
beforeAll(() => {
  ottla = connect({ bootstrap: broker.bootstrap, defaultApiTimeoutMs: 10_000 });
});
afterAll(() => ottla.close());

async function createTopic(name: string, partitions = 1): Promise<void> {
  await using admin = ottla.admin();
  await admin.topics.ensure(topic(name, { partitions }));
}

/** Creates a topic with `count` records in each partition. */
async function filledTopic(name: string, count: number, partitions = 1): Promise<void> {
  await createTopic(name, partitions);
  for (let partition = 0; partition < partitions; partition += 1)
    await writeBatches(broker.bootstrap, { topic: name, partition }, [
      { records: textRecords(numbered(`p${partition}`, count)) },
    ]);
}

async function take<M extends Message>(consumer: Consumer<M>, count: number): Promise<M[]> {
  const messages: M[] = [];
  for await (const message of consumer) {
    messages.push(message);
    if (messages.length === count) break;
  }
  return messages;
}

describe('reading without a group', () => {
  test('records come with key, value, headers, offset and time, in order', async () => {
    await filledTopic('plain', 3);
    await using consumer = ottla.consumer('plain', { from: 'earliest' });
    const messages = await take(consumer, 3);
    expect(messages.map((m) => m.toJSON())).toEqual(
      [0, 1, 2].map((i) => ({
        topic: 'plain',
        partition: 0,
        offset: i,
        timestamp: 1_000 + i,
        key: `k${i}`,
        value: `p0-${i}`,
        headers: [{ key: 'n', value: String(i) }],
      })),
    );
    expect(messages[1]!.header('n')).toBe('1');
    expect(messages[1]!.header('absent')).toBeNull();
  });

  test('all partitions of several topics are read, each in its order', async () => {
    await filledTopic('several-a', 20, 3);
    await filledTopic('several-b', 20);
    await using consumer = ottla.consumer(['several-a', 'several-b'], { from: 'earliest' });
    const messages = await take(consumer, 80);
    for (const name of ['several-a/0', 'several-a/1', 'several-a/2', 'several-b/0']) {
      const own = messages.filter((m) => `${m.topic}/${m.partition}` === name);
      expect(own.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    }
  });

  test('batches hold records of one partition, at most maxRecords', async () => {
    await filledTopic('batched', 25, 2);
    await using consumer = ottla.consumer('batched', { from: 'earliest' });
    const sizes: number[] = [];
    let sum = 0;
    for await (const batch of consumer.batches({ maxRecords: 10 })) {
      expect(new Set(batch.map(({ partition }) => partition)).size).toBe(1);
      sizes.push(batch.length);
      if ((sum += batch.length) === 50) break;
    }
    expect(sizes).toEqual([10, 10, 5, 10, 10, 5]);
  });

  test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)('%s is opened', async (compression) => {
    const name = `compressed-${compression}`;
    await createTopic(name);
    await writeBatches(broker.bootstrap, { topic: name, partition: 0 }, [
      { records: textRecords(numbered('a', 50)), compression },
      { records: textRecords(numbered('b', 50)) },
    ]);
    await using consumer = ottla.consumer(name, { from: 'earliest' });
    const values = (await take(consumer, 100)).map(({ value }) => value);
    expect(values).toEqual([...numbered('a', 50), ...numbered('b', 50)]);
  });

  test('the memory bound holds while a loop is slow, and everything arrives all the same', async () => {
    await createTopic('bounded', 2);
    const records = textRecords(numbered('x'.repeat(1_000), 200));
    for (const partition of [0, 1])
      await writeBatches(
        broker.bootstrap,
        { topic: 'bounded', partition },
        Array.from({ length: 10 }, () => ({ records })),
      );
    await using consumer = ottla.consumer('bounded', {
      from: 'earliest',
      maxBufferedBytes: 500_000,
      maxPartitionFetchBytes: 200_000,
    });
    let count = 0;
    let most = 0;
    for await (const _ of consumer) {
      most = Math.max(most, consumer.bufferedBytes);
      if ((count += 1) === 4_000) break;
    }
    expect(most).toBeGreaterThan(200_000);
    expect(most).toBeLessThanOrEqual(750_000);
  });
});

describe('where reading goes on', () => {
  test('seek by offset, to the ends and by time', async () => {
    await filledTopic('seek', 100);
    const place = { topic: 'seek', partition: 0 };
    await using consumer = ottla.consumer('seek', { from: 'earliest' });
    const seen: number[] = [];
    const targets = [42, { timestampMs: 1_070 }, new Date(1_099), 'beginning'] as const;
    let next = 0;
    for await (const { offset } of consumer) {
      seen.push(offset);
      if (next === targets.length) break;
      consumer.seek(place, targets[next++]!);
    }
    expect(seen).toEqual([0, 42, 70, 99, 0]);
    consumer.seek(place, 'end');
    const rest = take(consumer, 1);
    await writeBatches(broker.bootstrap, place, [{ records: textRecords(['late']) }]);
    // The end is looked up by the loop or before the write; both read the new record at last.
    expect((await rest)[0]!.value).toBe('late');
  });

  test('an offset that is not in the log goes to where from says, or is an error with none', async () => {
    await filledTopic('range', 5);
    const partitions = [{ topic: 'range', partition: 0, offset: 1_000 }];
    await using resets = ottla.consumer({ partitions }, { from: 'earliest' });
    expect((await take(resets, 1))[0]!.offset).toBe(0);
    await using strict = ottla.consumer({ partitions }, { from: 'none' });
    await expect(take(strict, 1)).rejects.toMatchObject({
      name: 'OFFSET_OUT_OF_RANGE',
      topic: 'range',
      partition: 0,
      offset: 1_000,
    });
    strict.seek(partitions[0]!, 4);
    expect((await take(strict, 1))[0]!.offset).toBe(4);
  });

  test('without a committed offset and with none the loop fails', async () => {
    await filledTopic('nothing', 1);
    await using consumer = ottla.consumer('nothing', { from: 'none', group: 'nothing' });
    await expect(take(consumer, 1)).rejects.toMatchObject({ name: 'NO_OFFSET_FOR_PARTITION', partition: 0 });
  });

  test('pause stops a partition and resume goes on with it', async () => {
    await filledTopic('paused', 10, 2);
    await using consumer = ottla.consumer('paused', { from: 'earliest' });
    const partitions: number[] = [];
    for await (const { partition } of consumer) {
      if (partitions.length === 0) consumer.pause([{ topic: 'paused', partition: 0 }]);
      partitions.push(partition);
      if (partition === 1 && partitions.filter((p) => p === 1).length === 10) consumer.resume();
      if (partitions.length === 20) break;
    }
    expect(partitions.filter((p) => p === 0)).toHaveLength(10);
    expect(partitions.slice(-9)).toEqual(Array(9).fill(0));
  });
});

describe('a group of one', () => {
  const group = (name: string) => ({ group: name, from: 'earliest', autoCommitIntervalMs: 60_000 }) as const;

  async function committed(name: string, topicName: string): Promise<number | null> {
    await using consumer = ottla.consumer(topicName, group(name));
    return (await consumer.committed([{ topic: topicName, partition: 0 }]))[0]!.offset;
  }

  test('what the loop finished is committed at close', async () => {
    const name = 'commit';
    await filledTopic(name, 10);
    {
      await using consumer = ottla.consumer(name, group(name));
      const messages = await take(consumer, 4);
      expect(messages.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
    }
    // `break` left record 3 unfinished.
    expect(await committed(name, name)).toBe(3);
    await using again = ottla.consumer(name, group(name));
    expect((await take(again, 1))[0]!.offset).toBe(3);
  });

  test('a signal ends the loop, and its last record counts', async () => {
    await filledTopic('signal', 10);
    const stop = new AbortController();
    {
      await using consumer = ottla.consumer('signal', { ...group('signal'), signal: stop.signal });
      for await (const { offset } of consumer) if (offset === 5) stop.abort();
    }
    expect(await committed('signal', 'signal')).toBe(6);
  });

  test('manual commits store what they say', async () => {
    await filledTopic('manual', 10);
    {
      await using consumer = ottla.consumer('manual', { ...group('manual'), commit: 'manual' });
      for await (const message of consumer) {
        if (message.offset === 2) await consumer.commit(message);
        if (message.offset === 4) break;
      }
    }
    expect(await committed('manual', 'manual')).toBe(3);
    await using consumer = ottla.consumer('manual', { ...group('manual'), commit: 'manual' });
    for await (const { offset } of consumer) {
      if (offset !== 7) continue;
      await consumer.commit();
      break;
    }
    expect(await committed('manual', 'manual')).toBe(8);
    await consumer.commit([{ topic: 'manual', partition: 0, offset: 1, metadata: 'back' }]);
    expect(await committed('manual', 'manual')).toBe(1);
  });

  test('each: many at once, by key in order, and only the finished part is committed', async () => {
    await createTopic('each');
    const keys = Array.from({ length: 60 }, (_, i) => `k${i % 6}`);
    await writeBatches(broker.bootstrap, { topic: 'each', partition: 0 }, [
      { records: textRecords(numbered('v', 60), keys) },
    ]);
    const order = new Map<string, number[]>();
    let running = 0;
    let most = 0;
    await using consumer = ottla.consumer('each', { ...group('each'), concurrency: 4, orderBy: 'key' });
    const failing = consumer.each(async (m) => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (m.offset === 40) throw new Error('refused');
      order.set(m.key!, [...(order.get(m.key!) ?? []), m.offset]);
    });
    await expect(failing).rejects.toThrow('refused');
    expect(most).toBe(4);
    for (const offsets of order.values()) expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    await consumer.close();
    expect(await committed('each', 'each')).toBe(40);
  });

  test('each: a handler that fails is called again, and what keeps failing goes to the dead letters', async () => {
    await filledTopic('dead', 5);
    const stop = new AbortController();
    const calls: number[] = [];
    const dead: [number, string][] = [];
    await using consumer = ottla.consumer('dead', {
      ...group('dead'),
      signal: stop.signal,
      onError: {
        retry: { attempts: 2, backoffMs: 1 },
        deadLetter: (m, error) => void dead.push([m.offset, String(error)]),
      },
    });
    await consumer.each(async (m) => {
      calls.push(m.offset);
      if (m.offset === 3) throw new Error('no');
      if (m.offset === 4) stop.abort();
    });
    expect(calls).toEqual([0, 1, 2, 3, 3, 3, 4]);
    expect(dead).toEqual([[3, 'Error: no']]);
    await consumer.close();
    expect(await committed('dead', 'dead')).toBe(5);
  });

  test('each: dead letters go to a topic as they came, with where from and why', async () => {
    await filledTopic('letters', 3);
    await createTopic('letters.dlq');
    const stop = new AbortController();
    await using consumer = ottla.consumer('letters', {
      ...group('letters'),
      signal: stop.signal,
      onError: { deadLetter: 'letters.dlq' },
    });
    await consumer.each(({ offset }) => {
      if (offset === 2) stop.abort();
      else throw new RangeError(`not ${offset}`);
    });
    await using dead = ottla.consumer('letters.dlq', { from: 'earliest' });
    const [first, second] = await take(dead, 2);
    expect([first!.key, first!.value, second!.value]).toEqual(['k0', 'p0-0', 'p0-1']);
    expect(second!.header('n')).toBe('1');
    expect(second!.header('kafka_dlt-original-topic')).toBe('letters');
    expect(second!.header('kafka_dlt-exception-fqcn')).toBe('RangeError');
    expect(second!.header('kafka_dlt-exception-message')).toBe('not 1');
    const original = second!.headers.find(({ key }) => key === 'kafka_dlt-original-offset');
    expect(original!.value!.readBigInt64BE()).toBe(1n);
    await consumer.close();
    expect(await committed('letters', 'letters')).toBe(3);
  });
});
