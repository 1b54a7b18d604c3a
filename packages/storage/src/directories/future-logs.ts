import type { Disk } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { LogDirOfflineError, LogError } from '../errors.ts';
import { futureFolderName, partitionKey } from '../files/log-files.ts';
import type { LogContext } from '../log/log-context.ts';
import { emptyLogOptions, type LogHandover, type LogOptions } from '../log/log-options.ts';
import { Log } from '../log/log.ts';
import type { TopicPartition } from '../types.ts';
import type { LogDirectory } from './log-directory.ts';

/** What the copies need from the log manager. */
export interface FutureLogsHost {
  readonly disk: Disk;
  directoryOf(log: Log): LogDirectory;
  /** For a log in use, or for a copy in the making. */
  contextOf(dir: LogDirectory, use: 'current' | 'future'): LogContext;
  uniqueHex(): string;
  /** Gives a log up that is in its directory's list: its folder is renamed now and removed later. */
  discard(log: Log): void;
  /** A name under which a folder waits for its removal. */
  retiredFolder(log: Log): string;
  /** The folder was renamed to `retired`: closes the files and removes them later. */
  retire(log: Log, retired: string): void;
}

/**
 * Copies of partitions in the making, each in another directory than the log in use (KIP-113's future replicas), and the
 * moment in which one takes the place of that log. At each point a crash leaves one whole log under a name by which the next
 * start finds it:
 *
 *     a/topic-0                  b/topic-0.<hex>-future     the copy is durable up to the high watermark at least
 *     a/topic-0.<hex>-delete     b/topic-0.<hex>-future     a is synced; a start takes the copy, which is alone
 *     a/topic-0.<hex>-delete     b/topic-0                  b is synced
 */
export class FutureLogs {
  readonly #host: FutureLogsHost;
  readonly #logs = new Map<string, Log>();

  constructor(host: FutureLogsHost) {
    this.#host = host;
  }

  get(topicPartition: TopicPartition): Log | undefined {
    return this.#logs.get(partitionKey(topicPartition));
  }

  all(): Log[] {
    return [...this.#logs.values()];
  }

  /** Takes up a copy that an earlier run began. */
  add(log: Log): void {
    this.#logs.set(partitionKey(log.topicPartition), log);
    this.#host.directoryOf(log).addLog(log);
  }

  /** An empty copy of a log. @throws LogError KAFKA_STORAGE_ERROR, INVALID_TOPIC_EXCEPTION for a name that is too long */
  create(current: Log, dir: LogDirectory): Log {
    const { topicPartition } = current;
    const name = futureFolderName(topicPartition, this.#host.uniqueHex());
    if (name === null) {
      throw new LogError(
        ErrorCodes.INVALID_TOPIC_EXCEPTION,
        `Partition "${partitionKey(topicPartition)}" cannot be moved: its name leaves no room for the copy's folder name`,
      );
    }
    try {
      dir.prepareCreation(partitionKey(topicPartition));
      const log = Log.create(this.#host.contextOf(dir, 'future'), {
        ...takenOverOptions(current, `${dir.path}/${name}`),
        logStartOffset: current.logStartOffset,
        topicId: current.topicId,
      });
      this.add(log);
      return log;
    } catch (error) {
      throw failed(dir, error);
    }
  }

  /** Gives up the copy of a partition, if there is one. */
  cancel(topicPartition: TopicPartition): void {
    const log = this.get(topicPartition);
    if (log === undefined) return;
    this.#logs.delete(partitionKey(topicPartition));
    this.#host.discard(log);
  }

  /**
   * Puts the copy in the place of the log in use, which it equals; returns the log that goes on with the copy's files.
   * @throws LogError when a disk refuses: its directory is offline then
   */
  replace(current: Log, future: Log): Log {
    if (future.logEndOffset !== current.logEndOffset || future.flushedOffset < current.highWatermark)
      throw new Error(`The copy "${future.folder}" is not as far as its log yet`);
    const { disk } = this.#host;
    const from = this.#host.directoryOf(current);
    const retired = this.#host.retiredFolder(current);
    future.stopForHandover();
    try {
      disk.renameSync(current.folder, retired);
      disk.syncFolderSync(from.path);
    } catch (error) {
      throw failed(from, error);
    }
    const { flushedOffset, recoveryPoint } = future;
    let log: Log;
    try {
      const handover = { ...current.handover(), flushedOffset, recoveryPoint };
      // A crash may have brought records of the log back that were deleted before it; the copy never had them.
      const logStartOffset = Math.max(current.logStartOffset, future.logStartOffset);
      log = this.#takePlace(future, { ...handover, logStartOffset }, current);
    } catch (error) {
      // The log in use has lost nothing but its name.
      this.#renameBack(retired, current.folder);
      throw error;
    }
    from.removeLog(partitionKey(current.topicPartition));
    this.#host.retire(current, retired);
    return log;
  }

  /** A copy whose log is gone, since a crash came between the two renames: it is the log from now on. */
  async promote(future: Log): Promise<Log> {
    await future.flush();
    future.stopForHandover();
    return this.#takePlace(future, future.handover(), future);
  }

  #takePlace(future: Log, handover: LogHandover, { config }: Log): Log {
    const to = this.#host.directoryOf(future);
    const key = partitionKey(future.topicPartition);
    const folder = `${to.path}/${key}`;
    this.#logs.delete(key);
    try {
      this.#host.disk.renameSync(future.folder, folder);
      this.#host.disk.syncFolderSync(to.path);
      const options = { ...takenOverOptions(future, folder), config };
      const log = Log.takeOver(this.#host.contextOf(to, 'current'), options, handover);
      to.addLog(log);
      void future.release();
      return log;
    } catch (error) {
      this.#renameBack(folder, future.folder);
      throw failed(to, error);
    }
  }

  /** So that a start finds one log of the partition only. A disk that refuses this too is offline already. */
  #renameBack(from: string, to: string): void {
    const { disk } = this.#host;
    try {
      if (disk.existsSync(from) && !disk.existsSync(to)) disk.renameSync(from, to);
    } catch {
      // The next start says which two folders there are.
    }
  }
}

/** Whether a copy has what its log has, as far as it goes: their last common batch tells, since they differ in nothing but an end. */
export async function isPrefix(copy: Log, log: Log): Promise<boolean> {
  const last = copy.logEndOffset - 1;
  if (last >= log.logEndOffset) return false;
  if (last < Math.max(copy.logStartOffset, log.logStartOffset)) return true;
  try {
    const [own, other] = await Promise.all([batchAt(copy, last), batchAt(log, last)]);
    // Compaction may have taken the batch from the log: then nothing can be said, and copying anew is safe.
    return own.equals(other);
  } catch (error) {
    if (error instanceof LogError) return false;
    throw error;
  }
}

/** The batch that ends with an offset; no bytes when none does. */
async function batchAt(log: Log, lastOffset: number): Promise<Buffer> {
  const read = await log.read(lastOffset, { maxBytes: 1, upToOffset: lastOffset + 1, minOneMessage: true });
  const batch = Buffer.concat(read.batches);
  read.lease?.release();
  return batch;
}

/** Where a log lies that begins with what another one knows. */
function takenOverOptions({ topicPartition, config }: Log, folder: string): LogOptions {
  return emptyLogOptions({ topicPartition, folder, config, topicId: null });
}

/** Takes the directory offline unless it was the request that was refused; the error for the caller. */
function failed(dir: LogDirectory, error: unknown): LogError {
  if (error instanceof LogError) return error;
  dir.fail(error);
  return new LogDirOfflineError(dir.path, error);
}
