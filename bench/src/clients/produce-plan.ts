import type { NodeClient } from './consume-plan.ts';

/** What the producing worker is told, as JSON in its only argument. */
export interface ProducePlan {
  readonly client: NodeClient;
  readonly port: number;
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
  readonly acks: 'all' | 'leader';
  readonly compression: 'none' | 'gzip' | 'lz4';
}

/** What it found out, as JSON in its only line of output. */
export interface ProduceReport {
  /** From the first send to the last acknowledgement. */
  readonly seconds: number;
  readonly records: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  /** Resident memory after a tenth of the records and at the end: a leak shows. */
  readonly earlyMb: number;
  readonly lateMb: number;
}
