import { startBroker } from '@ottla/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, OptionError, topic, type Admin, type Ottla, type ShareMessage } from '../../src/index.ts';
import { numbered, textRecords, writeBatches } from '../consumer/produce.ts';
import { useBroker } from '../test-broker.ts';

const broker = useBroker({
  'group.share.min.heartbeat.interval.ms': '50',
  'group.share.heartbeat.interval.ms': '50',
});
let ottla: Ottla;
let admin: Admin;
beforeAll(() => {
  ottla = connect({ bootstrap: broker.bootstrap, defaultApiTimeoutMs: 10_000 });
  admin = ottla.admin();
});
afterAll(() => ottla.close());

/** A topic with records, and a share group of the same name that begins at its beginning. */
async function filled(name: string, count: number, partitions = 1): Promise<void> {
  await admin.topics.ensure(topic(name, { partitions }));
  await admin.configs.alter({ type: 'group', name }, { 'share.auto.offset.reset': 'earliest' });
  for (let partition = 0; partition < partitions; partition += 1)
    await writeBatches(broker.bootstrap, { topic: name, partition }, [
      { records: textRecords(numbered(`p${partition}`, count)) },
    ]);
}

describe('a share consumer', () => {
  test('gets every record of all partitions once, and what the loop finished stays finished', async () => {
    await filled('all', 50, 3);
    const values = new Set<string>();
    {
      await using consumer = ottla.shareConsumer('all', { group: 'all', maxRecords: 7 });
      for await (const { value } of consumer) if (values.add(value).size === 150) break;
    }
    await writeBatches(broker.bootstrap, { topic: 'all', partition: 0 }, [{ records: textRecords(['new']) }]);
    await using again = ottla.shareConsumer('all', { group: 'all' });
    const rest: [string, number][] = [];
    for await (const { value, deliveryCount } of again) if (rest.push([value, deliveryCount]) === 2) break;
    // `break` released the last one.
    expect(rest.map(([, deliveryCount]) => deliveryCount).toSorted()).toEqual([1, 2]);
    expect(rest.map(([value]) => value)).toContain('new');
  });

  test('an error in the loop releases its record; explicit acknowledgements may come late', async () => {
    await filled('late', 3);
    {
      await using consumer = ottla.shareConsumer('late', { group: 'late' });
      const failing = (async () => {
        for await (const { value } of consumer) throw new Error(value);
      })();
      await expect(failing).rejects.toThrow('p0-0');
    }
    await using consumer = ottla.shareConsumer('late', { group: 'late', acknowledgement: 'explicit' });
    const held: ShareMessage[] = [];
    for await (const message of consumer) if (held.push(message) === 3) break;
    expect(held.map(({ deliveryCount }) => deliveryCount)).toEqual([2, 2, 2]);
    for (const message of held) message.accept();
    expect(held.some(({ isAcquired }) => isAcquired)).toBe(false);
    const results = await consumer.commit();
    expect(results).toEqual([{ topic: 'late', partition: 0, offsets: [0, 1, 2], error: null }]);
    expect(() => held[0]!.release()).toThrow('cannot be acknowledged');
  });

  test('commit sends what was acknowledged although a loop waits for more records all the time', async () => {
    await filled('waiting', 1);
    await using consumer = ottla.shareConsumer('waiting', {
      group: 'waiting',
      acknowledgement: 'explicit',
      fetchMaxWaitMs: 50,
    });
    const loop = consumer[Symbol.asyncIterator]();
    const { value: message } = (await loop.next()) as { value: ShareMessage };
    const waiting = loop.next();
    // Requests for more follow one after the other by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    message.accept();
    const late = new Promise<string>((resolve) => setTimeout(() => resolve('nothing'), 2_000));
    expect(await Promise.race([consumer.commit(), late])).toEqual([
      { topic: 'waiting', partition: 0, offsets: [0], error: null },
    ]);
    await consumer.close();
    await waiting;
  });

  test('a signal ends the loop; close is quick, and a closed consumer says so', async () => {
    await filled('signal', 1);
    const stop = new AbortController();
    const consumer = ottla.shareConsumer('signal', { group: 'signal', signal: stop.signal });
    for await (const _ of consumer) stop.abort();
    expect(await consumer.close()).toMatchObject([{ offsets: [0], error: null }]);
    expect(() => consumer[Symbol.asyncIterator]()).toThrow('closed');
    expect((await admin.groups.list()).find(({ groupId }) => groupId === 'signal')?.state).toBe('Empty');
  });

  test.each([
    [{ pattern: /x/ }, { group: 'g' }],
    ['t', { group: '' }],
    ['t', { group: 'g', maxRecords: 0 }],
    ['t', { group: 'g', acknowledgement: 'later' as never }],
  ] as const)('%o with %o is refused', (source, options) => {
    expect(() => ottla.shareConsumer(source as string, options)).toThrow(OptionError);
  });
});

test('close ends in its time although a fetch is not answered', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } });
  const stalled = kafka.faults.delay('ShareFetch', 3_600_000, { times: 100 });
  await using client = connect(kafka.bootstrap);
  const consumer = client.shareConsumer('t', { group: 'g' });
  const loop = (async () => {
    for await (const _ of consumer);
  })();
  while (stalled.hits === 0) await new Promise(setImmediate);
  await consumer.close({ timeoutMs: 50 });
  await loop;
  expect(consumer.assignment).toEqual([]);
});
