import type { ClusterOptions } from '../cluster/run-on-cluster.ts';

/** What every benchmark takes. */
export interface BenchOptions extends ClusterOptions {
  readonly numRecords: number;
  readonly recordSize: number;
  readonly partitions: number;
  readonly replicationFactor?: number;
  readonly keep?: boolean;
  readonly percentiles: readonly number[];
  readonly compression?: string;
}

export interface BenchProduceOptions extends BenchOptions {
  readonly throughput: number;
  readonly payloadFile?: string;
  readonly payloadDelimiter: string;
  readonly acks?: string;
  readonly warmupRecords: number;
  readonly transactionDurationMs?: number;
}

export interface BenchConsumeOptions extends BenchOptions {
  readonly group?: string;
  readonly fromLatest?: boolean;
  readonly idleMs: number;
}

export interface BenchLatencyOptions extends BenchOptions {
  readonly acks?: string;
}
