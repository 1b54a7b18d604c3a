import type { LogConfig } from '../log-config.ts';
import type { ProducerState } from '../producers/producer-state.ts';
import type { TopicPartition } from '../types.ts';

/** Where and how a log is opened. */
export interface LogOptions {
  readonly topicPartition: TopicPartition;
  /** Written to `partition.metadata` when that is not there; null leaves it out. */
  readonly topicId: string | null;
  readonly folder: string;
  readonly config: LogConfig;
  /** Everything below was durable. */
  readonly recoveryPoint: number;
  /** Everything below has been through compaction, which leaves gaps between segments; 0 without. */
  readonly compactedOffset: number;
  readonly logStartOffset: number;
  /** By the checkpoint; 0 when it does not say. */
  readonly highWatermark: number;
  readonly hadCleanShutdown: boolean;
  /** Data in the page cache may be missing on the disk although it counts as written: recovery writes it again. */
  readonly hadFailedSync: boolean;
}

/** Of a log that has nothing in its folder yet. */
export function emptyLogOptions(
  place: Pick<LogOptions, 'topicPartition' | 'folder' | 'config' | 'topicId'>,
): LogOptions {
  return {
    ...place,
    recoveryPoint: 0,
    compactedOffset: 0,
    logStartOffset: 0,
    highWatermark: 0,
    hadCleanShutdown: true,
    hadFailedSync: false,
  };
}

/** What an open log knows beside its files, for the one that goes on with them under another name. */
export interface LogHandover {
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Everything below is durable; see `Log.recoveryPoint`. */
  readonly flushedOffset: number;
  readonly recoveryPoint: number;
  readonly highWatermark: number;
  readonly producers: ProducerState;
  readonly epochs: readonly { readonly epoch: number; readonly startOffset: number }[];
}
