import type { Clock, Logger } from '@ottla/platform';
import type { Log, LogManager } from '@ottla/storage';
import { MoveThrottle } from './move-throttle.ts';
import type { Partition } from './partition.ts';

export interface LogDirMovesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logManager: LogManager;
  /** What all moves together may copy now. */
  readonly bytesPerSecond: () => number;
  /** The partition has its log in another directory now. */
  readonly onMoved: (partition: Partition) => void;
}

/** How much is copied in one turn of the event loop. */
const PIECE_BYTES = 256 * 1024;

/**
 * Moves logs to other directories of this broker (KIP-113). A copy follows the log as a follower would, from its start to its end,
 * while the log is in use; when it has all there is, the high watermark is held for the time of one flush, and the copy takes
 * the log's place within one turn of the event loop. So nothing that was acknowledged is missing in it.
 */
export class LogDirMoves {
  readonly #options: LogDirMovesOptions;
  readonly #throttle: MoveThrottle;
  /** The copies that are being filled. */
  readonly #running = new Set<Log>();
  #isClosed = false;

  constructor(options: LogDirMovesOptions) {
    this.#options = options;
    this.#throttle = new MoveThrottle(options.clock, options.bytesPerSecond);
  }

  /**
   * Begins to move a partition's log, unless it is there or on its way there. A move to another directory is given up; so is
   * every move when the log is to stay where it is. @throws LogError KAFKA_STORAGE_ERROR
   */
  start(partition: Partition, current: Log, path: string): void {
    const { logManager } = this.#options;
    const under = logManager.future(current.topicPartition);
    if (under !== undefined && under.parentDir !== path) logManager.cancelFuture(current.topicPartition);
    if (current.parentDir === path) return;
    if (under === undefined || under.parentDir !== path) logManager.createFuture(current, path);
    this.resume(partition);
  }

  /** Goes on with the move of a partition that there is a copy of. */
  resume(partition: Partition): void {
    const future = this.#options.logManager.future(partition);
    if (future === undefined || this.#running.has(future)) return;
    this.#running.add(future);
    void this.#run(partition, future).finally(() => this.#running.delete(future));
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(partition: Partition, future: Log): Promise<void> {
    const { logManager } = this.#options;
    const isWanted = (): boolean =>
      !this.#isClosed && partition.log !== null && logManager.future(partition) === future;
    try {
      if (partition.log !== null && !isOfSameTopic(partition.log, future)) logManager.cancelFuture(partition);
      // A power cut may have taken the id from the copy, or it was begun before the log had its own.
      else future.assignTopicId(partition.topicId);
      while (isWanted()) {
        // Also when there is nothing to wait for: what lies in memory is copied without any pause.
        await new Promise((resolve) => setImmediate(resolve));
        if (!isWanted()) return;
        const { sizeInBytes, isComplete } = await copyPiece(partition.log!, future);
        this.#throttle.add(sizeInBytes);
        if (isComplete && isWanted() && (await this.#takePlace(partition, future, isWanted))) {
          return this.#options.onMoved(partition);
        }
        await this.#throttle.wait(isWanted);
      }
    } catch (error) {
      // The log or the copy went away on purpose.
      if (!isWanted()) return;
      const { topic, partition: index } = partition;
      this.#options.logger.error(
        { topic, partition: index, from: partition.log?.folder, to: future.folder, err: error },
        'A log could not be moved to another directory and stays where it is',
      );
    }
  }

  /** False when the move was given up meanwhile. */
  async #takePlace(partition: Partition, future: Log, isWanted: () => boolean): Promise<boolean> {
    const { logManager } = this.#options;
    // Most of it is made durable before anybody has to wait for the rest.
    await future.flush();
    if (!isWanted()) return false;
    partition.holdCommits();
    try {
      while (isWanted() && lagOf(partition.log!, future) > 0) await copyPiece(partition.log!, future);
      await future.flush();
      await logManager.prepareReplacement(future);
      while (isWanted() && lagOf(partition.log!, future) > 0) await copyPiece(partition.log!, future);
      // From here to the end of the call nothing else can run.
      if (!isWanted()) return false;
      partition.replaceLog(logManager.replaceWithFuture(partition.log!, future));
      return true;
    } finally {
      partition.resumeCommits();
    }
  }
}

/** False for a copy that is left over from a deleted topic of the same name. */
function isOfSameTopic(current: Log, future: Log): boolean {
  return future.topicId === null || current.topicId === null || future.topicId === current.topicId;
}

function lagOf(current: Log, future: Log): number {
  return current.logEndOffset - future.logEndOffset;
}

/** Appends what comes next to the copy; `isComplete` when that was all there was. */
async function copyPiece(
  current: Log,
  future: Log,
): Promise<{ readonly sizeInBytes: number; readonly isComplete: boolean }> {
  // Retention was faster.
  if (future.logEndOffset < current.logStartOffset) future.truncateFullyAndStartAt(current.logStartOffset);
  const upToOffset = current.logEndOffset;
  const read = await current.read(future.logEndOffset, {
    maxBytes: PIECE_BYTES,
    upToOffset,
    minOneMessage: true,
  });
  try {
    for (const records of read.batches) appendPiece(current, future, records);
  } finally {
    read.lease?.release();
  }
  future.updateHighWatermark(current.highWatermark);
  future.maybeIncrementLogStartOffset(Math.min(current.logStartOffset, future.highWatermark));
  return { sizeInBytes: read.sizeInBytes, isComplete: read.nextOffset >= upToOffset };
}

function appendPiece(current: Log, future: Log, records: Buffer): void {
  const { config } = current;
  // A batch from before `segment.bytes` was lowered has to fit too.
  future.updateConfig({ ...config, segmentBytes: Math.max(config.segmentBytes, records.length) });
  const firstOffset = Number(records.readBigInt64BE(0));
  // The log begins in the middle of a batch, which a copy can only have as a whole.
  if (firstOffset < future.logEndOffset) future.truncateFullyAndStartAt(firstOffset);
  future.append(records, { origin: 'replication', leaderEpoch: -1 });
}
