import { connect, serde, topic } from '@ottla/client';
import { Consumer as PlatformaticConsumer, Producer as PlatformaticProducer } from '@platformatic/kafka';
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs';
import type { NodeClient } from './client-names.ts';
import type { CopyPlan, OnCopied } from './copy-plan.ts';
import { loadLibrdkafka } from './librdkafka.ts';

/** Copies records with their offsets in transactions, as the client's documentation shows it, until `onCopied` says enough. */
type Copying = (plan: CopyPlan, onCopied: OnCopied) => Promise<void>;

const ottla: Copying = async (plan, onCopied) => {
  await using client = connect(`127.0.0.1:${plan.port}`);
  const serdes = { key: serde.nullable(serde.bytes), value: serde.nullable(serde.bytes) };
  const target = topic(plan.target, serdes);
  const producer = client.producer({ transactionalId: plan.target });
  await using consumer = client.consumer(topic(plan.source, serdes), {
    group: plan.target,
    from: 'earliest',
    commit: 'manual',
    isolationLevel: 'read_committed',
  });
  let list: { key: Buffer | null; value: Buffer | null }[] = [];
  const next = new Map<number, number>();
  let copied = 0;
  for await (const { key, value, partition, offset } of consumer) {
    list.push({ key, value });
    next.set(partition, offset + 1);
    copied += 1;
    if (list.length < plan.recordsPerTransaction && copied < plan.records) continue;
    await producer.transaction(async (transaction) => {
      for (const record of list) void transaction.send(target, record);
      const offsets = Array.from(next, ([from, to]) => ({ topic: plan.source, partition: from, offset: to }));
      await transaction.sendOffsets(offsets, consumer.groupMetadata);
    });
    if (onCopied(list.length)) return;
    list = [];
    next.clear();
  }
};

const kafkajs: Copying = async (plan, onCopied) => {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${plan.port}`], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: plan.target });
  const producer = kafka.producer({
    transactionalId: plan.target,
    idempotent: true,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic: plan.source, fromBeginning: true });
  await copyBatches({ plan, consumer, producer }, onCopied);
};

/** The promise API of librdkafka's binding is used as that of kafkajs is. */
const librdkafka: Copying = async (plan, onCopied) => {
  const { KafkaJS } = await loadLibrdkafka(plan.librdkafka);
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { brokers: [`127.0.0.1:${plan.port}`], logLevel: KafkaJS.logLevel.NOTHING },
  });
  const consumer = kafka.consumer({
    kafkaJS: { groupId: plan.target, fromBeginning: true, autoCommit: false },
    'js.consumer.max.batch.size': plan.recordsPerTransaction,
  });
  const producer = kafka.producer({ kafkaJS: { transactionalId: plan.target } });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic: plan.source });
  await copyBatches({ plan, consumer, producer, consumerForOffsets: consumer }, onCopied);
};

interface KafkajsPair {
  readonly plan: CopyPlan;
  readonly consumer: Consumer;
  readonly producer: Producer;
  /** Who takes the offsets, where it is not the group's name. */
  readonly consumerForOffsets?: Consumer;
}

function copyBatches(pair: KafkajsPair, onCopied: OnCopied): Promise<void> {
  const { plan, consumer, producer, consumerForOffsets } = pair;
  return new Promise((resolve, reject) => {
    const copy = async (
      partition: number,
      list: readonly { key: Buffer | null; value: Buffer | null; offset: string }[],
    ) => {
      const transaction = await producer.transaction();
      const messages = list.map(({ key, value }) => ({ key, value }));
      const sent = transaction.send({ topic: plan.target, messages });
      const offset = `${BigInt(list.at(-1)!.offset) + 1n}`;
      const topics = [{ topic: plan.source, partitions: [{ partition, offset }] }];
      if (consumerForOffsets === undefined) {
        await sent;
        await transaction.sendOffsets({ consumerGroupId: plan.target, topics });
      } else await transaction.sendOffsets({ consumer: consumerForOffsets, topics } as never);
      await transaction.commit();
      await sent;
      if (onCopied(list.length)) resolve();
    };
    const eachBatch = async ({
      batch,
    }: {
      batch: { partition: number; messages: { key: Buffer | null; value: Buffer | null; offset: string }[] };
    }) => {
      for (let at = 0; at < batch.messages.length; at += plan.recordsPerTransaction)
        await copy(batch.partition, batch.messages.slice(at, at + plan.recordsPerTransaction)).catch(reject);
    };
    // The binding takes `autoCommit` where the consumer is made, and refuses it here.
    void consumer.run(consumerForOffsets === undefined ? { autoCommit: false, eachBatch } : { eachBatch });
  });
}

const platformatic: Copying = async (plan, onCopied) => {
  const base = { clientId: 'bench', bootstrapBrokers: [`127.0.0.1:${plan.port}`] };
  const consumer = new PlatformaticConsumer({ ...base, groupId: plan.target });
  const producer = new PlatformaticProducer({ ...base, transactionalId: plan.target, idempotent: true });
  const stream = await consumer.consume({ topics: [plan.source], mode: 'earliest', autocommit: false });
  type Message = Parameters<Awaited<ReturnType<typeof producer.beginTransaction>>['addOffset']>[0];
  let list: { topic: string; key: Buffer; value: Buffer }[] = [];
  const last = new Map<number, Message>();
  let copied = 0;
  for await (const message of stream) {
    list.push({ topic: plan.target, key: message.key, value: message.value });
    last.set(message.partition, message as Message);
    copied += 1;
    if (list.length < plan.recordsPerTransaction && copied < plan.records) continue;
    const transaction = await producer.beginTransaction();
    await transaction.addConsumer(consumer);
    await transaction.send({ messages: list });
    // One after the other: calls at the same time are taken for one.
    for (const each of last.values()) await transaction.addOffset(each);
    await transaction.commit();
    if (onCopied(list.length)) return;
    list = [];
    last.clear();
  }
};

/** How each client copies. */
export const copying: Readonly<Record<NodeClient, Copying>> = { ottla, kafkajs, platformatic, librdkafka };
