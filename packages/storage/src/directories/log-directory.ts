import type { Disk, DiskLock, Random } from '@ottla/platform';
import { LogDirUnusableError } from '../errors.ts';
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

/** The offsets that a directory's checkpoints hold, by partition key. */
export interface DirectoryCheckpoints {
  readonly recoveryPoints: Map<string, number>;
  /** Up to where each log was compacted. */
  readonly compactedOffsets: Map<string, number>;
  readonly logStartOffsets: Map<string, number>;
  readonly highWatermarks: Map<string, number>;
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
  #directoryId = '';
  #failure: unknown = null;
  /** Partitions deleted since the recovery points were written: a new one of that name must not inherit theirs. */
  readonly #deletedKeys = new Set<string>();
  #writing: Promise<void> = Promise.resolve();

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

  /** From here on the log is part of the checkpoints. */
  addLog(log: Log): void {
    this.logs.set(partitionKey(log.topicPartition), log);
  }

  /** The partition was deleted; its recovery point leaves the disk with the next checkpoint. */
  removeLog(key: string): void {
    this.logs.delete(key);
    this.#deletedKeys.add(key);
  }

  /** Before a partition is created: its namesake's recovery point must be gone from the disk. */
  prepareCreation(key: string): void {
    if (this.#deletedKeys.has(key)) this.checkpointRecoveryPointsSync();
  }

  checkpointRecoveryPointsSync(): void {
    this.#disk.replaceFileSync(this.#file(RECOVERY_POINT_FILE), this.#format(recoveryPointOf));
    this.#deletedKeys.clear();
  }

  /** Writes all three checkpoints; one writer at a time. A failure takes the directory offline. */
  checkpoint(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#checkpointNow());
    return this.#writing;
  }

  /** One after the other, since a later write must not be overtaken by an earlier one. */
  async #checkpointNow(): Promise<void> {
    if (this.#failure !== null) return;
    try {
      // The recovery points go first and are read at the last moment: an old one is only slow, a new one must be true.
      const deleted = [...this.#deletedKeys];
      await this.#disk.replaceFile(this.#file(RECOVERY_POINT_FILE), this.#format(recoveryPointOf));
      for (const key of deleted) this.#deletedKeys.delete(key);
      await this.#disk.replaceFile(this.#file(LOG_START_OFFSET_FILE), this.#format(logStartOffsetOf));
      await this.#disk.replaceFile(this.#file(HIGH_WATERMARK_FILE), this.#format(highWatermarkOf));
    } catch (error) {
      this.fail(error);
    }
  }

  /** The lines of one checkpoint, in the order in which the logs were opened. */
  #format(offsetOf: (log: Log) => number | null): string {
    const entries: OffsetCheckpointEntry[] = [];
    for (const log of this.logs.values()) {
      const offset = offsetOf(log);
      if (offset !== null) entries.push({ ...log.topicPartition, offset });
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

const recoveryPointOf = (log: Log): number => log.recoveryPoint;
const highWatermarkOf = (log: Log): number => log.highWatermark;
/** As Kafka does, only where records were deleted within the first segment: else its base offset says it already. */
const logStartOffsetOf = (log: Log): number | null =>
  log.logStartOffset > log.firstSegmentBaseOffset ? log.logStartOffset : null;

/** Before anything in the directory is read: what another broker is changing says nothing. @throws LogDirUnusableError */
function takeLock(disk: Disk, path: string): DiskLock {
  let lock: DiskLock | false;
  try {
    if (!disk.existsSync(path)) {
      disk.mkdirSync(path);
      // The directory's own name must survive a power cut, or all that is durable in it is lost with it.
      disk.syncFolderSync(path.slice(0, path.lastIndexOf('/')) || '/');
    }
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

/** One line with the system's own reason, and what to look at. */
function unusable(path: string, error: unknown): LogDirUnusableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new LogDirUnusableError(
    path,
    `Log directory "${path}" cannot be used: ${reason}. Check that it exists, that this user may write there and that the volume has space`,
    { cause: error },
  );
}
