import { called, loadLibrdkafka } from './librdkafka.ts';
import { producerSettings, type Producing } from './produce-plan.ts';

/** Records under way at most: librdkafka's own queue holds 100,000. */
const WINDOW = 50_000;

/** librdkafka through its callback API, polled in the background; every delivery report is looked at. */
export const librdkafkaProducing: Producing = async (plan, values) => {
  const { Producer } = await loadLibrdkafka(plan.librdkafka);
  const producer = new Producer({
    'bootstrap.servers': `127.0.0.1:${plan.port}`,
    'enable.idempotence': plan.acks === 'all',
    acks: plan.acks === 'all' ? -1 : 1,
    'compression.type': plan.compression,
    'linger.ms': producerSettings.lingerMs,
    'batch.size': producerSettings.batchBytes,
    'max.in.flight.requests.per.connection': producerSettings.inFlight,
    dr_cb: true,
  });
  let delivered = 0;
  let failure: Error | null = null;
  let wake: (() => void) | null = null;
  await called((done) => producer.connect({}, done));
  producer.setPollInBackground(true);
  producer.on('delivery-report', (error) => {
    delivered += 1;
    failure ??= error;
    wake?.();
  });
  /** Resolves when at most so many of what was sent are not delivered yet. */
  const atMost = async (underWay: number, sent: number): Promise<void> => {
    while (sent - delivered > underWay) await new Promise<void>((resolve) => (wake = resolve));
    wake = null;
    if (failure !== null) throw failure as Error;
  };
  producer.produce(plan.topic, null, values[0]!, null);
  await atMost(0, 1);
  return {
    async run(onSent) {
      delivered = 0;
      for (let sent = 0; sent < plan.records; sent += 1) {
        producer.produce(plan.topic, null, values[sent % values.length]!, null);
        if (sent % 1000 !== 0) continue;
        await atMost(WINDOW, sent);
        onSent(delivered);
      }
      await called((done) => producer.flush(60_000, done));
      await atMost(0, plan.records);
      await called((done) => producer.disconnect(done));
    },
  };
};
