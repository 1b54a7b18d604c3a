import { connect, KafkaError, type Producer, type ProducerOptions } from '@ottla/client';
import { ApiKeys } from '@ottla/protocol';
import { afterAll, describe, expect, test } from 'vitest';
import type { Peer } from '../src/index.ts';
import { absent, bootstrap, interop, javaTools, startPeer, unique } from './support.ts';

/** The client's producer on the broker under test; what it wrote is read back by Kafka's own consumer where Java is there. */
const ottla = connect({ bootstrap, clientId: 'interop-producer', defaultApiTimeoutMs: 20_000 });
const admin = ottla.admin();
afterAll(() => ottla.close());

type Isolation = 'read_committed' | 'read_uncommitted';

/** All values of a topic in order of offset, partition by partition. */
async function readAll(
  topic: string,
  options: { at?: string; isolationLevel?: Isolation } = {},
): Promise<string[][]> {
  const { at = bootstrap, isolationLevel = 'read_committed' } = options;
  await using reader = connect({ bootstrap: at, defaultApiTimeoutMs: 20_000 });
  const ends = await reader.admin().offsets.list(topic, 'latest', { isolationLevel });
  const values: string[][] = [];
  const left = new Map<number, number>();
  for (const end of ends) {
    if (end.error !== null) throw end.error;
    values[end.partition] = [];
    if (end.offset > 0) left.set(end.partition, end.offset);
  }
  if (left.size === 0) return values;
  const consumer = reader.consumer(topic, { from: 'earliest', isolationLevel });
  const watching = setInterval(() => {
    // Markers of transactions are passed without a record.
    for (const [partition, end] of left) {
      const position = consumer.assignment.some((each) => each.partition === partition)
        ? consumer.position({ topic, partition })
        : null;
      if (position !== null && position >= end) left.delete(partition);
    }
    if (left.size === 0) void consumer.close();
  }, 10);
  try {
    for await (const { partition, value } of consumer) values[partition]!.push(String(value));
  } finally {
    clearInterval(watching);
    await consumer.close();
  }
  return values;
}

/** The same of a topic with one partition by Kafka's console consumer. */
async function readByJava(topic: string, count: number): Promise<string[]> {
  const { code, out, err } = await javaTools().run('consumer.ConsoleConsumer', [
    '--bootstrap-server',
    bootstrap,
    '--topic',
    topic,
    '--from-beginning',
    '--isolation-level',
    'read_committed',
    '--max-messages',
    String(count),
    '--timeout-ms',
    '15000',
  ]);
  expect(code, err.join('\n')).toBe(0);
  return out.filter(Boolean);
}

async function freshTopic(configs: Record<string, string> = {}, partitions = 1): Promise<string> {
  const name = unique('produced');
  await admin.topics.create({ name, partitions, configs });
  await admin.topics.waitForLeaders([name]);
  return name;
}

describe('client: a producer', () => {
  const variants: { what: string; options: ProducerOptions }[] = [
    { what: 'acks 0', options: { acks: 0 } },
    { what: 'acks 1', options: { acks: 1 } },
    { what: 'acks all without idempotence', options: { acks: 'all', idempotence: false } },
    ...(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const).map((compression) => ({
      what: `idempotence and ${compression}`,
      options: { compression },
    })),
  ];

  test.each(variants)('writes with $what what is read in the same order', async ({ options }) => {
    const topic = await freshTopic();
    const values = Array.from({ length: 2_000 }, (_, index) => `${index} ${'ab'.repeat(index % 40)}`);
    await using producer = ottla.producer({ batchSizeBytes: 4_000, ...options });
    await producer.sendMany(
      topic,
      values.map((value) => ({ key: 'k', value, headers: { h: 'x' } })),
    );
    if (options.acks === 0 || options.acks === 1) {
      // Nobody says when they may be read: that waits for all replicas, and with us for the disk.
      await expect.poll(() => admin.offsets.list(topic, 'latest')).toMatchObject([{ offset: 2_000 }]);
    }
    expect(await readAll(topic)).toEqual([values]);
    if (!absent(interop.java)) expect(await readByJava(topic, values.length)).toEqual(values);
  });

  test('says where each record is, over partitions and batches', async () => {
    const topic = await freshTopic({}, 5);
    await using producer = ottla.producer({ batchSizeBytes: 500 });
    const sent = await Promise.all(
      Array.from({ length: 1_000 }, async (_, index) => ({
        value: `${index}`,
        ...(await producer.send(topic, { value: `${index}` })),
      })),
    );
    const stored = await readAll(topic);
    for (const { value, partition, offset } of sent) expect(stored[partition]![offset]).toBe(value);
    expect(stored.flat().length).toBe(1_000);
  });

  test('puts records into the partitions that Kafka gives their keys', async () => {
    if (absent(interop.java)) return;
    const topic = await freshTopic({}, 7);
    const keys = Array.from({ length: 200 }, (_, index) => `key-${index}-${'ü'.repeat(index % 5)}`);
    const { code, err } = await javaTools().run(
      'ConsoleProducer',
      [
        '--bootstrap-server',
        bootstrap,
        '--topic',
        topic,
        '--reader-property',
        'parse.key=true',
        '--reader-property',
        'key.separator=:',
      ],
      keys.map((key) => `${key}:${key}\n`).join(''),
    );
    expect(code, err.join('\n')).toBe(0);
    const byJava = await readAll(topic);
    await using producer = ottla.producer();
    const byUs = await Promise.all(keys.map((key) => producer.send(topic, { key, value: key })));
    for (const [index, key] of keys.entries()) expect(byJava[byUs[index]!.partition]).toContain(key);
  });

  test('a batch above max.message.bytes goes on in parts, a record above it is refused alone', async () => {
    const topic = await freshTopic({ 'max.message.bytes': '2000' });
    await using producer = ottla.producer({ batchSizeBytes: 16_000, lingerMs: 50 });
    const values = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(150, '.'));
    const sent = values.map((value) => producer.send(topic, { value }));
    const tooLarge = producer.send(topic, { value: 'x'.repeat(3_000) });
    await expect(tooLarge).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE', mayBeStored: false });
    expect((await Promise.all(sent)).map(({ offset }) => offset)).toEqual(values.map((_, index) => index));
    expect(await producer.send(topic, { value: 'after' })).toMatchObject({ offset: values.length });
    expect(await readAll(topic)).toEqual([[...values, 'after']]);
  });

  test('an unknown topic or partition is waited for, and then refused', async () => {
    const topic = await freshTopic();
    await using producer = ottla.producer({ allowAutoTopicCreation: false, maxBlockMs: 1_000 });
    await expect(producer.send(unique('absent'), { value: 'x' })).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await expect(producer.send(topic, { value: 'x', partition: 3 })).rejects.toMatchObject({
      name: 'REQUEST_TIMED_OUT',
    });
    await expect(producer.send('no/name', { value: 'x' })).rejects.toMatchObject({
      name: 'INVALID_TOPIC_EXCEPTION',
    });
  });

  test('partitions that are added are used, a topic that is deleted and made again is written to', async () => {
    const topic = await freshTopic();
    await using producer = ottla.producer({ retryBackoffMs: 50 });
    await producer.send(topic, { value: 'old' });
    await admin.topics.createPartitions({ [topic]: 3 });
    expect(await producer.send(topic, { value: 'x', partition: 2 })).toMatchObject({ partition: 2 });
    await admin.topics.delete(topic);
    await expect
      .poll(() =>
        admin.topics.create({ name: topic, partitions: 3 }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await admin.topics.waitForLeaders([topic]);
    await producer.send(topic, { value: 'new', partition: 0 });
    expect((await readAll(topic))[0]).toEqual(['new']);
  });
});

/** Each set of tests runs at the broker's own version of transactions, and at v1 where the broker can be told so. */
function transactions(bootstrapOf: () => string): void {
  const cluster = () => connect({ bootstrap: bootstrapOf(), defaultApiTimeoutMs: 20_000 });

  test('what is committed is seen, what is aborted is not, and the next goes on', async () => {
    await using client = cluster();
    const topic = unique('tx');
    await client.admin().topics.create({ name: topic, partitions: 1 });
    await using producer = client.producer({ transactionalId: unique('id') });
    for (let round = 0; round < 5; round++) {
      await producer.transaction((tx) => tx.send(topic, { value: `kept ${round}` }));
      const doomed = await producer.begin();
      await doomed.send(topic, { value: `gone ${round}` });
      void doomed.send(topic, { value: `gone too ${round}` }).catch(() => {});
      await doomed.abort();
    }
    expect(await readAll(topic, { at: bootstrapOf() })).toEqual([
      ['kept 0', 'kept 1', 'kept 2', 'kept 3', 'kept 4'],
    ]);
  });

  test('offsets are committed with the records', async () => {
    await using client = cluster();
    const [topic, group] = [unique('tx'), unique('group')];
    await client.admin().topics.create({ name: topic, partitions: 1 });
    await using producer = client.producer({ transactionalId: unique('id') });
    // The transaction may still be completing when its end has been answered.
    const offsets = async () => client.admin().groups.offsets(group, { requireStable: true });
    await producer.transaction(async (tx) => {
      await tx.send(topic, { value: 'a' });
      await tx.sendOffsets([{ topic, partition: 0, offset: 7 }], group);
    });
    await expect.poll(offsets).toMatchObject([{ topic, partition: 0, offset: 7 }]);
    const doomed = await producer.begin();
    await doomed.sendOffsets([{ topic, partition: 0, offset: 9 }], group);
    await doomed.abort();
    await expect.poll(offsets).toMatchObject([{ topic, partition: 0, offset: 7 }]);
  });

  test('a second producer of the id fences the first, which can do nothing any more', async () => {
    await using client = cluster();
    const [topic, transactionalId] = [unique('tx'), unique('id')];
    await client.admin().topics.create({ name: topic, partitions: 1 });
    const first: Producer = client.producer({ transactionalId });
    const open = await first.begin();
    await open.send(topic, { value: 'lost' });
    await using second = client.producer({ transactionalId });
    await second.transaction((tx) => tx.send(topic, { value: 'kept' }));
    await expect(open.commit()).rejects.toMatchObject({ name: 'PRODUCER_FENCED', fatal: true });
    await expect(first.begin()).rejects.toMatchObject({ name: 'PRODUCER_FENCED' });
    await first.close();
    expect(await readAll(topic, { at: bootstrapOf() })).toEqual([['kept']]);
  });

  test('a transaction that a refused record spoilt is aborted, and the next one commits', async () => {
    await using client = cluster();
    const topic = unique('tx');
    await client
      .admin()
      .topics.create({ name: topic, partitions: 1, configs: { 'max.message.bytes': '2000' } });
    await using producer = client.producer({ transactionalId: unique('id') });
    const spoilt = producer.transaction(async (tx) => {
      await tx.send(topic, { value: 'first' });
      void tx.send(topic, { value: 'x'.repeat(3_000) }).catch(() => {});
    });
    await expect(spoilt).rejects.toMatchObject({ name: 'MESSAGE_TOO_LARGE' });
    await producer.transaction((tx) => tx.send(topic, { value: 'second' }));
    expect(await readAll(topic, { at: bootstrapOf() })).toEqual([['second']]);
  });

  test('close aborts what is open: readers of what is committed do not wait for the time-out', async () => {
    await using client = cluster();
    const topic = unique('tx');
    await client.admin().topics.create({ name: topic, partitions: 1 });
    const left = client.producer({ transactionalId: unique('id') });
    const open = await left.begin();
    await open.send(topic, { value: 'open' });
    await left.close();
    await using producer = client.producer();
    await producer.send(topic, { value: 'after' });
    await expect.poll(() => readAll(topic, { at: bootstrapOf() })).toEqual([['after']]);
  });
}

describe("client: transactions as the broker's features say", () => transactions(() => bootstrap));

const versions = [...(await admin.cluster.apiVersions()).values()][0]!;
const canDowngrade =
  !(versions instanceof KafkaError) &&
  versions.has(ApiKeys.UpdateFeatures) &&
  (await admin.features.describe()).has('transaction.version');

describe.skipIf(!canDowngrade)(
  `client: transactions v1${canDowngrade ? '' : ' (skipped: the broker has no transaction.version to lower)'}`,
  () => {
    let peer: Peer | undefined;
    test('the feature is lowered', async () => {
      peer = await startPeer();
      await using client = connect({ bootstrap: peer.bootstrap });
      await client.admin().features.update({ 'transaction.version': { level: 1, type: 'safe-downgrade' } });
    });
    afterAll(() => peer?.dispose());
    transactions(() => peer!.bootstrap);
  },
);

test('a broker is killed and comes back twice: every record is stored once, in order, as the producer says', async () => {
  const peer = await startPeer();
  try {
    await using client = connect({ bootstrap: peer.bootstrap, requestTimeoutMs: 5_000 });
    const topic = unique('killed');
    await client.admin().topics.create({ name: topic, partitions: 2 });
    await client.admin().topics.waitForLeaders([topic]);
    const producer = client.producer({ deliveryTimeoutMs: 120_000, batchSizeBytes: 2_000 });
    const acknowledged: Promise<{ value: string; partition: number; offset: number }>[] = [];
    let isOver = false;
    const sending = (async () => {
      for (let index = 0; !isOver; index++) {
        const value = `${index}`.padEnd(100, '.');
        acknowledged.push(
          producer.send(topic, { value, partition: index % 2 }).then((place) => ({ value, ...place })),
        );
        if (index % 50 === 49) await acknowledged.at(-50);
        if (index % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (let round = 0; round < 2; round++) {
      const before = acknowledged.length;
      await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(before + 500);
      await peer.stop('SIGKILL');
      await peer.restart();
    }
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(before + 500);
    isOver = true;
    await sending;
    const stored = await Promise.all(acknowledged);
    await producer.close();
    const found = await readAll(topic, { at: peer.bootstrap });
    for (const { value, partition, offset } of stored)
      if (offset >= 0) expect(found[partition]![offset]).toBe(value);
    expect(found).toEqual(
      [0, 1].map((partition) =>
        stored.filter((each) => each.partition === partition).map(({ value }) => value),
      ),
    );
  } finally {
    await peer.dispose();
  }
}, 180_000);
