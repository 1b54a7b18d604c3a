import { connect, serde, topic } from '@ottla/client';
import { Producer as PlatformaticProducer, ProduceAcks } from '@platformatic/kafka';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { NodeClient } from './client-names.ts';
import { librdkafkaProducing } from './librdkafka-produce.ts';
import { producerSettings, type ProducePlan, type Producing, type ReadyProducer } from './produce-plan.ts';

const { batchBytes, lingerMs, inFlight } = producerSettings;
/** Promises that ours keeps: the window of a program that wants to know what became of its records. */
const WINDOW = 20_000;
/** Length, offset, timestamp, key and headers of a small record. */
const RECORD_OVERHEAD_BYTES = 10;

const ottla: Producing = async (plan, values) => {
  const client = connect(`127.0.0.1:${plan.port}`);
  const producer = client.producer({
    acks: plan.acks === 'all' ? 'all' : 1,
    compression: plan.compression,
    batchSizeBytes: batchBytes,
    lingerMs,
    maxInFlightRequests: inFlight,
  });
  const target = topic(plan.topic, { key: serde.nullable(serde.string), value: serde.bytes });
  await producer.send(target, { key: null, value: values[0]! });
  return {
    async run(onSent) {
      const window: Promise<unknown>[] = [];
      for (let sent = 0; sent < plan.records; sent += 1) {
        window[sent % WINDOW] = producer.send(target, { key: null, value: values[sent % values.length]! });
        if ((sent + 1) % (WINDOW / 4) !== 0) continue;
        // The oldest of the window must be there before it is forgotten.
        await window[(sent + 1) % WINDOW];
        onSent(sent);
      }
      await producer.flush();
      await client.close();
    },
  };
};

const kafkajs: Producing = async (plan, values) => {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${plan.port}`], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ maxInFlightRequests: inFlight, idempotent: plan.acks === 'all' });
  await producer.connect();
  const compression = plan.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  return inLists(plan, values, {
    lanes: inFlight,
    send: (list) =>
      producer.send({
        topic: plan.topic,
        acks: plan.acks === 'all' ? -1 : 1,
        compression,
        messages: list.map((value) => ({ value })),
      }),
    close: () => producer.disconnect(),
  });
};

const platformatic: Producing = async (plan, values) => {
  const producer = new PlatformaticProducer({
    clientId: 'bench',
    bootstrapBrokers: [`127.0.0.1:${plan.port}`],
    maxInflights: inFlight,
    idempotent: plan.acks === 'all',
  });
  return inLists(plan, values, {
    // With more under way its sequence numbers get out of order, and Kafka refuses them.
    lanes: plan.acks === 'all' ? 1 : inFlight,
    send: (list) =>
      producer.send({
        messages: list.map((value) => ({ topic: plan.topic, value })),
        acks: plan.acks === 'all' ? ProduceAcks.ALL : ProduceAcks.LEADER,
        compression: plan.compression,
      }),
    close: () => producer.close(),
  });
};

interface ListSender {
  /** Lists under way at most. */
  readonly lanes: number;
  send(list: readonly Buffer[]): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Clients that send what they are given in one call: each list fills a batch of every partition, and as many lists are
 * under way as requests may be.
 */
async function inLists(
  plan: ProducePlan,
  values: readonly Buffer[],
  sender: ListSender,
): Promise<ReadyProducer> {
  const perBatch = Math.floor(batchBytes / (plan.recordBytes + RECORD_OVERHEAD_BYTES));
  const listLength = perBatch * plan.partitionCount;
  const list = Array.from({ length: listLength }, (_, index) => values[index % values.length]!);
  await sender.send(list.slice(0, 1));
  return {
    async run(onSent) {
      let sent = 0;
      const lane = async (): Promise<void> => {
        while (sent < plan.records) {
          const count = Math.min(listLength, plan.records - sent);
          sent += count;
          await sender.send(count === listLength ? list : list.slice(0, count));
          onSent(sent);
        }
      };
      await Promise.all(Array.from({ length: sender.lanes }, lane));
      await sender.close();
    },
  };
}

/** How each client is made ready to send, in the way that its documentation advises for throughput. */
export const producing: Readonly<Record<NodeClient, Producing>> = {
  ottla,
  kafkajs,
  platformatic,
  librdkafka: librdkafkaProducing,
};
