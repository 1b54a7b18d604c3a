import { freshTopic, generateMeasured, type BenchCase, type BenchOptions } from '../case.ts';
import { unthrottledBytes } from '../page-cache.ts';
import { createTopic, deleteTopic, quietDisk, type Subject } from '../subject.ts';

const shape = { recordBytes: 1000, batchBytes: 65_536, connectionCount: 4, inFlight: 4 } as const;

/** Rate of single-batch requests to a topic of so many partitions. */
async function produceRate(subject: Subject, options: BenchOptions, partitionCount: number): Promise<number> {
  const topic = freshTopic(`partitions-${partitionCount}`);
  await createTopic(subject, topic, partitionCount);
  const { report } = await generateMeasured(subject, {
    ...shape,
    mode: 'produce',
    topic,
    partitionCount,
    batchesPerRequest: 1,
    seconds: Math.max(1, 4 * options.scale),
    maxBytes: unthrottledBytes(),
  });
  await deleteTopic(subject, topic);
  return report.bytes / 1e6 / report.seconds;
}

/** More partitions must not cost throughput. */
const partitions: BenchCase = {
  name: 'partitions',
  about: 'own generator, one 64 KiB batch in a request, to 1 and to 200 partitions',
  metrics: [
    { name: '1 partition MB/s', unit: 'MB/s', better: 'higher' },
    { name: '200 partitions MB/s', unit: 'MB/s', better: 'higher' },
    { name: '200 against 1', unit: '', better: 'higher', absoluteGoal: 0.75 },
  ],
  async run(subject, options) {
    const one = await produceRate(subject, options, 1);
    const many = await produceRate(subject, options, 200);
    return { '1 partition MB/s': one, '200 partitions MB/s': many, '200 against 1': many / one };
  },
};

/** Fills a topic to each size in turn and measures there. */
const logSize: BenchCase = {
  name: 'log-size',
  about: 'own generator, produce and fetch rates with the log filled to each size of --log-gb',
  isLong: true,
  metrics: [
    { name: 'produce large/small', unit: '', better: 'higher', absoluteGoal: 0.9 },
    { name: 'fetch large/small', unit: '', better: 'higher', absoluteGoal: 0.9 },
    { name: 'produce MB/s at large', unit: 'MB/s', better: 'higher' },
    { name: 'fetch MB/s at large', unit: 'MB/s', better: 'higher' },
  ],
  async run(subject, options) {
    const topic = freshTopic('size');
    await createTopic(subject, topic, 6);
    const common = { ...shape, topic, partitionCount: 6, batchesPerRequest: 6 };
    const seconds = Math.max(1, 4 * options.scale);
    const rates: { produce: number; fetch: number }[] = [];
    let filledBytes = 0;
    for (const gigabytes of options.logGb) {
      const fill = await generateMeasured(subject, {
        ...common,
        mode: 'produce',
        seconds: 600,
        maxBytes: Math.max(0, gigabytes * options.scale * 1e9 - filledBytes),
      });
      quietDisk();
      const maxBytes = unthrottledBytes();
      const produced = await generateMeasured(subject, { ...common, mode: 'produce', seconds, maxBytes });
      filledBytes += fill.report.bytes + produced.report.bytes;
      // The same gigabyte is read at either size, so that only the size of the log differs.
      const endOffset = Math.floor(1e9 / 6 / 65_536) * produced.report.recordsPerBatch;
      const fetched = await generateMeasured(subject, { ...common, mode: 'fetch', seconds, endOffset });
      rates.push({
        produce: produced.report.bytes / 1e6 / produced.report.seconds,
        fetch: fetched.report.bytes / 1e6 / fetched.report.seconds,
      });
    }
    await deleteTopic(subject, topic);
    const [small, large] = [rates[0]!, rates.at(-1)!];
    return {
      'produce large/small': large.produce / small.produce,
      'fetch large/small': large.fetch / small.fetch,
      'produce MB/s at large': large.produce,
      'fetch MB/s at large': large.fetch,
    };
  },
};

/** What grows with use: partitions and the log. */
export const scale: readonly BenchCase[] = [partitions, logSize];
