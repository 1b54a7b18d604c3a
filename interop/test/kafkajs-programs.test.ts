import * as ours from '@ottla/client/kafkajs';
import * as theirs from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { bootstrap, unique } from './support.ts';

/** A time of a record that is not now, and not so old that retention deletes it in the middle of a test. */
const RECENT = String(Date.now() - 60_123);

/** What a program needs of its import; kafkajs's own types, which ours must fit as far as programs use them. */
type KafkaJS = Pick<
  typeof theirs,
  'Kafka' | 'logLevel' | 'CompressionTypes' | 'Partitioners' | 'ConfigResourceTypes'
>;

const imports: readonly (readonly [string, KafkaJS])[] = [
  ['kafkajs', theirs],
  ['@ottla/client/kafkajs', ours as unknown as KafkaJS],
];

function open({ Kafka, logLevel }: KafkaJS) {
  return new Kafka({ clientId: 'programs', brokers: [bootstrap], logLevel: logLevel.NOTHING });
}

/** Resolves when `isDone` says so; the limit of the test is the limit. */
async function until(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const text = (bytes: Buffer | string | null | undefined): string | null =>
  bytes === null || bytes === undefined ? null : bytes.toString();

/** The same programs on kafkajs and on our entry point: what they see must be the same. */
describe.each(imports)('a kafkajs program on %s', (_name, module) => {
  const { CompressionTypes, Partitioners, ConfigResourceTypes } = module;

  test('sends and consumes messages with keys, headers and partitions', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const admin = kafka.admin();
    await admin.connect();
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })).toBe(true);
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] })).toBe(false);

    const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const placed = await producer.send({
      topic,
      compression: CompressionTypes.GZIP,
      messages: [
        { key: 'a', value: '1', headers: { source: 'web', many: ['x', 'y'] } },
        { key: 'b', value: '2', timestamp: RECENT },
        { value: null, partition: 2 },
      ],
    });
    expect(placed.every(({ topicName, errorCode }) => topicName === topic && errorCode === 0)).toBe(true);
    await producer.disconnect();

    const consumer = kafka.consumer({ groupId });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const seen: object[] = [];
    await consumer.run({
      eachMessage: async ({ topic: from, partition, message }) => {
        const { many, source } = message.headers ?? {};
        seen.push({
          from,
          partition,
          key: text(message.key),
          value: text(message.value),
          offset: message.offset,
          source: text(source as Buffer),
          many: (many as Buffer[] | undefined)?.map(text),
          ...(text(message.value) === '2' && { timestamp: message.timestamp }),
        });
      },
    });
    await until(() => seen.length === 3);
    await consumer.disconnect();
    const byValue = (value: string | null) =>
      seen.find((each) => (each as { value: unknown }).value === value);
    expect(byValue('1')).toMatchObject({ from: topic, key: 'a', source: 'web', many: ['x', 'y'] });
    expect(byValue('2')).toMatchObject({ key: 'b', timestamp: RECENT });
    expect(byValue(null)).toMatchObject({ partition: 2, key: null });

    const offsets = await admin.fetchOffsets({ groupId, topics: [topic] });
    const committed = offsets[0]!.partitions
      .map(({ offset }) => Number(offset))
      .filter((offset) => offset > 0);
    expect(committed.reduce((sum, offset) => sum + offset, 0)).toBe(3);
    await admin.disconnect();
  });

  test('goes on where the group was, and from an offset when it seeks', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: Array.from({ length: 10 }, (_, index) => ({ value: `${index}`, partition: 0 })),
    });

    const read = async (count: number, seekTo?: string): Promise<(string | null)[]> => {
      const consumer = kafka.consumer({ groupId });
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      const values: (string | null)[] = [];
      await consumer.run({ eachMessage: async ({ message }) => void values.push(text(message.value)) });
      if (seekTo !== undefined) consumer.seek({ topic, partition: 0, offset: seekTo });
      await until(() => values.length >= count);
      await consumer.disconnect();
      return values;
    };
    expect(await read(10)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    await producer.send({ topic, messages: [{ value: 'new', partition: 0 }] });
    expect(await read(1)).toEqual(['new']);
    expect((await read(4, '7')).slice(-4)).toEqual(['7', '8', '9', 'new']);
    await producer.disconnect();
  });

  test('eachBatch: what is not resolved comes again', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: Array.from({ length: 6 }, (_, index) => ({ value: `${index}`, partition: 0 })),
    });
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const seen: (string | null)[] = [];
    let isFirst = true;
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset, heartbeat, isRunning, isStale }) => {
        for (const message of batch.messages) {
          if (!isRunning() || isStale()) break;
          if (isFirst && message.offset === '3') {
            isFirst = false;
            return;
          }
          seen.push(text(message.value));
          resolveOffset(message.offset);
          await heartbeat();
        }
      },
    });
    await until(() => seen.length >= 6);
    await consumer.disconnect();
    expect(seen).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  test('a handler that fails gets its message again', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId, retry: { initialRetryTime: 20, retries: 3 } });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const handled: (string | null)[] = [];
    let failures = 0;
    await consumer.run({
      eachMessage: async ({ message }) => {
        if (text(message.value) === 'a' && failures < 2) {
          failures += 1;
          throw new Error('not yet');
        }
        handled.push(text(message.value));
      },
    });
    await until(() => new Set(handled).size === 2);
    await consumer.disconnect();
    expect(failures).toBe(2);
  });

  test('transactions: what is committed with its offsets is read, what is aborted is not', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    const producer = kafka.producer({
      transactionalId: unique('tx'),
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    const aborted = await producer.transaction();
    await aborted.send({ topic, messages: [{ value: 'no' }] });
    await aborted.abort();
    const committed = await producer.transaction();
    await committed.send({ topic, messages: [{ value: 'yes' }] });
    await committed.sendOffsets({
      consumerGroupId: groupId,
      topics: [{ topic, partitions: [{ partition: 0, offset: '0' }] }],
    });
    await committed.commit();
    expect(committed.isActive()).toBe(false);
    await producer.disconnect();
    const consumer = kafka.consumer({ groupId: unique('group') });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const values: (string | null)[] = [];
    await consumer.run({ eachMessage: async ({ message }) => void values.push(text(message.value)) });
    await until(() => values.length === 1);
    await consumer.disconnect();
    expect(values).toEqual(['yes']);
    const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(offsets).toMatchObject({ topic, partitions: [{ partition: 0, offset: '0' }] });
    await admin.disconnect();
  });

  test('the admin describes, resets, changes and deletes', async () => {
    const kafka = open(module);
    const [topic, groupId] = [unique('program'), unique('group')];
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [{ topic, numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '1000000' }] }],
    });
    expect(await admin.listTopics()).toContain(topic);
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(topics[0]!.partitions.map(({ partitionId }) => partitionId).toSorted()).toEqual([0, 1]);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: [{ value: 'x', partition: 1, timestamp: RECENT }] });
    await producer.disconnect();
    const highs = await admin.fetchTopicOffsets(topic);
    expect(highs.find(({ partition }) => partition === 1)).toMatchObject({
      high: '1',
      low: '0',
      offset: '1',
    });
    const byTime = await admin.fetchTopicOffsetsByTimestamp(topic, 1_600_000_000_000);
    expect(byTime.find(({ partition }) => partition === 1)).toMatchObject({ offset: '0' });
    await admin.setOffsets({ groupId, topic, partitions: [{ partition: 1, offset: '1' }] });
    const [set] = await admin.fetchOffsets({ groupId, topics: [topic] });
    expect(set!.partitions.find(({ partition }) => partition === 1)).toMatchObject({ offset: '1' });
    await admin.resetOffsets({ groupId, topic, earliest: true });
    const configs = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['retention.ms'] }],
    });
    expect(configs.resources[0]!.configEntries[0]).toMatchObject({
      configName: 'retention.ms',
      configValue: '1000000',
    });
    expect((await admin.listGroups()).groups.map((group) => group.groupId)).toContain(groupId);
    const { groups } = await admin.describeGroups([groupId]);
    expect(groups[0]).toMatchObject({ groupId, state: 'Empty', members: [] });
    expect(await admin.deleteGroups([groupId])).toMatchObject([{ groupId, errorCode: 0 }]);
    await expect(admin.deleteGroups([unique('absent')])).rejects.toMatchObject({
      name: 'KafkaJSDeleteGroupsError',
    });
    const { brokers, clusterId } = await admin.describeCluster();
    expect(brokers.length).toBeGreaterThan(0);
    expect(clusterId).toMatch(/.{10}/);
    await admin.deleteTopics({ topics: [topic] });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.disconnect();
  });
});

test('members of both share one group', async () => {
  const [topic, groupId] = [unique('program'), unique('group')];
  const seen = new Map<string, string[]>();
  const consumers = await Promise.all(
    imports.map(async ([name, module]) => {
      const consumer = open(module).consumer({ groupId, sessionTimeout: 10_000, heartbeatInterval: 300 });
      await consumer.connect();
      seen.set(name, []);
      return { name, consumer };
    }),
  );
  const admin = open(theirs).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] });
  for (const { name, consumer } of consumers) {
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => void seen.get(name)!.push(text(message.value)!),
    });
  }
  // Both are members of one stable group before anything is sent.
  for (let members = 0, state = ''; members < 2 || state !== 'Stable';) {
    const { groups } = await admin.describeGroups([groupId]);
    members = groups[0]!.members.length;
    state = groups[0]!.state;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const producer = open(ours as unknown as KafkaJS).producer();
  await producer.connect();
  const messages = Array.from({ length: 40 }, (_, index) => ({ value: `${index}`, partition: index % 4 }));
  await producer.send({ topic, messages });
  await until(() => [...seen.values()].flat().length >= 40);
  for (const { consumer } of consumers) await consumer.disconnect();
  await producer.disconnect();
  await admin.disconnect();
  expect(
    [...seen.values()]
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 40 }, (_, index) => index));
  for (const own of seen.values()) expect(own.length).toBe(20);
});
