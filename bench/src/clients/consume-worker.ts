import { connect, serde, topic } from '@ottla/client';
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import type { NodeClient } from './client-names.ts';
import type { ConsumePlan, ConsumeReport } from './consume-plan.ts';
import { loadLibrdkafka } from './librdkafka.ts';
import { WorkMeter } from './work-meter.ts';

/** One client reads a topic from its beginning in a process of its own; every value is looked at. */
const plan = JSON.parse(process.argv[2]!) as ConsumePlan;
const group = `bench-${process.pid}`;

/** Counts records and notes when the first and the last came. */
class Meter {
  records = 0;
  valueBytes = 0;
  #work: WorkMeter | undefined;

  /** True when there are enough. */
  take(value: Buffer | null): boolean {
    this.#work ??= new WorkMeter(plan.records);
    this.records += 1;
    this.valueBytes += value === null ? 0 : value.length;
    if (this.records % 10_000 === 0) this.#work.note(this.records);
    return this.records >= plan.records;
  }

  report(): ConsumeReport {
    return { ...(this.#work ??= new WorkMeter(plan.records)).report(), valueBytes: this.valueBytes };
  }
}

async function ottla(meter: Meter): Promise<void> {
  await using client = connect(`127.0.0.1:${plan.port}`);
  const source = topic(plan.topic, { key: serde.nullable(serde.bytes), value: serde.bytes });
  await using consumer = client.consumer(source, { group, from: 'earliest' });
  if (plan.style === 'record') {
    for await (const { value } of consumer) if (meter.take(value)) return;
    return;
  }
  for await (const messages of consumer.batches({ maxRecords: 1_000 }))
    for (const { value } of messages) if (meter.take(value)) return;
}

async function kafkajs(meter: Meter): Promise<void> {
  const kafka = new Kafka({ brokers: [`127.0.0.1:${plan.port}`], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: group });
  await consumer.connect();
  await consumer.subscribe({ topic: plan.topic, fromBeginning: true });
  await new Promise<void>((resolve) => {
    void consumer.run(
      plan.style === 'record'
        ? {
            eachMessage: async ({ message }) => {
              if (meter.take(message.value)) resolve();
            },
          }
        : {
            eachBatch: async ({ batch }) => {
              for (const { value } of batch.messages) if (meter.take(value)) return resolve();
            },
          },
    );
  });
}

async function librdkafka(meter: Meter): Promise<void> {
  const { KafkaJS } = await loadLibrdkafka(plan.librdkafka);
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { brokers: [`127.0.0.1:${plan.port}`], logLevel: KafkaJS.logLevel.NOTHING },
  });
  const consumer = kafka.consumer({
    kafkaJS: { groupId: group, fromBeginning: true },
    'js.consumer.max.batch.size': 1_000,
  });
  await consumer.connect();
  await consumer.subscribe({ topic: plan.topic });
  await new Promise<void>((resolve) => {
    void consumer.run(
      plan.style === 'record'
        ? {
            eachMessage: async ({ message }) => {
              if (meter.take(message.value)) resolve();
            },
          }
        : {
            eachBatch: async ({ batch }) => {
              for (const { value } of batch.messages) if (meter.take(value)) return resolve();
            },
          },
    );
  });
}

async function platformatic(meter: Meter): Promise<void> {
  const consumer = new PlatformaticConsumer({
    clientId: 'bench',
    bootstrapBrokers: [`127.0.0.1:${plan.port}`],
    groupId: group,
  });
  const stream = await consumer.consume({ topics: [plan.topic], mode: 'earliest', autocommit: true });
  for await (const { value } of stream) if (meter.take(value)) return;
}

const clients: Readonly<Record<NodeClient, (meter: Meter) => Promise<void>>> = {
  ottla,
  kafkajs,
  platformatic,
  librdkafka,
};
const meter = new Meter();
let report: ConsumeReport | undefined;
const done = (): void => {
  process.stdout.write(`${JSON.stringify((report ??= meter.report()))}\n`, () => process.exit(0));
};
// The time that leaving the group takes is not the reading's.
const take = meter.take.bind(meter);
meter.take = (value) => {
  const isLast = take(value);
  if (isLast) report = meter.report();
  return isLast;
};
await clients[plan.client](meter);
done();
