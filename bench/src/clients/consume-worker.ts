import { connect, serde, topic } from '@ottla/client';
import { Consumer as PlatformaticConsumer } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import type { ConsumePlan, ConsumeReport, NodeClient } from './consume-plan.ts';

/** One client reads a topic from its beginning in a process of its own; every value is looked at. */
const plan = JSON.parse(process.argv[2]!) as ConsumePlan;
const group = `bench-${process.pid}`;

/** Counts records and notes when the first and the last came. */
class Meter {
  records = 0;
  valueBytes = 0;
  #startedMs = 0;
  #cpu = process.cpuUsage();
  #earlyMb = 0;

  /** True when there are enough. */
  take(value: Buffer | null): boolean {
    if (this.records === 0) {
      this.#startedMs = performance.now();
      this.#cpu = process.cpuUsage();
    }
    this.records += 1;
    this.valueBytes += value === null ? 0 : value.length;
    if (this.records === Math.ceil(plan.records / 10)) this.#earlyMb = process.memoryUsage.rss() / 1e6;
    return this.records >= plan.records;
  }

  report(): ConsumeReport {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    return {
      seconds,
      records: this.records,
      valueBytes: this.valueBytes,
      cpuSeconds: (user + system) / 1e6,
      peakMb: process.resourceUsage().maxRSS / 1e3,
      earlyMb: this.#earlyMb,
      lateMb: process.memoryUsage.rss() / 1e6,
    };
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
