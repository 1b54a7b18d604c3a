import type { LogConfig } from '@ottla/storage';

/** What a hosted partition needs of its topic's configuration. */
export interface PartitionConfig {
  readonly log: LogConfig;
  /** `min.insync.replicas`. */
  readonly minInsyncReplicas: number;
  /** `write.caching`: acknowledge and expose records from the page cache, as Kafka does, instead of from stable storage. */
  readonly writeCaching: boolean;
}

/** The configuration of a topic as it stands now: its overrides over the broker's defaults. */
export type PartitionConfigSource = (topic: string) => PartitionConfig;
