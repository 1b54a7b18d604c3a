import type { DiskFile } from '@ottla/platform';
import { BATCH_HEADER_BYTES, BatchLayout, type BatchSummary } from '@ottla/protocol';
import type { PinnedFile } from '../files/file-pool.ts';
import {
  DELETED_SUFFIX,
  INDEX_SUFFIX,
  LOG_SUFFIX,
  offsetName,
  SNAPSHOT_SUFFIX,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../files/log-files.ts';
import type { IndexContext } from '../indexes/index-file.ts';
import { OffsetIndex } from '../indexes/offset-index.ts';
import { TimeIndex, type TimestampOffset } from '../indexes/time-index.ts';
import { TransactionIndex } from '../indexes/transaction-index.ts';
import type { LogConfig } from '../log-config.ts';

/** Offsets in an index are relative to the segment's base, in a signed int32. */
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;
const REWRITE_BYTES = 1024 * 1024;

export interface SegmentOptions {
  readonly folder: string;
  readonly baseOffset: number;
  readonly config: LogConfig;
  /** When the segment counts as begun while it has no record (wall clock). */
  readonly nowMs: number;
  /** Taken off `segment.ms`. */
  readonly jitterMs: number;
  /** Follows the names of the files while compaction makes them or the log takes them over; none by default. */
  readonly suffix?: string;
}

/**
 * One piece of a log: the `.log` file with its indexes. Only the last segment of a log is active, that is appended to;
 * it has its file open and its indexes in memory. Sealed ones read through the pool.
 */
export class LogSegment {
  readonly baseOffset: number;
  readonly folder: string;
  readonly path: string;
  readonly offsetIndex: OffsetIndex;
  readonly timeIndex: TimeIndex;
  readonly txnIndex: TransactionIndex;
  readonly #context: IndexContext;
  readonly #createdMs: number;
  readonly #jitterMs: number;
  #file: DiskFile | null = null;
  /** Calls on `#file` that are under way: closing it then would hand its number to another file. */
  #calls = 0;
  #size: number;
  /** Bytes of `#size` that are on their way to the file, at its end. */
  #pendingBytes = 0;
  #maxTimestamp: TimestampOffset = { timestamp: -1, offset: -1 };
  /** Timestamp of the first batch: rolling by time goes by the age of the records. */
  #rollingTimestamp = -1;
  #bytesSinceLastIndexEntry = 0;
  #isSealed = false;

  constructor(context: IndexContext, options: SegmentOptions) {
    const { baseOffset, config, folder, suffix = '' } = options;
    const name = `${folder}/${offsetName(baseOffset)}`;
    const maxBytes = config.segmentIndexBytes;
    this.#context = context;
    this.baseOffset = baseOffset;
    this.folder = folder;
    this.path = name + LOG_SUFFIX + suffix;
    this.#createdMs = options.nowMs;
    this.#jitterMs = options.jitterMs;
    this.offsetIndex = new OffsetIndex(context, { path: name + INDEX_SUFFIX + suffix, baseOffset, maxBytes });
    this.timeIndex = new TimeIndex(context, {
      path: name + TIME_INDEX_SUFFIX + suffix,
      baseOffset,
      maxBytes,
    });
    this.txnIndex = new TransactionIndex(context, name + TXN_INDEX_SUFFIX + suffix);
    // After a crash the size may include a torn tail; recovery corrects it.
    this.#size = context.disk.existsSync(this.path) ? context.disk.sizeSync(this.path) : 0;
    this.#maxTimestamp = this.timeIndex.lastEntry();
  }

  get sizeInBytes(): number {
    return this.#size;
  }

  /** Size of the file: less than `sizeInBytes` while appends are on their way to it. */
  get writtenBytes(): number {
    return this.#size - this.#pendingBytes;
  }

  get maxTimestamp(): TimestampOffset {
    return this.#maxTimestamp;
  }

  /** Newest record time; the file's own time for records without timestamps, as Kafka's retention has it. */
  get largestTimestamp(): number {
    if (this.#maxTimestamp.timestamp >= 0) return this.#maxTimestamp.timestamp;
    return this.#context.disk.modifiedMsSync(this.path);
  }

  /** Time of the first batch; -1 in an empty segment. Read from the file when the segment is of an earlier run. */
  firstTimestamp(): number {
    if (this.#rollingTimestamp >= 0 || this.#size < BATCH_HEADER_BYTES) return this.#rollingTimestamp;
    const header = Buffer.alloc(BATCH_HEADER_BYTES);
    this.readSync(header, header.length, 0);
    this.#rollingTimestamp = Number(header.readBigInt64BE(BatchLayout.maxTimestamp));
    return this.#rollingTimestamp;
  }

  get isActive(): boolean {
    return !this.#isSealed && this.#file !== null;
  }

  /** Opens the file for appending and loads the indexes. */
  activate(): void {
    if (this.#file === null) this.#file = this.#context.disk.openSync(this.path, 'append');
    this.#context.pool.drop(this.path);
    this.offsetIndex.file.activate();
    this.timeIndex.file.activate();
    const last = this.offsetIndex.file.count - 1;
    this.#bytesSinceLastIndexEntry = this.#size - (last < 0 ? 0 : this.offsetIndex.entry(last).position);
    this.#isSealed = false;
  }

  /** Whether a batch of that size and those offsets belongs into a new segment. */
  shouldRoll(
    batch: { bytes: number; lastOffset: number; maxTimestamp: number },
    config: LogConfig,
    nowMs: number,
  ): boolean {
    // Kafka's order of conditions; an empty segment is never rolled for its age.
    if (this.#size > config.segmentBytes - batch.bytes) return true;
    if (batch.lastOffset - this.baseOffset > MAX_RELATIVE_OFFSET) return true;
    if (this.offsetIndex.isFull || this.timeIndex.isFull) return true;
    if (this.#size === 0) return false;
    const waitedMs =
      this.#rollingTimestamp >= 0 && batch.maxTimestamp >= 0
        ? batch.maxTimestamp - this.#rollingTimestamp
        : nowMs - this.#createdMs;
    const segmentMs = maxSegmentMs(config);
    return waitedMs > segmentMs - Math.min(this.#jitterMs, segmentMs);
  }

  /** Sets the time that rolling by age counts from, after a restart; taken from the first batch of the file. */
  setRollingTimestamp(timestamp: number): void {
    this.#rollingTimestamp = timestamp;
  }

  /** Writes batches at the end, when nothing is pending; `noteBatch` follows for each of them. */
  write(buffers: readonly Buffer[]): void {
    this.#file!.writeSync(buffers, this.#size);
  }

  /** The batches noted last will be written later. */
  notePending(bytes: number): void {
    this.#pendingBytes += bytes;
  }

  /** Writes the oldest of what is pending through the thread pool; `noteWritten` follows. */
  writeInPool(buffers: readonly Buffer[]): Promise<void> {
    return this.#call((file) => file.write(buffers, this.writtenBytes));
  }

  /** Writes the oldest of what is pending. */
  writePending(bytes: Buffer): void {
    this.#file!.writeSync([bytes], this.writtenBytes);
    this.noteWritten(bytes.length);
  }

  /** The oldest pending bytes are in the file. */
  noteWritten(bytes: number): void {
    this.#pendingBytes -= bytes;
  }

  /** Counts a batch that stands at the end of the segment now, and gives it index entries at the usual distance. */
  noteBatch(batch: BatchSummary, indexIntervalBytes: number): void {
    if (this.#size === 0) this.#rollingTimestamp = batch.maxTimestamp;
    if (batch.maxTimestamp > this.#maxTimestamp.timestamp) {
      this.#maxTimestamp = { timestamp: batch.maxTimestamp, offset: batch.lastOffset };
    }
    if (this.#bytesSinceLastIndexEntry > indexIntervalBytes) {
      this.offsetIndex.append(batch.lastOffset, this.#size);
      this.timeIndex.maybeAppend(this.#maxTimestamp.timestamp, this.#maxTimestamp.offset);
      this.#bytesSinceLastIndexEntry = 0;
    }
    this.#size += batch.sizeInBytes;
    this.#bytesSinceLastIndexEntry += batch.sizeInBytes;
  }

  /** Empties the indexes; the batches are to be noted again from the beginning. */
  resetIndexes(): void {
    this.offsetIndex.file.reset();
    this.timeIndex.file.reset();
    this.txnIndex.reset();
    this.#size = 0;
    this.#maxTimestamp = { timestamp: -1, offset: -1 };
    this.#rollingTimestamp = -1;
    this.#bytesSinceLastIndexEntry = 0;
  }

  /** The segment ends here: its newest time gets an entry, the indexes go to their files and out of memory. */
  seal(): void {
    this.timeIndex.maybeAppend(this.#maxTimestamp.timestamp, this.#maxTimestamp.offset);
    this.offsetIndex.file.seal();
    this.timeIndex.file.seal();
    this.#isSealed = true;
  }

  /** Brings entries that are only in memory to the page cache, so that less is lost to a crash. */
  persistIndexes(): void {
    this.offsetIndex.file.persist();
    this.timeIndex.file.persist();
  }

  /** Makes the segment durable; of a sealed one also the indexes, since recovery will not look at it again. */
  async sync(): Promise<void> {
    const wasSealed = this.#isSealed;
    if (this.#file === null) await this.#syncPath(this.path);
    else await this.#call((file) => file.datasync());
    if (wasSealed) await this.syncIndexes();
  }

  /** A call through the thread pool on the handle for writing, which stays open meanwhile. */
  async #call(run: (file: DiskFile) => Promise<void>): Promise<void> {
    const file = this.#file!;
    this.#calls++;
    try {
      await run(file);
    } finally {
      this.#calls--;
      if (this.#calls === 0 && this.#file !== file) file.closeSync();
    }
  }

  /** Closes the handle for writing, after the calls that may be under way; readers use the pool. */
  closeFile(): void {
    if (this.#calls === 0) this.#file?.closeSync();
    this.#file = null;
  }

  /** The transaction index may be absent: it is created with its first entry. */
  async syncIndexes(): Promise<void> {
    for (const path of [this.offsetIndex.file.path, this.timeIndex.file.path, this.txnIndex.path]) {
      if (this.#context.disk.existsSync(path)) await this.#syncPath(path);
    }
  }

  async #syncPath(path: string): Promise<void> {
    const pinned = this.#context.pool.pin(path);
    try {
      await pinned.file.datasync();
    } finally {
      pinned.unpin();
    }
  }

  /** Reads on the event loop: truncation only. */
  readSync(target: Buffer, length: number, position: number): number {
    return (this.#file ?? this.#context.pool.get(this.path)).readSync(target, 0, length, position);
  }

  /**
   * Reads through the thread pool. The handle is pinned meanwhile, so that removing or truncating the segment does not
   * close it under the read; also the active segment is read through a handle of the pool.
   */
  async read(target: Buffer, length: number, position: number): Promise<number> {
    const pinned = this.#context.pool.pin(this.path);
    try {
      return await pinned.file.read(target, 0, length, position);
    } finally {
      pinned.unpin();
    }
  }

  /** The handle for readers, open until it is given back; null when too many are held like this. */
  pinForLong(): PinnedFile | null {
    return this.#context.pool.pinForLong(this.path);
  }

  /** Cuts the file and the indexes; `position` is where the batch with `offset` begins. */
  truncate(offset: number, position: number, maxTimestamp: TimestampOffset): void {
    this.activate();
    this.#file!.truncateSync(position);
    this.#size = position;
    this.offsetIndex.truncateTo(offset);
    this.timeIndex.truncateTo(offset);
    this.txnIndex.truncateTo(offset);
    this.#maxTimestamp = maxTimestamp;
    if (position === 0) this.#rollingTimestamp = -1;
    this.activate();
  }

  /** Cuts bytes after the last good batch; the indexes do not point there. */
  cutTail(validBytes: number): void {
    this.activate();
    this.#file!.truncateSync(validBytes);
    this.#size = validBytes;
  }

  /** Writes the content over itself, so that the next sync has to bring it to the disk. */
  rewrite(): void {
    const file = this.#file ?? this.#context.disk.openSync(this.path, 'append');
    const buffer = Buffer.allocUnsafeSlow(REWRITE_BYTES);
    try {
      for (let position = 0; position < this.#size; position += buffer.length) {
        const length = file.readSync(buffer, 0, Math.min(buffer.length, this.#size - position), position);
        file.writeSync([buffer.subarray(0, length)], position);
      }
    } finally {
      if (file !== this.#file) file.closeSync();
    }
  }

  /** The data and its indexes, there or not. */
  ownPaths(): string[] {
    return [this.path, this.offsetIndex.file.path, this.timeIndex.file.path, this.txnIndex.path];
  }

  /** All files that belong to the segment, there or not. The snapshot is of the producers at its base offset. */
  filePaths(): string[] {
    return [...this.ownPaths(), `${this.folder}/${offsetName(this.baseOffset)}${SNAPSHOT_SUFFIX}`];
  }

  /** Renames the files to `.deleted`; returns the paths to remove later, when no reader can hold them any more. */
  markDeleted(options: { keepSnapshot: boolean }): string[] {
    this.closeFile();
    const renamed: string[] = [];
    for (const path of this.filePaths()) {
      if (options.keepSnapshot && path.endsWith(SNAPSHOT_SUFFIX)) continue;
      this.#context.pool.drop(path);
      if (!this.#context.disk.existsSync(path)) continue;
      this.#context.disk.renameSync(path, path + DELETED_SUFFIX);
      renamed.push(path + DELETED_SUFFIX);
    }
    return renamed;
  }
}

/** A compacted log rolls at least as often as its records have to become compactable (`max.compaction.lag.ms`). */
function maxSegmentMs({ compact, segmentMs, maxCompactionLagMs }: LogConfig): number {
  return compact && maxCompactionLagMs > 0 ? Math.min(maxCompactionLagMs, segmentMs) : segmentMs;
}
