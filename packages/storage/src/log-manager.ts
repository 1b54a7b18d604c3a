import type { Clock, Disk, Random } from '@ottla/platform';
import type { LogConfig } from './log-config.ts';
import type { Log } from './log.ts';
import type { TopicPartition } from './types.ts';

export interface LogManagerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  /** `log.dirs`, absolute paths; created when absent. */
  readonly dirs: readonly string[];
  readonly nodeId: number;
  /** Expected cluster id; null: the one found in the directories, or a new one. */
  readonly clusterId: string | null;
  /** Configuration of a topic at load time; later changes come through `Log.updateConfig`. */
  readonly configFor: (topic: string) => LogConfig;
  /** Called once per directory that went offline; its logs refuse everything from then on. */
  readonly onDirFailure: (dir: string, error: unknown) => void;
  /** Told while logs are loaded; `remaining` counts logs still to load in the directory. */
  readonly onLoadProgress?: (progress: {
    dir: string;
    log: string;
    remaining: number;
    recovering: boolean;
  }) => void;
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs?: number;
  /** Bound of the tail cache over all logs; default 64 MiB. */
  readonly tailCacheBytes?: number;
  /** `log.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs?: number;
  /** `log.flush.scheduler.interval.ms`. */
  readonly flushSchedulerIntervalMs?: number;
  /** `log.flush.offset.checkpoint.interval.ms` (and the start offset's). */
  readonly checkpointIntervalMs?: number;
  /** `num.recovery.threads.per.data.dir`: logs loaded at the same time per directory. */
  readonly recoveryThreadsPerDir?: number;
}

export interface LogDirInfo {
  readonly path: string;
  readonly directoryId: string;
  readonly online: boolean;
}

const notYet = (): never => {
  throw new Error('Not written yet');
};

/** All logs of a broker and the directories that hold them. */
export class LogManager {
  /** Takes the locks, loads every log. @throws LogDirUnusableError with the one line for the user */
  static async open(_options: LogManagerOptions): Promise<LogManager> {
    return notYet();
  }
  readonly clusterId: string = notYet();
  /** The previous run of every directory ended cleanly. */
  readonly hadCleanShutdown: boolean = notYet();
  dirs(): LogDirInfo[] {
    return notYet();
  }
  get(_topicPartition: TopicPartition): Log | undefined {
    return notYet();
  }
  allLogs(): Iterable<Log> {
    return notYet();
  }
  /** Creates the folder in the directory with the fewest logs when there is none yet. @throws LogError KAFKA_STORAGE_ERROR, INCONSISTENT_TOPIC_ID */
  getOrCreate(_topicPartition: TopicPartition, _topicId: string | null, _config: LogConfig): Log {
    return notYet();
  }
  /** Renames the folder to `topic-N.uuid-delete` at once and removes it after `file.delete.delay.ms`. */
  asyncDelete(_topicPartition: TopicPartition): void {
    notYet();
  }
  /** Total and usable bytes of the volume of a directory (DescribeLogDirs). */
  async volume(_dir: string): Promise<{ totalBytes: number; usableBytes: number }> {
    return notYet();
  }
  /** Clean shutdown: flush, snapshots, indexes, checkpoints, marker, locks. Idempotent. */
  async close(): Promise<void> {
    notYet();
  }
}
