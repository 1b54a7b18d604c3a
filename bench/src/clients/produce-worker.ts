import { connect, serde, topic } from '@ottla/client';
import { Producer as PlatformaticProducer, ProduceAcks } from '@platformatic/kafka';
import { CompressionTypes, Kafka, logLevel } from 'kafkajs';
import type { NodeClient } from './consume-plan.ts';
import type { ProducePlan, ProduceReport } from './produce-plan.ts';

/** One client writes to a topic in a process of its own, as fast as it is acknowledged. */
const plan = JSON.parse(process.argv[2]!) as ProducePlan;
const bootstrap = `127.0.0.1:${plan.port}`;
/** Records that the clients which want lists get at a time, and lists under way: more of either did not make them faster. */
const LIST = 500;
const LISTS_AT_ONCE = 5;
/** Promises that ours keeps: the window of a program that wants to know what became of its records. */
const WINDOW = 20_000;

/** Different values, half of each as text repeats itself, so that compression has something to do. */
const values = Array.from({ length: 1000 }, (_, index) =>
  Buffer.from(
    `${Math.imul(index + 1, 2654435761) >>> 0}`
      .repeat(plan.recordBytes)
      .slice(0, plan.recordBytes / 2)
      .padEnd(plan.recordBytes, 'x'),
  ),
);

let earlyMb = 0;
function note(sent: number): void {
  if (earlyMb === 0 && sent >= plan.records / 10) earlyMb = process.memoryUsage.rss() / 1e6;
}

/** Sends lists, several at once, until all records are sent. */
async function inLists(send: (list: readonly Buffer[]) => Promise<unknown>): Promise<void> {
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < plan.records) {
      const from = sent % values.length;
      sent += LIST;
      await send(values.slice(from, from + LIST));
      note(sent);
    }
  };
  await Promise.all(Array.from({ length: LISTS_AT_ONCE }, lane));
}

async function ottla(): Promise<() => Promise<void>> {
  const client = connect(bootstrap);
  const producer = client.producer({
    acks: plan.acks === 'all' ? 'all' : 1,
    compression: plan.compression,
    batchSizeBytes: 64 * 1024,
  });
  const target = topic(plan.topic, { key: serde.nullable(serde.string), value: serde.bytes });
  await producer.send(target, { key: null, value: values[0]! });
  return async () => {
    const window: Promise<unknown>[] = [];
    for (let sent = 0; sent < plan.records; sent += 1) {
      window[sent % WINDOW] = producer.send(target, { key: null, value: values[sent % values.length]! });
      if ((sent + 1) % (WINDOW / 4) !== 0) continue;
      // The oldest of the window must be there before it is forgotten.
      await window[(sent + 1) % WINDOW];
      note(sent);
    }
    await producer.flush();
    await client.close();
  };
}

async function kafkajs(): Promise<() => Promise<void>> {
  const kafka = new Kafka({ brokers: [bootstrap], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ maxInFlightRequests: LISTS_AT_ONCE });
  await producer.connect();
  const compression = plan.compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None;
  const send = (list: readonly Buffer[]) =>
    producer.send({
      topic: plan.topic,
      acks: plan.acks === 'all' ? -1 : 1,
      compression,
      messages: list.map((value) => ({ value })),
    });
  await send([values[0]!]);
  return async () => {
    await inLists(send);
    await producer.disconnect();
  };
}

async function platformatic(): Promise<() => Promise<void>> {
  const producer = new PlatformaticProducer({ clientId: 'bench', bootstrapBrokers: [bootstrap] });
  const send = (list: readonly Buffer[]) =>
    producer.send({
      messages: list.map((value) => ({ topic: plan.topic, value })),
      acks: plan.acks === 'all' ? ProduceAcks.ALL : ProduceAcks.LEADER,
      compression: plan.compression,
    });
  await send([values[0]!]);
  return async () => {
    await inLists(send);
    await producer.close();
  };
}

const clients: Readonly<Record<NodeClient, () => Promise<() => Promise<void>>>> = {
  ottla,
  kafkajs,
  platformatic,
};

const run = await clients[plan.client]();
const begunMs = performance.now();
const begunCpu = process.cpuUsage();
await run();
const { user, system } = process.cpuUsage(begunCpu);
const report: ProduceReport = {
  seconds: (performance.now() - begunMs) / 1000,
  records: plan.records,
  cpuSeconds: (user + system) / 1e6,
  peakMb: process.resourceUsage().maxRSS / 1e3,
  earlyMb,
  lateMb: process.memoryUsage.rss() / 1e6,
};
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
