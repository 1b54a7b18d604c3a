import { freshTopic, generateMeasured, type BenchCase } from '../case.ts';
import { createTopic, deleteTopic } from '../subject.ts';

const shape = {
  partitionCount: 1,
  recordBytes: 100,
  batchBytes: 0,
  batchesPerRequest: 1,
  connectionCount: 1,
  inFlight: 1,
};

/** One produce request of one record after the other. */
const oneInFlight: BenchCase = {
  name: 'small-requests',
  about: 'one connection, one request in flight: a record of 100 B, acks=all',
  metrics: [
    { name: 'requests/s', unit: '1/s', better: 'higher', ratioGoal: 1.5 },
    { name: 'p50 us', unit: 'us', better: 'lower' },
    { name: 'p99 us', unit: 'us', better: 'lower', ratioGoal: 0.7 },
    { name: 'cpu us/request', unit: 'us', better: 'lower' },
  ],
  async run(subject, options) {
    const topic = freshTopic('small');
    await createTopic(subject, topic, 1);
    const { report, usage } = await generateMeasured(subject, {
      ...shape,
      topic,
      mode: 'one-in-flight',
      seconds: Math.max(1, 5 * options.scale),
    });
    await deleteTopic(subject, topic);
    return {
      'requests/s': report.requestCount / report.seconds,
      'p50 us': report.p50Us ?? Number.NaN,
      'p99 us': report.p99Us ?? Number.NaN,
      'cpu us/request': (usage.cpuSeconds * 1e6) / report.requestCount,
    };
  },
};

/** From the send of a record to its arrival at a fetch that waits. */
const endToEnd: BenchCase = {
  name: 'end-to-end',
  about: 'a record of 100 B from a produce (acks=all) to the answer of a fetch that waits for it',
  metrics: [
    { name: 'p50 us', unit: 'us', better: 'lower' },
    { name: 'p99 us', unit: 'us', better: 'lower', ratioGoal: 0.7 },
  ],
  async run(subject, options) {
    const topic = freshTopic('latency');
    await createTopic(subject, topic, 1);
    const { report } = await generateMeasured(subject, {
      ...shape,
      topic,
      mode: 'end-to-end',
      seconds: Math.max(1, 5 * options.scale),
    });
    await deleteTopic(subject, topic);
    return { 'p50 us': report.p50Us ?? Number.NaN, 'p99 us': report.p99Us ?? Number.NaN };
  },
};

/** Latency of small requests, and from end to end. */
export const smallRequests: readonly BenchCase[] = [oneInFlight, endToEnd];
