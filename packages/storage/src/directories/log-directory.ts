import { parentPath, type Disk, type DiskLock, type Random } from '@ottla/platform';
import { LogDirOfflineError, LogDirUnusableError } from '../errors.ts';
import { readCompactedOffsets } from '../files/cleaner-checkpoint.ts';
import {
  CLEAN_SHUTDOWN_FILE,
  FAILED_SYNC_FILE,
  formatCleanShutdown,
  formatMetaProperties,
  LOCK_FILE,
  META_PROPERTIES_FILE,
  readCleanShutdown,
  readMetaProperties,
  type FoundMetaProperties,
} from '../files/dir-files.ts';
import { partitionKey } from '../files/log-files.ts';
import {
  formatOffsets,
  HIGH_WATERMARK_FILE,
  LOG_START_OFFSET_FILE,
  readOffsetCheckpoint,
  RECOVERY_POINT_FILE,
  type OffsetCheckpointEntry,
} from '../files/offset-checkpoint.ts';
import type { LogDir } from '../log/log-context.ts';
import type { Log } from '../log/log.ts';
import type { TopicPartition } from '../types.ts';

/** The offsets that a directory's checkpoints hold, by partition key. */
export interface DirectoryCheckpoints {
  readonly recoveryPoints: Map<string, number>;
  /** Up to where each log was compacted. */
  readonly compactedOffsets: Map<string, number>;
  readonly logStartOffsets: Map<string, number>;
  readonly highWatermarks: Map<string, number>;
}

/** One of the files with an offset for each log. */
interface Checkpoint {
  readonly file: string;
  /** Null for a log that is left out. */
  readonly offsetOf: (log: Log) => number | null;
  /** The offsets that the file held at the start, by partition key. */
  readonly foundIn: (checkpoints: DirectoryCheckpoints) => ReadonlyMap<string, number>;
}

/** A log that could not be opened, with what the checkpoints said then. */
interface DamagedLog {
  readonly topicPartition: TopicPartition;
  readonly checkpoints: DirectoryCheckpoints;
}

const RECOVERY_POINTS: Checkpoint = {
  file: RECOVERY_POINT_FILE,
  offsetOf: (log) => log.recoveryPoint,
  foundIn: (checkpoints) => checkpoints.recoveryPoints,
};
const LOG_START_OFFSETS: Checkpoint = {
  file: LOG_START_OFFSET_FILE,
  // As Kafka does, only where records were deleted within the first segment: else its base offset says it already.
  offsetOf: (log) => (log.logStartOffset > log.firstSegmentBaseOffset ? log.logStartOffset : null),
  foundIn: (checkpoints) => checkpoints.logStartOffsets,
};
const HIGH_WATERMARKS: Checkpoint = {
  file: HIGH_WATERMARK_FILE,
  offsetOf: (log) => log.highWatermark,
  foundIn: (checkpoints) => checkpoints.highWatermarks,
};

/**
 * Log starts that are not above the high watermarks on the disk: a start that finds one above takes it for damage, whatever
 * was deleted since those were written.
 */
function logStartsUpTo(highWatermarks: ReadonlyMap<Log, number>): Checkpoint {
  return {
    ...LOG_START_OFFSETS,
    offsetOf: (log) => {
      const offset = LOG_START_OFFSETS.offsetOf(log);
      return offset === null ? null : Math.min(offset, highWatermarks.get(log) ?? offset);
    },
  };
}

/** One entry of `log.dirs`: its lock, identity, checkpoints, and whether it can be used. */
export class LogDirectory implements LogDir {
  readonly path: string;
  readonly logs = new Map<string, Log>();
  /** Epoch in the clean shutdown marker; null when the last run did not end cleanly. */
  readonly cleanShutdownEpoch: number | null;
  /** A disk call failed in an earlier run: see FAILED_SYNC_FILE. */
  readonly hadFailedSync: boolean;
  readonly #disk: Disk;
  readonly #lock: DiskLock;
  readonly #onFailure: (dir: string, error: unknown) => void;
  readonly #found: FoundMetaProperties | null;
  /** Logs that are damaged, and so not among `logs`, by partition key. */
  readonly #damaged = new Map<string, DamagedLog>();
  #directoryId = '';
  #failure: unknown = null;
  /** Partitions that were deleted since the checkpoints were written, each with the number of its deletion. */
  readonly #deleted = new Map<string, number>();
  #deletionCount = 0;
  #writing: Promise<void> = Promise.resolve();
  /** The last of `#writing`, until it begins. */
  #waiting: Promise<void> | null = null;

  /** Creates the directory if need be and takes its lock. @throws LogDirUnusableError */
  constructor(disk: Disk, path: string, onFailure: (dir: string, error: unknown) => void) {
    this.path = path;
    this.#disk = disk;
    this.#onFailure = onFailure;
    this.#lock = takeLock(disk, path);
    try {
      this.#found = readMetaProperties(disk, this.#file(META_PROPERTIES_FILE));
      this.hadFailedSync = disk.existsSync(this.#file(FAILED_SYNC_FILE));
      this.cleanShutdownEpoch = readCleanShutdown(disk, this.#file(CLEAN_SHUTDOWN_FILE));
    } catch (error) {
      this.#lock.releaseSync();
      throw unusable(path, error);
    }
  }

  get directoryId(): string {
    return this.#directoryId;
  }

  /** Cluster id in `meta.properties`; null for a directory that was never used. */
  get clusterId(): string | null {
    return this.#found?.clusterId ?? null;
  }

  get failure(): unknown {
    return this.#failure;
  }

  /** Idempotent: the first error is the one that counts, those that follow from it are not reported again. */
  fail(error: unknown): void {
    if (this.#failure !== null) return;
    this.#failure = error ?? new Error('Unknown disk failure');
    try {
      this.#disk.replaceFileSync(this.#file(FAILED_SYNC_FILE), '');
    } catch {
      // A disk that takes nothing any more will not have lost what it never had.
    }
    this.#onFailure(this.path, this.#failure);
  }

  /** Checks whose directory it is and completes `meta.properties`. @throws LogDirUnusableError for a foreign one */
  identify(owner: { clusterId: string; nodeId: number; random: Random }): void {
    const found = this.#found;
    const { clusterId, nodeId } = owner;
    if (found !== null && found.version !== '1' && !found.isBlank) {
      const version = found.version === null ? 'no version' : `version "${found.version}"`;
      throw this.#foreign(`meta.properties has ${version}, only "1" can be used`);
    }
    if (found?.clusterId !== undefined && found.clusterId !== null && found.clusterId !== clusterId) {
      throw this.#foreign(`it belongs to the cluster "${found.clusterId}", not "${clusterId}"`);
    }
    if (found?.nodeId !== undefined && found.nodeId !== null && found.nodeId !== nodeId) {
      throw this.#foreign(`it belongs to the node with node.id "${found.nodeId}", not "${nodeId}"`);
    }
    this.#directoryId = found?.directoryId ?? owner.random.uuid();
    if (found?.clusterId === clusterId && found.nodeId === nodeId && found.directoryId !== null) return;
    const content = formatMetaProperties({ clusterId, nodeId, directoryId: this.#directoryId });
    try {
      this.#disk.replaceFileSync(this.#file(META_PROPERTIES_FILE), content);
    } catch (error) {
      throw unusable(this.path, error);
    }
  }

  /** The user's way out is always the same: another directory. */
  #foreign(reason: string): LogDirUnusableError {
    return new LogDirUnusableError(
      this.path,
      `Log directory "${this.path}" cannot be used: ${reason}. Set log.dirs to this broker's own directory`,
    );
  }

  /** From now on the directory changes: without a new marker the next start has to recover. */
  async removeCleanShutdownMarker(): Promise<void> {
    if (this.cleanShutdownEpoch === null) return;
    this.#disk.unlinkSync(this.#file(CLEAN_SHUTDOWN_FILE));
    await this.#disk.syncFolder(this.path);
  }

  async forgetFailedSync(): Promise<void> {
    if (!this.hadFailedSync) return;
    this.#disk.unlinkSync(this.#file(FAILED_SYNC_FILE));
    await this.#disk.syncFolder(this.path);
  }

  /** Absent files are empty checkpoints: every log is then recovered from its beginning. @throws Error for malformed ones */
  readCheckpoints(): DirectoryCheckpoints {
    return {
      recoveryPoints: readOffsetCheckpoint(this.#disk, this.#file(RECOVERY_POINT_FILE)),
      compactedOffsets: readCompactedOffsets(this.#disk, this.path),
      logStartOffsets: readOffsetCheckpoint(this.#disk, this.#file(LOG_START_OFFSET_FILE)),
      highWatermarks: readOffsetCheckpoint(this.#disk, this.#file(HIGH_WATERMARK_FILE)),
    };
  }

  /** Partitions with a folder here, also those whose logs are damaged. */
  partitions(): TopicPartition[] {
    return [...this.logs.values(), ...this.#damaged.values()].map(({ topicPartition }) => topicPartition);
  }

  /** From here on the log is part of the checkpoints. */
  addLog(log: Log): void {
    this.logs.set(partitionKey(log.topicPartition), log);
  }

  /**
   * A log that cannot be opened keeps its place in the checkpoints: a start that did not find its recovery point there would
   * take the damage for an end that was never durable, and cut the log.
   */
  addDamaged(topicPartition: TopicPartition, checkpoints: DirectoryCheckpoints): void {
    this.#damaged.set(partitionKey(topicPartition), { topicPartition, checkpoints });
  }

  /** The partition was deleted; it leaves the checkpoints when they are written the next time. */
  removeLog(key: string): void {
    this.logs.delete(key);
    this.#damaged.delete(key);
    this.#deleted.set(key, ++this.#deletionCount);
  }

  /**
   * Before a partition is created, here or in another directory: a namesake that was deleted here must be gone from the disk for
   * good. A power cut could bring its folder back beside the new one, and a start would take records of the new log for damaged
   * ones by the old recovery point, or for deleted ones by the old log start offset.
   * @throws LogDirOfflineError
   */
  prepareCreation(key: string): void {
    if (this.#failure !== null || !this.#deleted.has(key)) return;
    try {
      // Which also makes the other name of the folder durable.
      this.#writeSync(RECOVERY_POINTS);
      this.#writeSync(HIGH_WATERMARKS);
      this.#writeSync(LOG_START_OFFSETS);
      this.#deleted.clear();
    } catch (error) {
      this.fail(error);
      throw new LogDirOfflineError(this.path, error);
    }
  }

  checkpointRecoveryPointsSync(): void {
    this.#writeSync(RECOVERY_POINTS);
  }

  /** See `LogDir`. One that has not begun yet is for all who ask: a topic with a thousand partitions is deleted in a thousand calls. */
  checkpoint(): Promise<void> {
    this.#waiting ??= this.#writing.then(() => {
      this.#waiting = null;
      return this.#checkpointNow();
    });
    this.#writing = this.#waiting;
    return this.#writing;
  }

  async #checkpointNow(): Promise<void> {
    if (this.#failure !== null) return;
    try {
      // The recovery points go first and are read at the last moment: an old one is only slow, a new one must be true.
      const deleted = [...this.#deleted];
      await this.#write(RECOVERY_POINTS);
      const highWatermarks = new Map(Array.from(this.logs.values(), (log) => [log, log.highWatermark]));
      await this.#write(HIGH_WATERMARKS);
      await this.#write(logStartsUpTo(highWatermarks));
      for (const [key, deletion] of deleted)
        if (this.#deleted.get(key) === deletion) this.#deleted.delete(key);
    } catch (error) {
      this.fail(error);
    }
  }

  #write(checkpoint: Checkpoint): Promise<void> {
    return this.#disk.replaceFile(this.#file(checkpoint.file), this.#format(checkpoint));
  }

  #writeSync(checkpoint: Checkpoint): void {
    this.#disk.replaceFileSync(this.#file(checkpoint.file), this.#format(checkpoint));
  }

  /** The lines of a checkpoint: the logs in the order in which they were opened, then what it said of damaged ones. */
  #format({ offsetOf, foundIn }: Checkpoint): string {
    const entries: OffsetCheckpointEntry[] = [];
    for (const log of this.logs.values()) {
      const offset = offsetOf(log);
      if (offset !== null) entries.push({ ...log.topicPartition, offset });
    }
    for (const [key, { topicPartition, checkpoints }] of this.#damaged) {
      const offset = foundIn(checkpoints).get(key);
      if (offset !== undefined) entries.push({ ...topicPartition, offset });
    }
    return formatOffsets(entries);
  }

  /** The last step of a clean shutdown. */
  async markClean(brokerEpoch: number): Promise<void> {
    if (this.#failure !== null) return;
    await this.#disk.replaceFile(this.#file(CLEAN_SHUTDOWN_FILE), formatCleanShutdown(brokerEpoch));
  }

  /** Gives the lock back; the directory must not be used afterwards. */
  release(): void {
    this.#lock.releaseSync();
  }

  #file(name: string): string {
    return `${this.path}/${name}`;
  }
}

/** Before anything in the directory is read: what another broker is changing says nothing. @throws LogDirUnusableError */
function takeLock(disk: Disk, path: string): DiskLock {
  let lock: DiskLock | false;
  try {
    createFolder(disk, path);
    lock = disk.lockSync(`${path}/${LOCK_FILE}`);
  } catch (error) {
    throw unusable(path, error);
  }
  if (lock !== false) return lock;
  throw new LogDirUnusableError(
    path,
    `Log directory "${path}" is in use by another broker (its .lock file is held). Stop that broker or set log.dirs to another directory`,
  );
}

/** With those above it; each name has to survive a power cut, or all that is durable below is lost with it. */
function createFolder(disk: Disk, path: string): void {
  if (disk.existsSync(path)) return;
  const parent = parentPath(path);
  createFolder(disk, parent);
  disk.mkdirSync(path);
  disk.syncFolderSync(parent);
}

/** One line with the system's own reason, and what to look at. */
function unusable(path: string, error: unknown): LogDirUnusableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new LogDirUnusableError(
    path,
    `Log directory "${path}" cannot be used: ${reason}. Check that it exists, that this user may write there and that the volume has space`,
    { cause: error },
  );
}
