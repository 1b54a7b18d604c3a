import { freshTopic, type BenchCase, type BenchOptions, type Figures } from '../case.ts';
import { officialTool } from '../official-tool.ts';
import { measured } from '../process-usage.ts';
import { createTopic, deleteTopic, type Subject } from '../subject.ts';

/** Rates of ProducerPerformance, then of ConsumerPerformance on what it wrote. */
async function run(subject: Subject, options: BenchOptions, recordBytes: number): Promise<Figures> {
  const topic = freshTopic(`official-${recordBytes}`);
  const recordCount = Math.round((recordBytes < 500 ? 4_000_000 : 1_000_000) * options.scale);
  const gigabytes = (recordCount * recordBytes) / 1e9;
  const { bootstrap, pid } = subject.peer;
  await createTopic(subject, topic, 6);
  const produced = await measured(pid, () =>
    officialTool(options, 'ProducerPerformance', [
      '--topic',
      topic,
      '--num-records',
      String(recordCount),
      '--record-size',
      String(recordBytes),
      '--throughput',
      '-1',
      '--producer-props',
      `bootstrap.servers=${bootstrap}`,
      'acks=all',
      'batch.size=65536',
      'linger.ms=5',
    ]),
  );
  const summary = /sent, ([\d.]+) records\/sec.* ([\d.]+) ms 99th/.exec(
    produced.result.trim().split('\n').at(-1) ?? '',
  );
  const consumed = await measured(pid, () =>
    officialTool(options, 'ConsumerPerformance', [
      '--bootstrap-server',
      bootstrap,
      '--topic',
      topic,
      '--num-records',
      String(recordCount),
      '--timeout',
      '30000',
    ]),
  );
  const fields = consumed.result.trim().split('\n').at(-1)!.split(', ');
  await deleteTopic(subject, topic);
  return {
    'produce records/s': Number(summary?.[1]),
    'produce p99 ms': Number(summary?.[2]),
    'produce cpu s/GB': produced.usage.cpuSeconds / gigabytes,
    'consume records/s': Number(fields[9]),
    'consume cpu s/GB': consumed.usage.cpuSeconds / gigabytes,
    'peak memory MB': Math.max(produced.usage.peakMb, consumed.usage.peakMb),
  };
}

const metrics: BenchCase['metrics'] = [
  { name: 'produce records/s', unit: '1/s', better: 'higher', ratioGoal: 1 },
  { name: 'produce p99 ms', unit: 'ms', better: 'lower' },
  { name: 'produce cpu s/GB', unit: 's', better: 'lower', ratioGoal: 0.7 },
  { name: 'consume records/s', unit: '1/s', better: 'higher', ratioGoal: 1 },
  { name: 'consume cpu s/GB', unit: 's', better: 'lower', ratioGoal: 0.7 },
  { name: 'peak memory MB', unit: 'MB', better: 'lower', absoluteGoal: 400 },
];

/** The official performance tools, where the Java client is usually the limit. */
export const officialTools: readonly BenchCase[] = [100, 1000].map((recordBytes) => ({
  name: `official-${recordBytes}`,
  about: `ProducerPerformance and ConsumerPerformance, ${recordBytes} B records, 64 KiB batches, 6 partitions, acks=all`,
  metrics,
  needsJava: true,
  run: (subject, options) => run(subject, options, recordBytes),
}));
