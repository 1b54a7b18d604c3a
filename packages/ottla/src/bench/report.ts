import { printRows, toJson } from '../terminal/print.ts';
import type { OutputOptions } from '../cluster/run-on-cluster.ts';
import type { Latencies } from './latencies.ts';

/** As Kafka's tools count: 2^20 bytes. */
const BYTES_PER_MB = 1024 * 1024;

/** How much went through in how much time. */
export interface Throughput {
  readonly records: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Of 2^20 bytes, as Kafka's tools count. */
  readonly mbPerSecond: number;
}

/** Works out what there is a second. */
export function throughputOf(records: number, bytes: number, elapsedMs: number): Throughput {
  const seconds = Math.max(elapsedMs, 0.001) / 1000;
  return {
    records,
    bytes,
    seconds: rounded(seconds),
    recordsPerSecond: rounded(records / seconds),
    mbPerSecond: rounded(bytes / BYTES_PER_MB / seconds),
  };
}

/** Latencies in milliseconds by the names that Kafka's tools give them. */
export function latencyRow(latencies: Latencies, percentiles: readonly number[]): Record<string, number> {
  return {
    avg: rounded(latencies.averageMs),
    ...Object.fromEntries(
      percentiles.map((percent) => [`p${percent}`, rounded(latencies.percentileMs(percent))]),
    ),
    max: rounded(latencies.maxMs),
  };
}

/** What a benchmark found: a line and a table of latencies for people, or one object. */
export interface BenchResult {
  readonly benchmark: string;
  readonly topic: string;
  readonly throughput: Throughput;
  readonly latencyMs?: Record<string, number>;
  /** More that programs want. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** Prints a result. */
export async function printResult(result: BenchResult, options: OutputOptions): Promise<void> {
  const { benchmark, topic, throughput, latencyMs, more } = result;
  if (options.json === true || options.jsonl === true) {
    const latency = latencyMs === undefined ? {} : { latencyMs };
    process.stdout.write(`${toJson({ benchmark, topic, ...throughput, ...latency, ...more })}\n`);
    return;
  }
  process.stdout.write(`${throughputText(throughput)}\n`);
  if (latencyMs !== undefined) await printRows([{ latencyMs: '', ...latencyMs }], options);
}

/** A line about how much went through. */
export function throughputText({ records, seconds, recordsPerSecond, mbPerSecond }: Throughput): string {
  return `${records} records in ${seconds} s · ${recordsPerSecond} records/s · ${mbPerSecond} MB/s`;
}

function rounded(value: number): number {
  return Number(value.toFixed(value >= 100 ? 0 : value >= 1 ? 2 : 3));
}
