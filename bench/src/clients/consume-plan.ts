/** Node clients that are compared. */
export const nodeClients = ['ottla', 'kafkajs', 'platformatic'] as const;
export type NodeClient = (typeof nodeClients)[number];

/** How a program takes its records: one after the other, or many at a time. */
export type ConsumeStyle = 'record' | 'batch';

/** What the worker is told, as JSON in its only argument. */
export interface ConsumePlan {
  readonly client: NodeClient;
  readonly style: ConsumeStyle;
  readonly port: number;
  readonly topic: string;
  /** Stops after this many. */
  readonly records: number;
}

/** What it found out, as JSON in its only line of output. */
export interface ConsumeReport {
  /** From the first record to the last. */
  readonly seconds: number;
  readonly records: number;
  readonly valueBytes: number;
  readonly cpuSeconds: number;
  readonly peakMb: number;
  /** Resident memory after a tenth of the records and at the end: a leak shows. */
  readonly earlyMb: number;
  readonly lateMb: number;
}
