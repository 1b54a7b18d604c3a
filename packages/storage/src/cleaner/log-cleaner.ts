import type { Clock, Disk, TimerHandle } from '@ottla/platform';
import type { LogDirectory } from '../directories/log-directory.ts';
import { CleanerCheckpoint } from '../files/cleaner-checkpoint.ts';
import { CLEANED_SUFFIX, isFutureFolderName, partitionKey } from '../files/log-files.ts';
import { cleanableRange, isDirtier, type CleanableRange, type LogFacts } from '../log/cleanable-log.ts';
import type { Log } from '../log/log.ts';
import type { TopicPartition } from '../types.ts';
import { cleanError, type CleanError } from './clean-error.ts';
import type { CleanerSettings, CleanJob, CleanRunner } from './clean-job.ts';

/** The cleaner's configuration, read anew before each compaction. */
export interface LogCleanerSettings extends CleanerSettings {
  /** How long it rests when there is nothing to compact (`log.cleaner.backoff.ms`). */
  readonly backoffMs: number;
  /** Logs compacted at the same time (`log.cleaner.threads`); they share memory and rate. */
  readonly threads: number;
}

export interface LogCleanerOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly runner: CleanRunner;
  readonly settings: () => LogCleanerSettings;
  readonly directories: readonly LogDirectory[];
  /** Told of a compaction that failed; the log stays as it was. */
  readonly onFailure: (topicPartition: TopicPartition, error: CleanError) => void;
}

interface Candidate {
  readonly log: Log;
  readonly directory: LogDirectory;
  readonly range: CleanableRange;
}

/**
 * Compacts the logs with `cleanup.policy=compact`, one at a time, the dirtiest first, and rests when none is worth it
 * (Kafka's LogCleaner). The work itself is done by a runner, off the event loop.
 */
export class LogCleaner {
  readonly #options: LogCleanerOptions;
  readonly #checkpoints = new Map<LogDirectory, CleanerCheckpoint>();
  /** Logs that hold what is no batch: they are left alone until the next start. */
  readonly #uncleanable = new Set<string>();
  /** Folders in which a job is at work. A job goes on for a while when its log is deleted, and another log of that name may be there by then. */
  readonly #busyFolders = new Set<string>();
  #timer: TimerHandle | null = null;
  #working: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: LogCleanerOptions) {
    this.#options = options;
  }

  /** Begins to look for work, after a first rest. */
  start(): void {
    this.#rest();
  }

  #rest(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.setTimer(this.#options.settings().backoffMs, () => {
      this.#working = this.cleanAll().finally(() => this.#rest());
    });
  }

  /** Compacts until nothing is worth it any more. Never rejects. */
  async cleanAll(): Promise<void> {
    const taken = new Set<Log>();
    const { threads } = this.#options.settings();
    await Promise.all(Array.from({ length: Math.max(1, threads) }, () => this.#cleanNext(taken)));
  }

  /** One log after the other; `taken` are those under way, and those that failed and wait for the next time. */
  async #cleanNext(taken: Set<Log>): Promise<void> {
    for (let next = this.#dirtiest(taken); next !== null; next = this.#dirtiest(taken)) {
      if (this.#isClosed) return;
      taken.add(next.log);
      if (await this.#clean(next)) taken.delete(next.log);
    }
  }

  /** The log to compact next. */
  #dirtiest(except: ReadonlySet<Log>): Candidate | null {
    let best: Candidate | null = null;
    for (const directory of this.#options.directories) {
      if (directory.failure !== null) continue;
      for (const log of directory.logs.values()) {
        if (!this.#mayClean(log, except)) continue;
        const range = this.#rangeOf(log, directory);
        if (range === null || (best !== null && !isDirtier(range, best.range))) continue;
        best = { log, directory, range };
      }
    }
    return best;
  }

  #rangeOf(log: Log, directory: LogDirectory): CleanableRange | null {
    try {
      // What is not durable yet will be by the time it is compacted.
      return cleanableRange(this.#factsOf(log, directory, log.lastStableOffset));
    } catch (error) {
      // The time of a segment may have to be read from its file.
      this.#onFailure(log, directory, error);
      return null;
    }
  }

  #mayClean(log: Log, except: ReadonlySet<Log>): boolean {
    // A copy in the making follows its log, compacted or not.
    if (!log.config.compact || isFutureFolderName(log.folder) || this.#busyFolders.has(log.folder))
      return false;
    return !except.has(log) && !this.#uncleanable.has(partitionKey(log.topicPartition));
  }

  #factsOf(log: Log, directory: LogDirectory, stableOffset: number): LogFacts {
    return {
      config: log.config,
      nowMs: this.#options.clock.nowMs(),
      logStartOffset: log.logStartOffset,
      logEndOffset: log.logEndOffset,
      stableOffset,
      sealed: log.compaction.sealedSegments(),
      cleanedUpTo: this.#checkpointOf(directory).get(log.topicPartition),
    };
  }

  /** True when the log was compacted. */
  async #clean({ log, directory }: Candidate): Promise<boolean> {
    this.#busyFolders.add(log.folder);
    try {
      const range = await this.#durableRange(log, directory);
      if (range === null) return false;
      const { endOffset } = await this.#options.runner.run(this.#jobFor(log, range), async (group) => {
        if (!(await log.compaction.replaceSegments(group.replaced))) throw new LogChangedError();
      });
      // One that was deleted meanwhile has been forgotten: another log may have its name by now.
      if (endOffset <= range.firstDirtyOffset || !log.compaction.isUsable) return false;
      await this.#checkpointOf(directory).write(log.topicPartition, endOffset, directory.partitions());
      return true;
    } catch (error) {
      if (directory.failure === null) this.#removeLeftovers(log.folder);
      this.#onFailure(log, directory, error);
      return false;
    } finally {
      this.#busyFolders.delete(log.folder);
    }
  }

  /**
   * The range once it is durable, and with it the markers that decided its transactions: one that a power cut could take
   * back must not have removed anything.
   */
  async #durableRange(log: Log, directory: LogDirectory): Promise<CleanableRange | null> {
    const { lastStableOffset } = log;
    await log.flush();
    return cleanableRange(this.#factsOf(log, directory, Math.min(lastStableOffset, log.recoveryPoint)));
  }

  #jobFor(log: Log, { firstDirtyOffset, segments }: CleanableRange): CleanJob {
    const { config } = log;
    const settings = this.#options.settings();
    const threads = Math.max(1, settings.threads);
    return {
      folder: log.folder,
      segments: segments.map(({ baseOffset, endOffset, sizeInBytes }) => ({
        baseOffset,
        endOffset,
        sizeInBytes,
      })),
      firstDirtyOffset,
      aborted: log.transactions.aborted(segments[0]!.baseOffset, segments.at(-1)!.endOffset),
      producers: log.compaction.lastBatches(),
      nowMs: this.#options.clock.nowMs(),
      deleteRetentionMs: config.deleteRetentionMs,
      indexIntervalBytes: config.indexIntervalBytes,
      segmentIndexBytes: config.segmentIndexBytes,
      segmentBytes: config.segmentBytes,
      settings: {
        dedupeBufferBytes: settings.dedupeBufferBytes / threads,
        loadFactor: settings.loadFactor,
        maxBytesPerSecond: settings.maxBytesPerSecond / threads,
      },
    };
  }

  /**
   * A log that changed or went away meanwhile is looked at again later. A full disk is no reason to give up a directory
   * whose logs only need to be smaller; any other refusal of the system is.
   */
  #onFailure(log: Log, directory: LogDirectory, error: unknown): void {
    if (error instanceof LogChangedError || this.#isClosed || !log.compaction.isUsable) return;
    const failure = cleanError(error);
    if (failure.code === 'ENOENT') return;
    if (failure.isDamage) this.#uncleanable.add(partitionKey(log.topicPartition));
    else if (failure.code !== undefined && failure.code !== 'ENOSPC' && failure.code !== 'EDQUOT') {
      directory.fail(failure);
    }
    this.#options.onFailure(log.topicPartition, failure);
  }

  /** Also in the folder of a log that has the place of the one that was cleaned: when it is swapped itself, they would count as a part of that. */
  #removeLeftovers(folder: string): void {
    const { disk } = this.#options;
    try {
      for (const name of disk.listSync(folder)) {
        if (name.endsWith(CLEANED_SUFFIX)) disk.unlinkSync(`${folder}/${name}`);
      }
    } catch {
      // The next start removes them too.
    }
  }

  /** The log was deleted. */
  async noteDeletion({ topicPartition }: Log, directory: LogDirectory): Promise<void> {
    this.#uncleanable.delete(partitionKey(topicPartition));
    await this.#checkpointOf(directory).forget(topicPartition, directory.partitions());
  }

  /** The log has moved: what is compacted of it need not be compacted again. */
  async noteMove(log: Log, from: LogDirectory, to: LogDirectory): Promise<void> {
    const compacted = this.#checkpointOf(from).get(log.topicPartition);
    if (compacted === undefined) return;
    await this.#checkpointOf(to).write(log.topicPartition, compacted, to.partitions());
  }

  #checkpointOf(directory: LogDirectory): CleanerCheckpoint {
    let checkpoint = this.#checkpoints.get(directory);
    if (checkpoint === undefined) {
      checkpoint = new CleanerCheckpoint(this.#options.disk, directory.path);
      this.#checkpoints.set(directory, checkpoint);
    }
    return checkpoint;
  }

  /** Ends a compaction that is under way. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#options.runner.close();
    await this.#working;
  }
}

/** Segments of the log were removed while it was being compacted. */
class LogChangedError extends Error {
  override readonly name = 'LogChangedError';
}
