import type { NodeClient } from './client-names.ts';

/** What the copying worker is told, as JSON in its only argument. */
export interface CopyPlan {
  readonly client: NodeClient;
  /** Where the binding of librdkafka is, for the client of that name. */
  readonly librdkafka?: string;
  readonly port: number;
  readonly source: string;
  readonly target: string;
  /** Stops after this many. */
  readonly records: number;
  readonly recordsPerTransaction: number;
}

/** Told how many records a transaction has copied, once it is committed; true when there are enough. */
export type OnCopied = (count: number) => boolean;
