import type { ProducerOptions } from '@ottla/client';
import { NodeRandom } from '@ottla/platform';
import { producerSettings } from '../cluster/client-settings.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { unescape } from '../records/record-format.ts';
import { ClusterExitCode, runOnCluster, type ClusterAccess } from '../cluster/run-on-cluster.ts';
import { StopSignal } from '../terminal/stop-signal.ts';
import type { BenchOptions, BenchProduceOptions } from './bench-options.ts';
import { BenchTopic, type BenchTopicOptions } from './bench-topic.ts';
import { payloads } from './payloads.ts';
import { latencyRow, printResult, throughputOf, throughputText } from './report.ts';
import { sendLoad, type SentSoFar } from './send-load.ts';

/** `ottla bench produce`. */
export function benchProduce(topicName: string | undefined, options: BenchProduceOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const values = await payloads({
      recordSize: options.recordSize,
      ...(options.payloadFile !== undefined && { payloadFile: options.payloadFile }),
      delimiter: unescape(options.payloadDelimiter),
    });
    using stop = new StopSignal();
    await using topic = await BenchTopic.open(access, topicOptions(topicName, options));
    const transactionMs = options.transactionDurationMs ?? null;
    await using producer = access.ottla.producer({
      ...producerOptions(access, options),
      ...(transactionMs !== null && { transactionalId: `ottla-bench-${new NodeRandom().uuid()}` }),
    });
    const progress = new ProgressLine({ isAwaited: true });
    const outcome = await sendLoad(producer, {
      topic: topic.name,
      recordCount: options.numRecords,
      values,
      perSecond: options.throughput < 0 ? Infinity : options.throughput,
      warmupCount: options.warmupRecords,
      transactionMs,
      signal: stop.signal,
      onProgress: (sent) => progress.update(() => sentText(sent, options)),
    });
    progress.clear();
    if (outcome.firstError !== null) {
      process.stderr.write(`ottla: ${outcome.firstError.name}: ${outcome.firstError.message}\n`);
      process.exitCode = ClusterExitCode.failed;
    }
    await printResult(
      {
        benchmark: 'produce',
        topic: topic.name,
        throughput: throughputOf(outcome.records, outcome.bytes, outcome.elapsedMs),
        latencyMs: latencyRow(outcome.latencies, options.percentiles),
      },
      options,
    );
  });
}

/** How the topic of a benchmark is found or made. */
export function topicOptions(name: string | undefined, options: BenchOptions): BenchTopicOptions {
  const { partitions, replicationFactor } = options;
  return {
    ...(name !== undefined && { name }),
    partitions,
    ...(replicationFactor !== undefined && { replicationFactor }),
    keep: options.keep === true,
  };
}

/** The producer of a benchmark: properties, and over them its own options. */
export function producerOptions(
  { properties }: ClusterAccess,
  { acks, compression }: { readonly acks?: string; readonly compression?: string },
): ProducerOptions {
  const overrides = new Map(properties);
  if (acks !== undefined) overrides.set('acks', acks);
  if (compression !== undefined) overrides.set('compression.type', compression);
  return producerSettings(overrides);
}

function sentText(sent: SentSoFar, { numRecords, percentiles }: BenchProduceOptions): string {
  const { latencies } = sent;
  const shown = percentiles.map((percent) => `p${percent} ${latencies.percentileMs(percent).toFixed(1)}`);
  const part = `${((sent.records / Math.max(1, numRecords)) * 100).toFixed(0)} %`;
  return `${part} · ${throughputText(throughputOf(sent.records, sent.bytes, sent.elapsedMs))} · ms: ${shown.join(' ')}`;
}
