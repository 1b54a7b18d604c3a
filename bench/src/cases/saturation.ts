import { freshTopic, generateMeasured, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import { unthrottledBytes } from '../page-cache.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

const partitionCount = 6;

/** The generator's rates for producing, then for fetching what was produced. */
async function run(subject: Subject, options: BenchOptions, recordBytes: number): Promise<Figures> {
  const topic = freshTopic(`saturate-${recordBytes}`);
  await createTopic(subject, topic, partitionCount);
  const shape = {
    topic,
    partitionCount,
    recordBytes,
    batchBytes: 65_536,
    batchesPerRequest: partitionCount,
    connectionCount: 4,
    seconds: Math.max(1, 6 * options.scale),
  };
  const maxBytes = unthrottledBytes();
  const produced = await generateMeasured(subject, { ...shape, mode: 'produce', inFlight: 4, maxBytes });
  const perPartition = produced.report.requestCount * produced.report.recordsPerBatch;
  const fetched = await generateMeasured(subject, {
    ...shape,
    mode: 'fetch',
    inFlight: 2,
    endOffset: perPartition,
  });
  await deleteTopic(subject, topic);
  const [produceGb, fetchGb] = [produced.report.bytes / 1e9, fetched.report.bytes / 1e9];
  return {
    'produce MB/s': (produceGb * 1000) / produced.report.seconds,
    'produce cpu s/GB': produced.usage.cpuSeconds / produceGb,
    'fetch MB/s': (fetchGb * 1000) / fetched.report.seconds,
    'fetch cpu s/GB': fetched.usage.cpuSeconds / fetchGb,
    'peak memory MB': Math.max(produced.usage.peakMb, fetched.usage.peakMb),
    'generator cpu s/GB': (produced.report.cpuSeconds + fetched.report.cpuSeconds) / (produceGb + fetchGb),
  };
}

const metrics: BenchCase['metrics'] = [
  { name: 'produce MB/s', unit: 'MB/s', better: 'higher', ratioGoal: 1.3 },
  { name: 'produce cpu s/GB', unit: 's', better: 'lower', ratioGoal: 0.7 },
  { name: 'fetch MB/s', unit: 'MB/s', better: 'higher', ratioGoal: 1.3 },
  { name: 'fetch cpu s/GB', unit: 's', better: 'lower', ratioGoal: 0.7 },
  { name: 'peak memory MB', unit: 'MB', better: 'lower', absoluteGoal: 400 },
  { name: 'generator cpu s/GB', unit: 's', better: 'lower' },
];

/** Runs every hot path of a broker for a while, so that a JIT compiler has seen it before the first round. */
export async function warmUp(subject: Subject, options: BenchOptions): Promise<void> {
  for (const recordBytes of [100, 1000]) await run(subject, options, recordBytes);
}

/** Requests built beforehand over four connections: here the broker is the limit. */
export const saturation: readonly BenchCase[] = [100, 1000].map((recordBytes) => ({
  name: `saturate-${recordBytes}`,
  about: `own generator: 6 batches of 64 KiB in a request, ${recordBytes} B records, 4 connections, 4 requests in flight, acks=all`,
  metrics,
  run: (subject, options) => run(subject, options, recordBytes),
}));
