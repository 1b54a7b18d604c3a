import type { NodeClient } from './client-names.ts';
import type { WorkReport } from './work-meter.ts';

/** How a program takes its records: one after the other, or many at a time. */
export type ConsumeStyle = 'record' | 'batch';

/** What the worker is told, as JSON in its only argument. */
export interface ConsumePlan {
  readonly client: NodeClient;
  /** Where the binding of librdkafka is, for the client of that name. */
  readonly librdkafka?: string;
  readonly style: ConsumeStyle;
  readonly port: number;
  readonly topic: string;
  /** Stops after this many. */
  readonly records: number;
}

/** What it found out, as JSON in its only line of output; the time is from the first record to the last. */
export interface ConsumeReport extends WorkReport {
  readonly valueBytes: number;
}
