import type { Consumer } from '@ottla/client';
import { NodeClock } from '@ottla/platform';
import { consumerSettings } from '../cluster/client-settings.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { runOnCluster, UsageError, type ClusterAccess } from '../cluster/run-on-cluster.ts';
import { StopSignal } from '../terminal/stop-signal.ts';
import type { BenchLatencyOptions } from './bench-options.ts';
import { producerOptions, topicOptions } from './bench-produce.ts';
import { BenchTopic } from './bench-topic.ts';
import { Latencies } from './latencies.ts';
import { payloads } from './payloads.ts';
import { latencyRow, printResult, throughputOf } from './report.ts';

/** `ottla bench e2e`: each record is sent when the one before has been read. */
export function benchLatency(topicName: string | undefined, options: BenchLatencyOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    using stop = new StopSignal();
    // Of one partition, so that records come in the order in which they were sent.
    const made = { ...topicOptions(topicName, options), partitions: 1 };
    await using topic = await BenchTopic.open(access, made);
    const clock = new NodeClock();
    const startedMs = clock.monotonicMs();
    const latencies = await passRecords(access, { topic, options, signal: stop.signal });
    const elapsedMs = clock.monotonicMs() - startedMs;
    await printResult(
      {
        benchmark: 'e2e',
        topic: topic.name,
        throughput: throughputOf(latencies.count, latencies.count * options.recordSize, elapsedMs),
        latencyMs: latencyRow(latencies, options.percentiles),
      },
      options,
    );
  });
}

interface Passing {
  readonly topic: BenchTopic;
  readonly options: BenchLatencyOptions;
  readonly signal: AbortSignal;
}

async function passRecords(access: ClusterAccess, { topic, options, signal }: Passing): Promise<Latencies> {
  const clock = new NodeClock();
  const progress = new ProgressLine({ isAwaited: true });
  const [value] = await payloads({ recordSize: options.recordSize, delimiter: '\n' });
  // Every record goes at once: waiting for company would be all that is measured.
  await using producer = access.ottla.producer({ lingerMs: 0, ...producerOptions(access, options) });
  await using consumer = await consumerAtEnd(access, topic, signal);
  const messages = consumer[Symbol.asyncIterator]();
  const latencies = new Latencies();
  for (let index = 0; index < options.numRecords && !signal.aborted; index += 1) {
    const sentMs = clock.monotonicMs();
    const [next] = await Promise.all([
      messages.next(),
      producer.send(topic.name, { key: String(index), value, partition: 0 }),
    ]);
    if (next.done === true) break;
    latencies.add(clock.monotonicMs() - sentMs);
    if (next.value.keyBytes?.toString() !== String(index))
      throw new UsageError(
        `Another record came than was sent: somebody else writes to topic "${topic.name}"; give one for this alone`,
      );
    progress.update(
      () =>
        `${index + 1} of ${options.numRecords} records · p50 ${latencies.percentileMs(50).toFixed(2)} ms · p99 ${latencies.percentileMs(99).toFixed(2)} ms`,
    );
  }
  progress.clear();
  return latencies;
}

/** A consumer of the first partition that reads from its end on. */
async function consumerAtEnd(
  { ottla, admin, limits, properties }: ClusterAccess,
  topic: BenchTopic,
  signal: AbortSignal,
): Promise<Consumer> {
  const [end] = await admin.offsets.list(topic.name, 'latest', limits);
  if (end?.error !== null) throw end?.error ?? new UsageError(`Topic "${topic.name}" has no partition`);
  const { group: _none, groupProtocol: _neither, ...settings } = consumerSettings(properties);
  const partitions = [{ topic: topic.name, partition: end.partition, offset: end.offset }];
  return ottla.consumer({ partitions }, { ...settings, signal });
}
