import type { NodeClient } from './client-names.ts';

/** What the producing worker is told, as JSON in its only argument. */
export interface ProducePlan {
  readonly client: NodeClient;
  /** Where the binding of librdkafka is, for the client of that name. */
  readonly librdkafka?: string;
  readonly port: number;
  readonly topic: string;
  readonly partitionCount: number;
  readonly records: number;
  readonly recordBytes: number;
  /** With `all` every client is idempotent, with `leader` none is. */
  readonly acks: 'all' | 'leader';
  readonly compression: 'none' | 'gzip' | 'lz4';
}

/** What every client is set to, as far as it can be set. */
export const producerSettings = {
  /** Of one partition, uncompressed. */
  batchBytes: 64 * 1024,
  lingerMs: 5,
  inFlight: 5,
} as const;

/** One client that is ready to send, its first record acknowledged. */
export type Producing = (plan: ProducePlan, values: readonly Buffer[]) => Promise<ReadyProducer>;

export interface ReadyProducer {
  /** Sends all the records of the plan; `onSent` is told now and then how many are acknowledged. */
  run(onSent: (count: number) => void): Promise<void>;
}
