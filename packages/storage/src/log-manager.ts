import type { Clock, Disk, Random, TimerHandle } from '@ottla/platform';
import type { CleanError } from './cleaner/clean-error.ts';
import type { CleanRunner } from './cleaner/clean-job.ts';
import { InlineCleanRunner } from './cleaner/clean-runners.ts';
import { LogCleaner, type LogCleanerSettings } from './cleaner/log-cleaner.ts';
import { FoundLogs } from './directories/found-logs.ts';
import { FutureLogs, isPrefix } from './directories/future-logs.ts';
import { LogDirectory, type DirectoryCheckpoints } from './directories/log-directory.ts';
import { DamagedLogError, LogDirOfflineError, LogDirUnusableError, LogError } from './errors.ts';
import { FilePool } from './files/file-pool.ts';
import {
  deletedFolderName,
  folderName,
  isDeletedFolderName,
  parseFolderName,
  parseFutureFolderName,
  partitionKey,
} from './files/log-files.ts';
import type { LogConfig } from './log-config.ts';
import { SyncGate, type LogContext } from './log/log-context.ts';
import { emptyLogOptions } from './log/log-options.ts';
import { Log } from './log/log.ts';
import { PendingBytes } from './log/write-queue.ts';
import { type RecordMemory, TailCache } from './memory/tail-cache.ts';
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
  /** Told of a log whose durable part is damaged: the partition stays offline, every use of it gets this error. */
  readonly onDamagedLog?: (topicPartition: TopicPartition, error: DamagedLogError) => void;
  /** Told before each log that is loaded; `remaining` counts the logs still to load in the directory. */
  readonly onLoadProgress?: (progress: LoadProgress) => void;
  /** `producer.id.expiration.check.interval.ms`. */
  readonly producerExpirationCheckMs?: number;
  /** `producer.id.expiration.ms` as it is now; a day by default. */
  readonly producerIdExpirationMs?: () => number;
  /** Bound of the tail cache over all logs; default 64 MiB. */
  readonly tailCacheBytes?: number;
  /** `log.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs?: number;
  /** `log.flush.scheduler.interval.ms`; by default topics' `flush.ms` is looked at every second. */
  readonly flushSchedulerIntervalMs?: number;
  /** `log.flush.offset.checkpoint.interval.ms` (and the start offset's). */
  readonly checkpointIntervalMs?: number;
  /** `num.recovery.threads.per.data.dir`: logs loaded at the same time per directory. */
  readonly recoveryThreadsPerDir?: number;
  /** How logs with `cleanup.policy=compact` are compacted; absent: they are not (`log.cleaner.enable=false`). */
  readonly cleaner?: CleanerOptions;
}

export interface CleanerOptions {
  readonly settings: () => LogCleanerSettings;
  /** Where the work is done; by default on this thread. */
  readonly runner?: CleanRunner;
  /** Told of a compaction that failed; the log stays as it was. */
  readonly onFailure?: (topicPartition: TopicPartition, error: CleanError) => void;
}

export interface LoadProgress {
  readonly dir: string;
  readonly log: string;
  readonly remaining: number;
  /** The last run did not end cleanly: the log is read from its recovery point on. */
  readonly recovering: boolean;
}

export interface LogDirInfo {
  readonly path: string;
  readonly directoryId: string;
  readonly online: boolean;
}

/** The log of cluster metadata lies beside the partitions; it is the controller's. */
const METADATA_TOPIC = '__cluster_metadata';
const DEFAULT_TAIL_CACHE_BYTES = 64 * 1024 * 1024;
/** Kafka waits this long after the start before it removes old segments. */
const INITIAL_RETENTION_DELAY_MS = 30_000;
/**
 * How many of the disk's threads may sync at a time; the rest is left to reads and writes. Syncs of several files share
 * commits of the file system's journal: twelve at a time are 1.7 times as many per second as three (ext4).
 */
const SYNCING_SHARE = 3 / 4;

/** Wishes for partitions that may never be created, whoever sends them, must not fill the memory. */
const MAX_PREFERRED_DIRS = 100_000;

/** A folder that a start found, with the partition that its name tells. */
interface FoundFolder {
  readonly name: string;
  readonly topicPartition: TopicPartition;
  readonly isFuture: boolean;
}

/** A log whose durable part is damaged: its folder stays as it is. */
interface DamagedLog extends Pick<Log, 'topicPartition' | 'folder' | 'config'> {
  /** What every use of the partition gets. */
  readonly error: DamagedLogError;
  readonly dir: LogDirectory;
}

/** Copies in the making are read by nobody: their tails would only drive those of other logs out of memory. */
const FUTURE_TAIL_CACHE_BYTES = 1024 * 1024;

/** All logs of a broker and the directories that hold them. */
export class LogManager {
  readonly clusterId: string;
  /** Where requests with records are best received. */
  readonly recordMemory: RecordMemory;
  readonly #options: LogManagerOptions;
  readonly #directories: LogDirectory[];
  readonly #contexts = new Map<LogDirectory, { current: LogContext; future: LogContext }>();
  readonly #futures: FutureLogs;
  /** Where partitions are to be created that are not there yet, by key. */
  readonly #preferredDirs = new Map<string, string>();
  readonly #logs = new Map<string, Log>();
  readonly #damaged = new Map<string, DamagedLog>();
  readonly #found: FoundLogs;
  readonly #pool: FilePool;
  readonly #timers = new Set<TimerHandle>();
  /** Removals of deleted partitions and the like; `close` waits for those that have begun. */
  readonly #background = new Set<Promise<void>>();
  #closing: Promise<void> | null = null;
  readonly #cleaner: LogCleaner | null;

  private constructor(options: LogManagerOptions, directories: LogDirectory[], clusterId: string) {
    this.#options = options;
    this.#directories = directories;
    this.clusterId = clusterId;
    this.#pool = new FilePool(options.disk);
    this.#found = new FoundLogs(options.disk);
    const tailCache = new TailCache(options.tailCacheBytes ?? DEFAULT_TAIL_CACHE_BYTES);
    this.recordMemory = tailCache;
    const syncGate = new SyncGate(Math.ceil(options.disk.concurrency * SYNCING_SHARE));
    const pendingBytes = new PendingBytes();
    const futureTailCache = new TailCache(FUTURE_TAIL_CACHE_BYTES);
    for (const dir of directories) {
      const contextWith = (cache: TailCache): LogContext => ({
        disk: options.disk,
        pool: this.#pool,
        clock: options.clock,
        random: options.random,
        tailCache: cache,
        syncGate,
        pendingBytes,
        dir,
        get producerIdExpirationMs() {
          return options.producerIdExpirationMs?.() ?? 86_400_000;
        },
      });
      this.#contexts.set(dir, { current: contextWith(tailCache), future: contextWith(futureTailCache) });
    }
    this.#futures = this.#openFutures();
    this.#cleaner = openCleaner(options, directories);
  }

  /** Takes the locks, loads every log. @throws LogDirUnusableError with the one line for the user */
  static async open(options: LogManagerOptions): Promise<LogManager> {
    const { directories, failures } = openDirectories(options);
    try {
      const known = directories.find((dir) => dir.clusterId !== null)?.clusterId ?? null;
      const clusterId = options.clusterId ?? known ?? options.random.uuid();
      for (const dir of directories)
        dir.identify({ clusterId, nodeId: options.nodeId, random: options.random });
      const manager = new LogManager(options, directories, clusterId);
      for (const failure of failures) options.onDirFailure(failure.dir, failure);
      await Promise.all(directories.map((dir) => manager.#loadDirectory(dir)));
      await manager.#settleFutures(failures.length === 0);
      if (directories.every((dir) => dir.failure !== null)) throw noneLeft(directories);
      manager.#startTimers();
      manager.#cleaner?.start();
      return manager;
    } catch (error) {
      for (const dir of directories) dir.release();
      throw error;
    }
  }

  /** The previous run of every directory ended cleanly (a new directory counts as clean). */
  get hadCleanShutdown(): boolean {
    return this.#directories.every((dir) => dir.cleanShutdownEpoch !== null || dir.clusterId === null);
  }

  dirs(): LogDirInfo[] {
    return this.#directories.map((dir) => ({
      path: dir.path,
      directoryId: dir.directoryId,
      online: dir.failure === null,
    }));
  }

  /** Whether a path is one of `log.dirs`, and whether it can be used. */
  directoryState(path: string): 'online' | 'offline' | 'unknown' {
    if (!this.#options.dirs.includes(path)) return 'unknown';
    return this.#directories.some((dir) => dir.path === path && dir.failure === null) ? 'online' : 'offline';
  }

  /** Some of `log.dirs` cannot be used: a log that is nowhere to be found may lie there. */
  get hasOfflineDirectory(): boolean {
    return this.#options.dirs.some((path) => this.directoryState(path) !== 'online');
  }

  get(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(partitionKey(topicPartition));
  }

  allLogs(): Iterable<Log> {
    return this.#logs.values();
  }

  /**
   * The log of a partition; its folder is created in the directory with the fewest logs when there is none yet.
   * @throws LogError KAFKA_STORAGE_ERROR, INCONSISTENT_TOPIC_ID
   */
  getOrCreate(topicPartition: TopicPartition, topicId: string | null, config: LogConfig): Log {
    const key = partitionKey(topicPartition);
    if (topicId !== null) this.#settleNamesakes(key, topicId);
    const existing = this.#logs.get(key);
    if (existing !== undefined) {
      if (topicId !== null) existing.assignTopicId(topicId);
      return existing;
    }
    const damaged = this.#damaged.get(key);
    if (damaged !== undefined) throw damaged.error;
    for (const each of this.#directories) each.prepareCreation(key);
    const dir = this.#preferredDirectory(key) ?? this.#leastUsedDirectory();
    try {
      const options = emptyLogOptions({ topicPartition, folder: `${dir.path}/${key}`, config, topicId });
      const log = Log.create(this.#contexts.get(dir)!.current, options);
      this.#logs.set(key, log);
      this.#preferredDirs.delete(key);
      dir.addLog(log);
      return log;
    } catch (error) {
      if (error instanceof LogError) throw error;
      dir.fail(error);
      throw new LogDirOfflineError(dir.path, error);
    }
  }

  /** Of the logs that a start has found for a partition, the one of this topic stays; the others were deleted with theirs. */
  #settleNamesakes(key: string, topicId: string): void {
    for (const namesake of this.#found.takeNamesakes(key)) {
      const given = namesake.topicId === topicId ? this.#logs.get(key) : namesake;
      if (given !== namesake) this.#logs.set(key, namesake);
      if (given !== undefined) this.#discard(given);
    }
  }

  /** Where a partition goes when it is created, unless it is there already or the directory is offline by then. */
  preferDirectory(topicPartition: TopicPartition, path: string): void {
    const key = partitionKey(topicPartition);
    // The newest count, as after a second wish for the same partition.
    this.#preferredDirs.delete(key);
    this.#preferredDirs.set(key, path);
    const [oldest] = this.#preferredDirs.keys();
    if (this.#preferredDirs.size > MAX_PREFERRED_DIRS) this.#preferredDirs.delete(oldest!);
  }

  #preferredDirectory(key: string): LogDirectory | null {
    const path = this.#preferredDirs.get(key);
    return this.#directories.find((dir) => dir.path === path && dir.failure === null) ?? null;
  }

  /** Kafka's choice for a new partition. */
  #leastUsedDirectory(): LogDirectory {
    let best: LogDirectory | null = null;
    for (const dir of this.#directories) {
      if (dir.failure === null && (best === null || dir.logs.size < best.logs.size)) best = dir;
    }
    if (best !== null) return best;
    const [first] = this.#directories;
    throw new LogDirOfflineError(first!.path, first!.failure);
  }

  /** Renames the folder to `topic-N.uuid-delete` at once and removes it after `file.delete.delay.ms`; a copy goes with it. */
  asyncDelete(topicPartition: TopicPartition): void {
    const key = partitionKey(topicPartition);
    // First, so that a crash does not leave the copy alone, which a start would take for the log.
    this.#futures.cancel(topicPartition);
    const damaged = this.#damaged.get(key);
    if (damaged !== undefined) {
      this.#damaged.delete(key);
      this.#retire(damaged.dir, damaged);
    }
    const log = this.#logs.get(key);
    if (log === undefined) return;
    this.#logs.delete(key);
    this.#discard(log);
  }

  #discard(log: Log): void {
    const dir = this.#directoryOf(log);
    // What is under way must find the log closed, not only without its folder.
    const released = log.release();
    this.#retire(dir, log);
    this.#inBackground(released.then(() => this.#noteDeletion(log, dir)));
  }

  /** Renames a folder that is given up, and removes it later. In a directory that is offline everything stays. */
  #retire(dir: LogDirectory, log: Pick<Log, 'topicPartition' | 'folder' | 'config'>): void {
    dir.removeLog(partitionKey(log.topicPartition));
    if (dir.failure !== null) return;
    const retired = this.#retiredFolder(dir, log.topicPartition);
    try {
      this.#options.disk.renameSync(log.folder, retired);
    } catch (error) {
      dir.fail(error);
      throw new LogDirOfflineError(dir.path, error);
    }
    this.#removeLater(retired, log.config.fileDeleteDelayMs);
  }

  async #noteDeletion(log: Log, dir: LogDirectory): Promise<void> {
    if (dir.failure !== null) return;
    await this.#cleaner?.noteDeletion(log, dir).catch((error: unknown) => dir.fail(error));
    await dir.checkpoint();
  }

  #retiredFolder(dir: LogDirectory, topicPartition: TopicPartition): string {
    return `${dir.path}/${deletedFolderName(topicPartition, this.#uniqueHex())}`;
  }

  #directoryOf(log: Log): LogDirectory {
    return this.#directories.find((each) => each.path === log.parentDir)!;
  }

  /** The copy of a partition that is on its way to another directory. */
  future(topicPartition: TopicPartition): Log | undefined {
    return this.#futures.get(topicPartition);
  }

  allFutures(): Log[] {
    return this.#futures.all();
  }

  /** Begins a copy of a log in another directory (KIP-113), which the caller fills. @throws LogError KAFKA_STORAGE_ERROR */
  createFuture(current: Log, path: string): Log {
    const dir = this.#directories.find((each) => each.path === path);
    if (dir === undefined) throw new Error(`"${path}" is none of log.dirs`);
    if (dir.failure !== null) throw new LogDirOfflineError(path, dir.failure);
    return this.#futures.create(current, dir);
  }

  cancelFuture(topicPartition: TopicPartition): void {
    this.#futures.cancel(topicPartition);
  }

  /**
   * Writes the copy's checkpoints: a start after a crash may otherwise take the gaps of a compacted log for a loss. To be
   * done before `replaceWithFuture`, when the copy is flushed.
   */
  prepareReplacement(future: Log): Promise<void> {
    return this.#directoryOf(future).checkpoint();
  }

  /** The copy, which has everything by now, becomes the partition's log; the old one is removed like a deleted one. */
  replaceWithFuture(current: Log, future: Log): Log {
    const [from, to] = [this.#directoryOf(current), this.#directoryOf(future)];
    const log = this.#futures.replace(current, future);
    this.#logs.set(partitionKey(log.topicPartition), log);
    this.#inBackground(this.#noteMove(log, from, to));
    return log;
  }

  async #noteMove(log: Log, from: LogDirectory, to: LogDirectory): Promise<void> {
    await this.#cleaner?.noteMove(log, from, to).catch((error: unknown) => to.fail(error));
    await Promise.all([to.checkpoint(), from.checkpoint()]);
  }

  #openFutures(): FutureLogs {
    return new FutureLogs({
      disk: this.#options.disk,
      directoryOf: (log) => this.#directoryOf(log),
      contextOf: (dir, use) => this.#contexts.get(dir)![use],
      uniqueHex: () => this.#uniqueHex(),
      discard: (log) => this.#discard(log),
      retiredFolder: (log) => this.#retiredFolder(this.#directoryOf(log), log.topicPartition),
      retire: (log, retired) => {
        this.#inBackground(log.release());
        this.#removeLater(retired, log.config.fileDeleteDelayMs);
      },
    });
  }

  /** Before anything is served: what a crash has left of copies. */
  async #settleFutures(isComplete: boolean): Promise<void> {
    const areAllThere = isComplete && this.#directories.every((dir) => dir.failure === null);
    for (const future of this.#futures.all()) {
      const key = partitionKey(future.topicPartition);
      const current = this.#logs.get(key);
      if (current !== undefined) await this.#copyAnewUnlessPrefix(current, future);
      else if (areAllThere && !this.#damaged.has(key)) await this.#promote(future);
    }
  }

  /**
   * A crash while a copy took its log's place has left the copy alone. With a directory missing, the log may be there. One that
   * does not say whose it is was not durable yet: it was not what took the place, and its topic may be gone.
   */
  async #promote(future: Log): Promise<void> {
    if (future.topicId === null) return this.#futures.cancel(future.topicPartition);
    const log = await this.#futures.promote(future);
    this.#logs.set(partitionKey(log.topicPartition), log);
    await this.#directoryOf(log).checkpoint();
  }

  /**
   * A power cut may take from the log what its copy still has, and those offsets will go to other records (or have gone, while
   * the copy's directory was offline). Cutting the copy could come undone in the next power cut; that there is another one is
   * durable before the log is in use.
   */
  async #copyAnewUnlessPrefix(current: Log, future: Log): Promise<void> {
    const dir = this.#directoryOf(future);
    const isGood = dir.failure !== null || current.isOffline || (await isPrefix(future, current));
    // Looking may have taken one of the directories offline.
    if (isGood || dir.failure !== null || current.isOffline) return;
    this.#futures.cancel(future.topicPartition);
    this.#futures.create(current, dir);
    await this.#options.disk.syncFolder(dir.path);
  }

  /** 32 hex digits, as Kafka writes a uuid without dashes in the names of deleted folders. */
  #uniqueHex(): string {
    return Buffer.from(this.#options.random.uuid(), 'base64url').toString('hex');
  }

  #removeLater(folder: string, delayMs: number): void {
    // A failed removal costs space, not data; the next start tries again.
    this.#after(delayMs, () => this.#inBackground(this.#options.disk.removeFolder(folder).catch(() => {})));
  }

  /** Compacts all that is worth it, now: for tests; the broker's cleaner does so by itself. */
  async compactNow(): Promise<void> {
    await this.#cleaner?.cleanAll();
  }

  /** Total and usable bytes of the volume of a directory (DescribeLogDirs). */
  volume(dir: string): Promise<{ totalBytes: number; usableBytes: number }> {
    return this.#options.disk.statVolume(dir);
  }

  /**
   * Loads all logs of a directory, a bounded number at a time. The marker of the clean shutdown goes first, so that a
   * crash on the way leads to recovery; fresh checkpoints come last, so that those of deleted partitions are gone.
   */
  async #loadDirectory(dir: LogDirectory): Promise<void> {
    try {
      const checkpoints = dir.readCheckpoints();
      const names = this.#options.disk.listSync(dir.path);
      const folders: FoundFolder[] = [];
      for (const name of names) {
        if (isDeletedFolderName(name)) this.#removeLater(`${dir.path}/${name}`, 0);
        const future = parseFutureFolderName(name);
        const topicPartition = future ?? parseFolderName(name);
        if (topicPartition === null || topicPartition.topic === METADATA_TOPIC) continue;
        if (!this.#options.disk.isDirectorySync(`${dir.path}/${name}`)) continue;
        folders.push({ name, topicPartition, isFuture: future !== null });
      }
      await dir.removeCleanShutdownMarker();
      let remaining = folders.length;
      const loadNext = async (): Promise<void> => {
        for (let next = folders.shift(); next !== undefined; next = folders.shift()) {
          const recovering = dir.cleanShutdownEpoch === null;
          this.#options.onLoadProgress?.({ dir: dir.path, log: next.name, remaining, recovering });
          await (next.isFuture
            ? this.#loadFuture(dir, next, checkpoints)
            : this.#loadLog(dir, next, checkpoints));
          remaining--;
        }
      };
      const workers = Math.max(1, this.#options.recoveryThreadsPerDir ?? 2);
      await Promise.all(Array.from({ length: workers }, loadNext));
      if (names.length > 0) await dir.checkpoint();
      await dir.forgetFailedSync();
    } catch (error) {
      dir.fail(error);
    }
  }

  /** One damaged log is noted and skipped; any other failure is the directory's. */
  async #loadLog(dir: LogDirectory, found: FoundFolder, checkpoints: DirectoryCheckpoints): Promise<void> {
    const { topicPartition } = found;
    const key = partitionKey(topicPartition);
    const isFirst = this.#found.isFirst(key, dir.path);
    try {
      const log = await this.#open(dir, found, checkpoints);
      if (isFirst) this.#logs.set(key, log);
      else this.#found.addNamesake(key, log);
      dir.addLog(log);
    } catch (error) {
      if (!(error instanceof DamagedLogError)) throw error;
      // One damaged partition must not take the others of its directory away.
      dir.addDamaged(topicPartition, checkpoints);
      const folder = `${dir.path}/${found.name}`;
      this.#damaged.set(key, {
        topicPartition,
        folder,
        config: this.#options.configFor(topicPartition.topic),
        error,
        dir,
      });
      this.#options.onDamagedLog?.(topicPartition, error);
    }
  }

  /** A copy that an earlier run began. One that is no use is removed: the move begins anew or is forgotten. */
  async #loadFuture(dir: LogDirectory, found: FoundFolder, checkpoints: DirectoryCheckpoints): Promise<void> {
    const { disk } = this.#options;
    const { topicPartition, name } = found;
    const isInVain =
      this.#futures.get(topicPartition) !== undefined ||
      disk.existsSync(`${dir.path}/${folderName(topicPartition)}`);
    try {
      if (!isInVain) return this.#futures.add(await this.#open(dir, found, checkpoints));
    } catch (error) {
      if (!(error instanceof DamagedLogError)) throw error;
    }
    const retired = this.#retiredFolder(dir, topicPartition);
    disk.renameSync(`${dir.path}/${name}`, retired);
    this.#removeLater(retired, 0);
  }

  async #open(dir: LogDirectory, found: FoundFolder, checkpoints: DirectoryCheckpoints): Promise<Log> {
    const { topicPartition, isFuture, name } = found;
    const key = partitionKey(topicPartition);
    const context = this.#contexts.get(dir)!;
    const highWatermark = checkpoints.highWatermarks.get(key) ?? 0;
    const log = await Log.open(isFuture ? context.future : context.current, {
      topicPartition,
      folder: `${dir.path}/${name}`,
      config: this.#options.configFor(topicPartition.topic),
      recoveryPoint: checkpoints.recoveryPoints.get(key) ?? 0,
      compactedOffset: checkpoints.compactedOffsets.get(key) ?? 0,
      logStartOffset: checkpoints.logStartOffsets.get(key) ?? 0,
      highWatermark,
      hadCleanShutdown: dir.cleanShutdownEpoch !== null,
      hadFailedSync: dir.hadFailedSync,
      topicId: null,
    });
    log.updateHighWatermark(highWatermark);
    return log;
  }

  /** The periodic work, each at Kafka's interval. Timers are set anew after each run: none piles up behind a slow one. */
  #startTimers(): void {
    const { retentionCheckIntervalMs = 300_000, flushSchedulerIntervalMs = 1000 } = this.#options;
    const { checkpointIntervalMs = 60_000, producerExpirationCheckMs = 600_000 } = this.#options;
    this.#every(flushSchedulerIntervalMs, flushSchedulerIntervalMs, (log) => log.maybeFlushByTime());
    this.#every(producerExpirationCheckMs, producerExpirationCheckMs, (log) => log.removeExpiredProducers());
    this.#every(
      Math.min(INITIAL_RETENTION_DELAY_MS, retentionCheckIntervalMs),
      retentionCheckIntervalMs,
      (log) => {
        if (!log.isOffline) log.deleteOldSegments();
      },
    );
    const checkpoint = (): void => {
      for (const log of [...this.#logs.values(), ...this.#futures.all()]) log.persistIndexes();
      for (const dir of this.#directories) void dir.checkpoint();
      this.#after(checkpointIntervalMs, checkpoint);
    };
    this.#after(checkpointIntervalMs, checkpoint);
  }

  /** Runs `action` for every log, again and again. */
  #every(firstDelayMs: number, intervalMs: number, action: (log: Log) => void): void {
    const run = (): void => {
      for (const log of this.#logs.values()) {
        try {
          action(log);
        } catch (error) {
          // A log that went offline has told so already; the others have their turn.
          if (!(error instanceof LogError)) throw error;
        }
      }
      this.#after(intervalMs, run);
    };
    this.#after(firstDelayMs, run);
  }

  /** A timer that `close` cancels. */
  #after(delayMs: number, callback: () => void): void {
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      callback();
    });
    this.#timers.add(timer);
  }

  /** Work that `close` waits for; its failures have been dealt with by whoever started it. */
  #inBackground(work: Promise<void>): void {
    this.#background.add(work);
    void work.finally(() => this.#background.delete(work));
  }

  /**
   * Clean shutdown: flush, snapshots, indexes, checkpoints, marker, locks. Idempotent.
   * `brokerEpoch` goes into the marker, for the next registration (KIP-966).
   */
  close(brokerEpoch = -1): Promise<void> {
    this.#closing ??= this.#close(brokerEpoch);
    return this.#closing;
  }

  /** The order matters: logs before checkpoints before the marker, which claims that all of it is there. */
  async #close(brokerEpoch: number): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    await this.#cleaner?.close();
    await Promise.all(this.#background);
    await Promise.all(
      this.#directories.map(async (dir) => {
        // An error here takes the directory offline: it gets no marker and is recovered at the next start.
        await Promise.all([...dir.logs.values()].map((log) => log.close().catch(() => log.release())));
        await dir.checkpoint();
        if (this.#damaged.size === 0)
          await dir.markClean(brokerEpoch).catch((error: unknown) => dir.fail(error));
      }),
    );
    this.#pool.close();
    for (const dir of this.#directories) dir.release();
  }
}

/** As Kafka does, a broker without any usable directory does not start. */
function noneLeft(directories: readonly LogDirectory[]): LogDirUnusableError {
  const [{ path, failure }] = directories as [LogDirectory];
  const reason = failure instanceof Error ? failure.message : String(failure);
  return new LogDirUnusableError(path, `Log directory "${path}" cannot be loaded: ${reason}`, {
    cause: failure,
  });
}

/** Locks all directories that can be used; one that is held by another broker stops everything, as in Kafka. */
function openDirectories(options: LogManagerOptions): {
  directories: LogDirectory[];
  failures: LogDirUnusableError[];
} {
  const directories: LogDirectory[] = [];
  const failures: LogDirUnusableError[] = [];
  for (const path of options.dirs) {
    try {
      directories.push(new LogDirectory(options.disk, path, options.onDirFailure));
    } catch (error) {
      if (error instanceof LogDirUnusableError && error.cause !== undefined) {
        failures.push(error);
        continue;
      }
      for (const dir of directories) dir.release();
      throw error;
    }
  }
  if (directories.length === 0) throw failures[0] ?? new Error('No log directory: set log.dirs');
  return { directories, failures };
}

function openCleaner(options: LogManagerOptions, directories: LogDirectory[]): LogCleaner | null {
  const { cleaner, disk, clock } = options;
  if (cleaner === undefined) return null;
  return new LogCleaner({
    disk,
    clock,
    directories,
    runner: cleaner.runner ?? new InlineCleanRunner({ disk, clock }),
    settings: cleaner.settings,
    onFailure: cleaner.onFailure ?? (() => {}),
  });
}
