import type { Consumer } from '@ottla/client';
import { NodeClock } from '@ottla/platform';
import { consumerSettings } from '../cluster/client-settings.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { ClusterExitCode, runOnCluster, type ClusterAccess } from '../cluster/run-on-cluster.ts';
import { StopSignal } from '../terminal/stop-signal.ts';
import type { BenchConsumeOptions } from './bench-options.ts';
import { producerOptions, topicOptions } from './bench-produce.ts';
import { BenchTopic } from './bench-topic.ts';
import { payloads } from './payloads.ts';
import { printResult, throughputOf, throughputText } from './report.ts';
import { sendLoad } from './send-load.ts';

const BATCH_RECORDS = 2000;

/** `ottla bench consume`. */
export function benchConsume(topicName: string | undefined, options: BenchConsumeOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    using stop = new StopSignal();
    await using topic = await BenchTopic.open(access, topicOptions(topicName, options));
    if (topic.isNew && options.fromLatest !== true)
      await fill(access, topic, { ...options, signal: stop.signal });
    const idle = new AbortController();
    const signal = AbortSignal.any([stop.signal, idle.signal]);
    await using consumer = consumerOf(access, topic, { ...options, signal });
    const read = await readLoad(consumer, options, idle);
    if (read.records < options.numRecords && !stop.signal.aborted) {
      process.stderr.write(
        `ottla: ${read.records} of ${options.numRecords} records came, and none for ${options.idleMs} ms (--idle-ms)\n`,
      );
      process.exitCode = ClusterExitCode.failed;
    }
    await printResult(
      {
        benchmark: 'consume',
        topic: topic.name,
        throughput: throughputOf(read.records, read.bytes, read.elapsedMs),
        more: { firstRecordMs: Math.round(read.firstRecordMs) },
      },
      options,
    );
  });
}

/** Puts as many records into a topic as are to be read. */
async function fill(
  access: ClusterAccess,
  topic: BenchTopic,
  options: BenchConsumeOptions & { readonly signal: AbortSignal },
): Promise<void> {
  const progress = new ProgressLine({ isAwaited: true });
  await using producer = access.ottla.producer(producerOptions(access, options));
  const outcome = await sendLoad(producer, {
    topic: topic.name,
    recordCount: options.numRecords,
    values: await payloads({ recordSize: options.recordSize, delimiter: '\n' }),
    perSecond: Infinity,
    warmupCount: 0,
    transactionMs: null,
    signal: options.signal,
    onProgress: ({ records }) =>
      progress.update(() => `filling the topic: ${records} of ${options.numRecords} records`),
  });
  progress.clear();
  if (outcome.firstError !== null) throw outcome.firstError;
}

function consumerOf(
  { ottla, properties }: ClusterAccess,
  topic: BenchTopic,
  options: BenchConsumeOptions & { readonly signal: AbortSignal },
): Consumer {
  const settings = consumerSettings(properties);
  const group = options.group ?? settings.group;
  return ottla.consumer(topic.name, {
    ...settings,
    ...(group !== undefined && { group }),
    from: options.fromLatest === true ? 'latest' : 'earliest',
    signal: options.signal,
  });
}

interface ReadOutcome {
  readonly records: number;
  readonly bytes: number;
  /** From the first record to the last: finding the partitions, or joining the group, is told apart. */
  readonly elapsedMs: number;
  readonly firstRecordMs: number;
}

async function readLoad(
  consumer: Consumer,
  { numRecords, idleMs }: BenchConsumeOptions,
  idle: AbortController,
): Promise<ReadOutcome> {
  const clock = new NodeClock();
  const progress = new ProgressLine({ isAwaited: true });
  const startedMs = clock.monotonicMs();
  let firstMs = startedMs;
  let records = 0;
  let bytes = 0;
  let timer = clock.setTimer(idleMs, () => idle.abort());
  for await (const batch of consumer.batches({ maxRecords: BATCH_RECORDS })) {
    timer.cancel();
    if (records === 0) firstMs = clock.monotonicMs();
    for (const { keyBytes, valueBytes } of batch)
      bytes += (keyBytes?.length ?? 0) + (valueBytes?.length ?? 0);
    records += batch.length;
    progress.update(() => throughputText(throughputOf(records, bytes, clock.monotonicMs() - firstMs)));
    if (records >= numRecords) break;
    timer = clock.setTimer(idleMs, () => idle.abort());
  }
  timer.cancel();
  progress.clear();
  // What is waited for at the end is no reading.
  const endMs = clock.monotonicMs() - (idle.signal.aborted ? idleMs : 0);
  return { records, bytes, elapsedMs: Math.max(0, endMs - firstMs), firstRecordMs: firstMs - startedMs };
}
