import { randomBytes } from 'node:crypto';
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../src/index.ts';
import { bootstrap, unique } from './support.ts';

describe('kafkajs', () => {
  const kafka = new Kafka({ clientId: 'interop', brokers: [bootstrap], logLevel: logLevel.NOTHING });

  test.each([
    ['none', CompressionTypes.None],
    ['gzip', CompressionTypes.GZIP],
  ])('writes with %s are read by a group, which resumes where it stopped', async (name, compression) => {
    const topic = unique(`kafkajs-${name}`);
    const group = unique('kafkajs');
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const messages = Array.from({ length: 200 }, (_, i) => ({
      key: `k${i % 7}`,
      value: `value ${i}`,
      headers: { n: String(i) },
    }));
    await producer.send({ topic, messages, compression, acks: -1 });
    expect(await readGroup(topic, group, 200)).toEqual(new Set(messages.map((message) => message.value)));
    await producer.send({ topic, messages: [{ value: 'one more' }] });
    expect(await readGroup(topic, group, 1)).toEqual(new Set(['one more']));
    await producer.disconnect();
  });

  /** Reads `count` values as a member of the group, commits and leaves. */
  async function readGroup(topic: string, groupId: string, count: number): Promise<Set<string>> {
    const consumer = kafka.consumer({ groupId });
    const values = new Set<string>();
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        values.add(String(message.value));
        if (values.size === count) resolve();
      };
      void consumer.run({ eachMessage });
    });
    await consumer.disconnect();
    return values;
  }

  test('the admin client manages topics, offsets, configs and groups', async () => {
    const topic = unique('kafkajs-admin');
    const admin = kafka.admin();
    await admin.connect();
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })).toBe(
      true,
    );
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] })).toBe(false);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
    // A partition that was added a moment ago may still be without a leader.
    const highs = await eventually('Offsets of the new partition', () =>
      admin.fetchTopicOffsets(topic).then(
        (offsets) => offsets.map(({ high }) => high),
        () => undefined,
      ),
    );
    expect(highs).toEqual(['0', '0', '0']);
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]!.partitions).toHaveLength(3);
    const resources = [{ type: 2, name: topic, configNames: ['retention.ms'] }];
    const described = await admin.describeConfigs({ resources, includeSynonyms: false });
    expect(described.resources[0]!.configEntries[0]).toMatchObject({
      configName: 'retention.ms',
      configValue: '604800000',
    });
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: 2, name: topic, configEntries: [{ name: 'retention.ms', value: '5000' }] }],
    });
    expect(await admin.listTopics()).toContain(topic);
    expect((await admin.describeCluster()).brokers).toHaveLength(1);
    await admin.setOffsets({ groupId: `${topic}-group`, topic, partitions: [{ partition: 0, offset: '0' }] });
    expect((await admin.listGroups()).groups.map(({ groupId }) => groupId)).toContain(`${topic}-group`);
    await admin.deleteGroups([`${topic}-group`]);
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  });
});

describe('@platformatic/kafka', () => {
  const base = { clientId: 'interop', bootstrapBrokers: [bootstrap] };

  // Its zstd needs the one of Node 22.15.
  test.each(['none', 'gzip', 'snappy', 'lz4'] as const)(
    'writes with %s are read back through a group stream',
    async (compression) => {
      const topic = unique(`platformatic-${compression}`);
      const admin = new Admin(base);
      await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1 });
      const producer = new Producer({
        ...base,
        serializers: stringSerializers,
        idempotent: true,
        compression,
      });
      const messages = Array.from({ length: 200 }, (_, i) => ({
        topic,
        key: `k${i}`,
        value: `value ${i}`,
        headers: { n: String(i) },
      }));
      await producer.send({ messages, acks: -1 });
      const consumer = new Consumer({
        ...base,
        groupId: unique('platformatic'),
        deserializers: stringDeserializers,
      });
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'earliest',
        autocommit: true,
        maxWaitTime: 200,
      });
      const values = new Set<string>();
      for await (const message of stream) {
        values.add(message.value);
        expect(message.headers.get('n')).toBe(message.value.slice('value '.length));
        if (values.size === 200) break;
      }
      expect(values.size).toBe(200);
      await stream.close();
      await consumer.close();
      await producer.close();
      await admin.deleteTopics({ topics: [topic] });
      await admin.close();
    },
  );

  test('binary keys and values of every length keep their bytes', async () => {
    const topic = unique('platformatic-bytes');
    const admin = new Admin(base);
    await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1 });
    const producer = new Producer(base);
    const values = [0, 1, 127, 128, 16_383, 16_384, 300_000].map((length) => randomBytes(length));
    await producer.send({ messages: values.map((value) => ({ topic, value })), acks: -1 });
    const consumer = new Consumer({ ...base, groupId: unique('platformatic') });
    const stream = await consumer.consume({ topics: [topic], mode: 'earliest', maxWaitTime: 200 });
    const read: Buffer[] = [];
    for await (const message of stream) {
      read.push(message.value ?? Buffer.alloc(0));
      if (read.length === values.length) break;
    }
    expect(read.map((value) => value.toString('base64'))).toEqual(
      values.map((value) => value.toString('base64')),
    );
    await stream.close();
    await consumer.close();
    await producer.close();
    await admin.close();
  });
});
