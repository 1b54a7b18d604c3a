import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, isKafkaError } from '@ottla/client';
import { expect, test } from 'vitest';
import { startBroker, startOttla, type TestBrokerOptions } from '../src/index.ts';

test('a broker starts with topics and records that clients read', async () => {
  await using kafka = await startBroker({
    topics: { orders: 3, compacted: { partitions: 2, configs: { 'cleanup.policy': 'compact' } } },
    records: {
      orders: [{ key: 'c-17', value: { total: 12.5 }, headers: { trace: 'a1' } }],
      notes: ['one', 'two'],
    },
  });
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  const topics = await admin.topics.list();
  expect(topics.map(({ name, partitions }) => [name, partitions]).sort()).toEqual([
    ['compacted', 2],
    ['notes', 1],
    ['orders', 3],
  ]);
  const read: unknown[] = [];
  for await (const message of ottla.consumer('notes', { from: 'earliest' })) {
    read.push(message.value);
    if (read.length === 2) break;
  }
  expect(read).toEqual(['one', 'two']);
  expect(await kafka.records('orders')).toMatchObject([
    { key: 'c-17', value: '{"total":12.5}', headers: { trace: 'a1' }, offset: 0 },
  ]);
});

test("the broker's properties are given as text, numbers or booleans", async () => {
  await using kafka = await startBroker({
    properties: { 'num.partitions': 4, 'auto.create.topics.enable': true, 'log.retention.hours': '1' },
  });
  await using ottla = connect(kafka.bootstrap);
  await using producer = ottla.producer();
  await producer.send('fresh', { value: 'x' });
  expect(await ottla.admin().topics.describe('fresh')).toMatchObject({
    partitions: [0, 1, 2, 3].map((partition) => ({ partition })),
  });
  await expect(startBroker({ properties: { 'num.partitions': 0.5 } })).rejects.toThrow('num.partitions');
});

test('records without keys go round the partitions, and what a client cannot store is refused', async () => {
  await using kafka = await startOttla({ topics: { t: 2 } });
  await kafka.produce('t', ['a', 'b', 'c']);
  await kafka.produce('t', { value: null, key: 'gone', partition: 1, timestamp: 42 });
  const records = await kafka.records('t');
  expect(records.map(({ partition, value }) => [partition, value])).toEqual([
    [0, 'a'],
    [0, 'c'],
    [1, 'b'],
    [1, null],
  ]);
  expect(records[3]?.timestamp).toBe(42);
  await expect(kafka.produce('t', { value: 'x', partition: 2 })).rejects.toThrow(
    'Partition "2" does not exist',
  );
  await expect(kafka.produce('absent', 'x')).rejects.toThrow('Topic "absent" does not exist');
  await expect(kafka.createTopic('t')).rejects.toThrow('TOPIC_ALREADY_EXISTS');
  await expect(startBroker({ topics: { 'no/name': 1 } })).rejects.toThrow('INVALID_TOPIC_EXCEPTION');
});

test('a record that begins a new segment is acknowledged like any other', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } });
  await using ottla = connect(kafka.bootstrap);
  const producer = ottla.producer();
  // Older than `log.roll.hours` before the next one, which goes into a segment of its own.
  await producer.send('t', { value: 'old', timestamp: 1_000 });
  expect(await producer.send('t', { value: 'new' })).toMatchObject({ offset: 1 });
  expect(await producer.send('t', { value: 'newer' })).toMatchObject({ offset: 2 });
});

test('a failing request is answered with the error as often as asked, and not served', async () => {
  await using kafka = await startBroker();
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  const fault = kafka.faults.fail('CreateTopics', 'POLICY_VIOLATION', { times: 2 });
  for (let attempt = 0; attempt < 2; attempt++) {
    const error = await admin.topics.create('t').catch((failure: unknown) => failure);
    expect(isKafkaError(error, 'POLICY_VIOLATION')).toBe(true);
  }
  expect(fault.hits).toBe(2);
  await admin.topics.create('t');
  kafka.faults.fail('CreateTopics', 'POLICY_VIOLATION').remove();
  await admin.topics.create('u');
});

test('a client gets over retriable errors, lost connections and lost answers', async () => {
  await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a'] } });
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  kafka.faults.fail('ListOffsets', 'NOT_LEADER_OR_FOLLOWER');
  kafka.faults.disconnectBefore('ListOffsets');
  kafka.faults.disconnectAfter('ListOffsets');
  expect(await admin.offsets.list('t', 'latest')).toMatchObject([{ partition: 0, offset: 1, error: null }]);
});

test('a request that is served but not answered has had its effect', async () => {
  await using kafka = await startBroker();
  await using ottla = connect(kafka.bootstrap);
  kafka.faults.disconnectAfter('CreateTopics', { times: Infinity });
  await expect(ottla.admin().topics.create('t', { timeoutMs: 1_000 })).rejects.toThrow();
  await kafka.produce('t', 'it is there');
});

test('an idempotent producer stores each record once, whatever becomes of its requests', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } });
  await using ottla = connect(kafka.bootstrap);
  const producer = ottla.producer({ maxInFlightRequests: 5, lingerMs: 0 });
  for (let round = 0; round < 6; round++) {
    if (round === 1) kafka.faults.disconnectAfter('Produce');
    if (round === 2) kafka.faults.disconnectBefore('Produce');
    if (round === 3) kafka.faults.fail('Produce', 'NOT_ENOUGH_REPLICAS', { times: 2 });
    if (round === 4) await kafka.moveLeader('t', 0, () => void kafka.dropConnections());
    const sent = Array.from({ length: 20 }, (_, i) => producer.send('t', { value: `${round}-${i}` }));
    await Promise.all(sent);
  }
  const expected = Array.from({ length: 120 }, (_, i) => `${Math.floor(i / 20)}-${i % 20}`);
  expect((await kafka.records('t')).map(({ value }) => value)).toEqual(expected);
});

test('a delayed fetch brings its records when its time has come', async () => {
  await using kafka = await startBroker({ records: { t: ['a'] } });
  await using ottla = connect(kafka.bootstrap);
  const fault = kafka.faults.delay('Fetch', 3_600_000);
  const loop = ottla.consumer('t', { from: 'earliest' })[Symbol.asyncIterator]();
  const first = loop.next();
  await expect.poll(() => fault.hits).toBe(1);
  kafka.clock.advance(3_600_000);
  expect((await first).value?.value).toBe('a');
});

test('a delayed request goes on when the clock is advanced', async () => {
  await using kafka = await startBroker({ topics: { t: 1 } });
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  await admin.topics.list();
  const fault = kafka.faults.delay('CreateTopics', 3_600_000);
  const created = admin.topics.create('u', { timeoutMs: 20_000 });
  await expect.poll(() => fault.hits).toBe(1);
  kafka.clock.advance(3_600_000);
  await created;
  expect(() => kafka.clock.advance(-1)).toThrow('Cannot advance the clock by "-1" ms');
});

test('a moved leader has a new epoch, and there is none on the way', async () => {
  await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a'] } });
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  const leaders: unknown[] = [];
  const look = async (): Promise<void> => {
    const topic = await admin.topics.describe('t');
    leaders.push(topic.partitions[0]?.leader ?? null);
  };
  await look();
  await kafka.moveLeader('t', 0, look);
  await look();
  expect(leaders[1]).not.toEqual(leaders[0]);
  expect(leaders[2]).toEqual(leaders[0]);
  await kafka.produce('t', 'b');
  expect(await kafka.records('t')).toHaveLength(2);
  await expect(kafka.moveLeader('t', 7)).rejects.toThrow('UNKNOWN_TOPIC_OR_PARTITION');
});

test.each(['classic', 'consumer'] as const)(
  'an expired member of the %s protocol is out of its group, and comes back',
  async (groupProtocol) => {
    await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a'] } });
    await using ottla = connect(kafka.bootstrap);
    const admin = ottla.admin();
    let assigned = 0;
    const consumer = ottla.consumer('t', {
      group: 'g',
      groupProtocol,
      from: 'earliest',
      ...(groupProtocol === 'classic' && { heartbeatIntervalMs: 50, sessionTimeoutMs: 6_000 }),
      onAssigned: () => void (assigned += 1),
    });
    const loop = consumer[Symbol.asyncIterator]();
    expect((await loop.next()).value?.value).toBe('a');
    const [member] = (await admin.groups.describe('g')).members;
    const waiting = loop.next();
    await kafka.expireMember({ group: 'g', memberId: member!.memberId });
    await expect.poll(() => assigned, { timeout: 15_000 }).toBe(2);
    // It was put out before it could commit.
    expect((await waiting).value?.value).toBe('a');
    await consumer.close();
    await expect(kafka.expireMember({ group: 'g', memberId: 'nobody' })).rejects.toThrow();
  },
);

test('a session ends when the clock is advanced beyond it', async () => {
  await using kafka = await startBroker({ topics: { t: 1 }, records: { t: ['a'] } });
  await using ottla = connect(kafka.bootstrap);
  const admin = ottla.admin();
  const consumer = ottla.consumer('t', {
    group: 'g',
    from: 'earliest',
    commit: 'manual',
    heartbeatIntervalMs: 29_000,
  });
  const loop = consumer[Symbol.asyncIterator]();
  await loop.next();
  expect((await admin.groups.describe('g')).members).toHaveLength(1);
  kafka.clock.advance(50_000);
  await expect.poll(async () => (await admin.groups.describe('g')).members.length).toBe(0);
});

test('dropped connections come back', async () => {
  await using kafka = await startBroker();
  await using ottla = connect(kafka.bootstrap);
  await ottla.admin().topics.list();
  expect(kafka.dropConnections()).toBeGreaterThan(0);
  await ottla.admin().topics.create('t');
});

test('a temporary folder is gone when the broker is closed; a folder of the test stays and is opened again', async () => {
  const temporary = await startBroker({ directory: true, topics: { t: 1 } });
  await temporary.produce('t', 'a');
  expect(existsSync(join(temporary.directory ?? '', 't-0'))).toBe(true);
  await temporary.close();
  await temporary.close();
  expect(existsSync(temporary.directory ?? '')).toBe(false);

  const folder = mkdtempSync(join(tmpdir(), 'ottla-kept-'));
  try {
    await using first = await startBroker({ directory: folder, records: { t: ['kept'] } });
    await first.close();
    expect(existsSync(join(folder, 't-0'))).toBe(true);
    await using second = await startBroker({ directory: folder });
    expect((await second.records('t')).map(({ value }) => value)).toEqual(['kept']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('brokers in memory know nothing of each other', async () => {
  await using a = await startBroker({ records: { t: ['a'] } });
  await using b = await startBroker({ records: { t: ['b'] } });
  expect(a.bootstrap).not.toBe(b.bootstrap);
  expect((await a.records('t')).map(({ value }) => value)).toEqual(['a']);
  expect((await b.records('t')).map(({ value }) => value)).toEqual(['b']);
});

test('memory is bounded: data beyond the capacity is refused', async () => {
  await using kafka = await startBroker({ topics: { t: 1 }, capacityBytes: 30 * 1024 * 1024 });
  const megabyte = 'x'.repeat(1_000_000);
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 40; i++) await kafka.produce('t', megabyte);
  };
  await expect(fill()).rejects.toThrow();
});

test('options that make no sense are refused by name', async () => {
  await using kafka = await startBroker();
  expect(() => kafka.faults.fail('Produce', 'NO_SUCH' as 'NONE')).toThrow('"NO_SUCH" is no error of Kafka');
  expect(() => kafka.faults.delay('Nothing' as 'Fetch', 1)).toThrow('"Nothing" is no API of Kafka');
  expect(() => kafka.faults.delay('Fetch', 1, { times: 0 })).toThrow('times "0"');
});

test.each<[string, TestBrokerOptions, string]>([
  ['of a broker', { topcis: { t: 1 } } as object, 'has no option "topcis": did you mean "topics"?'],
  ['of a topic', { topics: { t: { partitons: 3 } as object } }, 'did you mean "partitions"?'],
  ['of a record', { records: { t: [{ order: 7 } as object] } }, 'there are key, value, headers, '],
])(
  'an option %s that there is none of is refused instead of counting for nothing',
  async (_, options, text) => {
    await expect(startBroker(options)).rejects.toThrow(text);
  },
);

test('records that were read are stored in another topic as they are', async () => {
  await using kafka = await startBroker({ topics: { copy: 1 }, records: { t: [{ key: 'k', value: 'v' }] } });
  await kafka.produce('copy', await kafka.records('t'));
  expect(await kafka.records('copy')).toMatchObject([{ key: 'k', value: 'v' }]);
});
