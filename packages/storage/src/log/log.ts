import { ErrorCodes, type BatchSummary } from '@ottla/protocol';
import { LogDirOfflineError, LogError, OffsetOutOfRangeError } from '../errors.ts';
import type { LogConfig } from '../log-config.ts';
import { LogTail } from '../memory/tail-cache.ts';
import type { ProducerBatch } from '../producers/producer-entry.ts';
import type { ProducerState } from '../producers/producer-state.ts';
import { readTransactionMarker } from '../producers/transaction-marker.ts';
import type { LogSegment } from '../segments/log-segment.ts';
import { removableSegments } from '../segments/retention.ts';
import type { SegmentList } from '../segments/segment-list.ts';
import type {
  ActiveProducer,
  EpochEndOffset,
  LogAppendInfo,
  LogAppendOptions,
  LogReadOptions,
  LogReadResult,
  LogSlice,
  TimestampAndOffset,
  TopicPartition,
} from '../types.ts';
import { duplicateInfo, tooLargeForSegment } from './append-answers.ts';
import {
  assignOffsets,
  checkFollowerOffsets,
  readBatches,
  validateBatches,
  type AppendTarget,
  type PreparedBatches,
} from './append-validator.ts';
import { LocalLog } from './local-log.ts';
import { LogCompaction } from './log-compaction.ts';
import type { LogContext } from './log-context.ts';
import { LogDurability } from './log-durability.ts';
import { LogLoader, type LoadedLog } from './log-loader.ts';
import type { LogHandover, LogOptions } from './log-options.ts';
import { LogReader } from './log-reader.ts';
import { LogTransactions } from './log-transactions.ts';
import { reloadProducers } from './producer-reload.ts';
import { WriteQueue } from './write-queue.ts';

/**
 * One partition's log (Kafka's UnifiedLog): segments, producers, leader epochs and offsets of one folder.
 *
 *     logStartOffset <= highWatermark <= logEndOffset       flushedOffset <= logEndOffset
 *     [ deleted |  readable by consumers  |  not committed yet )
 */
export class Log {
  readonly topicPartition: TopicPartition;
  /** The folder `topic-N`; changes when the log is deleted. */
  readonly folder: string;
  /** What the cleaner sees of the log. */
  readonly compaction: LogCompaction;
  /** The log's part in transactions. */
  readonly transactions: LogTransactions;
  readonly #context: LogContext;
  readonly #segments: SegmentList;
  readonly #local: LocalLog;
  readonly #loaded: LoadedLog;
  readonly #producers: ProducerState;
  readonly #reader: LogReader;
  readonly #tail: LogTail;
  readonly #writes: WriteQueue;
  readonly #durability: LogDurability;
  #config: LogConfig;
  #logStartOffset: number;
  #logEndOffset: number;
  #highWatermark: number;
  #isClosed = false;

  /** Use `Log.open`; the manager creates logs with `Log.create`. */
  private constructor(
    context: LogContext,
    options: LogOptions,
    found: { loaded: LoadedLog; isNewFolder: boolean },
  ) {
    const { loaded, isNewFolder } = found;
    this.#context = context;
    this.topicPartition = options.topicPartition;
    this.folder = options.folder;
    this.#config = options.config;
    this.#loaded = loaded;
    this.#segments = loaded.segments;
    this.#producers = loaded.producers;
    this.transactions = new LogTransactions(loaded, (error) => this.#fail(error));
    this.#logStartOffset = loaded.logStartOffset;
    this.#logEndOffset = loaded.nextOffset;
    this.#highWatermark = loaded.logStartOffset;
    this.#reader = new LogReader(loaded.segments, context.tailCache.slabs, {
      name: this.#name,
      isClosed: () => this.#isClosed,
      written: () => (this.#writes.isEmpty ? null : this.#writes.settled()),
      fail: (error) => this.#fail(error),
    });
    this.#tail = new LogTail(context.tailCache);
    this.#writes = new WriteQueue({
      slabs: context.tailCache.slabs,
      pendingBytes: context.pendingBytes,
      fail: (error) => this.#fail(error),
    });
    const owner = {
      folder: options.folder,
      endOffset: () => this.#logEndOffset,
      ensureUsable: () => this.#ensureUsable(),
      written: () => this.#writes.settled(),
      fail: (error: unknown) => this.#fail(error),
    };
    this.#durability = new LogDurability(context, owner, { files: loaded, isNewFolder });
    this.#local = new LocalLog(context, {
      folder: options.folder,
      files: loaded,
      durability: this.#durability,
      config: () => this.#config,
      onFilesChanged: () => this.#reader.forgetMarks(),
    });
    this.compaction = new LogCompaction({
      folder: options.folder,
      context,
      files: loaded,
      config: () => this.#config,
      isUsable: () => !this.#isClosed && !this.isOffline,
      fail: (error) => this.#fail(error),
      remove: (segments) => this.#local.remove(segments, segments[0]),
      add: (segment) => {
        this.#local.addSealed(segment);
        // What was compacted away would live on in memory.
        this.#tail.clear();
      },
    });
  }

  /** Opens the log in a folder (created when absent), recovering it if need be. @throws DamagedLogError */
  static async open(context: LogContext, options: LogOptions): Promise<Log> {
    const isNew = !context.disk.existsSync(options.folder);
    if (isNew) context.disk.mkdirSync(options.folder);
    const loaded = await new LogLoader(context, options).load();
    return new Log(context, options, { loaded, isNewFolder: isNew });
  }

  /** A new, empty log; synchronous, since there is nothing to read. */
  static create(context: LogContext, options: LogOptions): Log {
    context.disk.mkdirSync(options.folder);
    const loaded = new LogLoader(context, options).create();
    return new Log(context, options, { loaded, isNewFolder: true });
  }

  /** Goes on with the files of a log that has let go of them (`stopForHandover`), in a folder that was renamed. */
  static takeOver(context: LogContext, options: LogOptions, handover: LogHandover): Log {
    const loaded = new LogLoader(context, options).takeOver(handover);
    const log = new Log(context, options, { loaded, isNewFolder: true });
    log.updateHighWatermark(handover.highWatermark);
    return log;
  }

  /** The log directory that holds the folder, as configured. */
  get parentDir(): string {
    return this.#context.dir.path;
  }

  /** Uuid of the log directory (meta.properties `directory.id`). */
  get directoryId(): string {
    return this.#context.dir.directoryId;
  }

  /** From `partition.metadata`; null when unknown. */
  get topicId(): string | null {
    return this.#loaded.metadata.topicId;
  }

  /** Notes the topic's id. @throws LogError INCONSISTENT_TOPIC_ID when the folder belongs to another topic of that name */
  assignTopicId(topicId: string): void {
    try {
      this.#loaded.metadata.assign(topicId);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  get config(): LogConfig {
    return this.#config;
  }

  updateConfig(config: LogConfig): void {
    this.#config = config;
  }

  get logStartOffset(): number {
    return this.#logStartOffset;
  }

  get logEndOffset(): number {
    return this.#logEndOffset;
  }

  /** Everything below is in the page cache, and so outlives the process. */
  get writtenOffset(): number {
    return this.#writes.firstPendingOffset ?? this.#logEndOffset;
  }

  /** Resolves when `writtenOffset` has moved; at once when it is at the log end. @throws LogDirOfflineError when a write failed */
  nextWrite(): Promise<void> {
    return this.#writes.nextRound();
  }

  /** Everything below is durable. */
  get flushedOffset(): number {
    return this.#durability.flushedOffset;
  }

  /**
   * What a start after a crash may trust: everything below is durable, and segments that end below it are so together
   * with their indexes. Hence it does not pass a sealed segment until that segment's indexes are synced too.
   */
  get recoveryPoint(): number {
    return this.#durability.recoveryPoint;
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Clamped to [logStartOffset, logEndOffset]. Returns the new value. */
  updateHighWatermark(offset: number): number {
    const clamped = Math.min(Math.max(offset, this.#logStartOffset), this.#logEndOffset);
    this.#highWatermark = clamped;
    this.#producers.onHighWatermarkUpdated(clamped);
    return clamped;
  }

  /** First offset that a read_committed reader must not see: of the oldest open transaction, at most the high watermark. */
  get lastStableOffset(): number {
    const firstUnstable = this.#producers.firstUnstableOffset();
    return firstUnstable === null ? this.#highWatermark : Math.min(firstUnstable, this.#highWatermark);
  }

  get sizeInBytes(): number {
    return this.#local.sizeInBytes;
  }

  /** Where the oldest segment begins; the log start offset may lie inside of it. */
  get firstSegmentBaseOffset(): number {
    return this.#segments.first.baseOffset;
  }

  get segmentCount(): number {
    return this.#segments.length;
  }

  get isOffline(): boolean {
    return this.#context.dir.failure !== null;
  }

  get latestEpoch(): number {
    return this.#loaded.epochs.latestEpoch;
  }

  /**
   * Appends whole batches; offsets, epoch (and times) are patched into `records`, which belongs to the caller again on
   * return, unless it lies in `LogManager.recordMemory`: then it stays where it is and never changes again. The data is
   * in the page cache on return, unless `isDeferred`.
   * @throws LogError with Kafka's code: CORRUPT_MESSAGE, MESSAGE_TOO_LARGE, INVALID_RECORD, OUT_OF_ORDER_SEQUENCE_NUMBER, ...
   */
  append(records: Buffer, options: LogAppendOptions): LogAppendInfo {
    this.#ensureUsable();
    const { origin, leaderEpoch } = options;
    const target: AppendTarget = {
      topicPartition: this.topicPartition,
      config: this.#config,
      origin,
      nowMs: this.#context.clock.nowMs(),
    };
    const received = readBatches(records, target);
    if (origin === 'replication') return this.#appendAsFollower(records, received);
    const valid = validateBatches(records, received, target);
    if (valid.length > this.#config.segmentBytes) throw this.#tooLargeForSegment(valid.length);
    const duplicate = this.#checkProducers(records, received, options);
    if (duplicate !== null) return duplicateInfo(duplicate, this.#logStartOffset);
    const prepared = assignOffsets(valid, target, { nextOffset: this.#logEndOffset, leaderEpoch });
    return this.#write(prepared, options.isDeferred === true);
  }

  #appendAsFollower(records: Buffer, batches: BatchSummary[]): LogAppendInfo {
    checkFollowerOffsets(batches, this.#logEndOffset, this.#name);
    if (records.length > this.#config.segmentBytes) throw this.#tooLargeForSegment(records.length);
    return this.#write({ records, batches, logAppendTimeMs: -1 }, false);
  }

  #tooLargeForSegment(bytes: number): LogError {
    return tooLargeForSegment(bytes, { name: this.#name, segmentBytes: this.#config.segmentBytes });
  }

  #checkProducers(records: Buffer, batches: BatchSummary[], options: LogAppendOptions): ProducerBatch | null {
    for (const batch of batches) {
      if (batch.producerId < 0) continue;
      const marker = batch.isControl ? readTransactionMarker(records, batch) : null;
      const duplicate = this.#producers.check(batch, options.origin, marker);
      if (duplicate !== null) return duplicate;
      this.transactions.checkVerified(batch, options);
    }
    return null;
  }

  #write({ records, batches, logAppendTimeMs }: PreparedBatches, mayDefer: boolean): LogAppendInfo {
    const isDeferred = mayDefer && !this.#writes.isFull;
    const first = batches[0]!;
    const last = batches.at(-1)!;
    let maxTimestamp = -1;
    for (const batch of batches) if (batch.maxTimestamp > maxTimestamp) maxTimestamp = batch.maxTimestamp;
    try {
      this.#maybeRoll({
        bytes: records.length,
        firstOffset: first.baseOffset,
        lastOffset: last.lastOffset,
        maxTimestamp,
      });
      if (!isDeferred) {
        this.#writes.writeNow();
        this.#segments.active.write([records]);
      }
    } catch (error) {
      throw this.#fail(error);
    }
    // From here on the bytes are in the log: nothing below may refuse them, or offsets would be given out twice.
    const segment = this.#segments.active;
    this.#logEndOffset = last.lastOffset + 1;
    for (const batch of batches) {
      segment.noteBatch(batch, this.#config.indexIntervalBytes);
      this.#loaded.epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset);
      this.#applyToProducers(segment, records, batch);
    }
    const kept = this.#tail.append(records, first.baseOffset, this.#logEndOffset);
    if (isDeferred) this.#writes.add({ segment, baseOffset: first.baseOffset, ...kept });
    if (this.#logEndOffset - this.flushedOffset >= this.#config.flushMessages) {
      this.#durability.flushInBackground();
    }
    return {
      firstOffset: first.baseOffset,
      lastOffset: last.lastOffset,
      logAppendTimeMs,
      maxTimestamp,
      logStartOffset: this.#logStartOffset,
      sizeInBytes: records.length,
      duplicate: false,
    };
  }

  #applyToProducers(segment: LogSegment, records: Buffer, batch: BatchSummary): void {
    const marker = batch.isControl ? readTransactionMarker(records, batch) : null;
    const aborted = this.#producers.apply(batch, marker);
    if (aborted === null) return;
    try {
      segment.txnIndex.append(aborted);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #maybeRoll(append: { bytes: number; firstOffset: number; lastOffset: number; maxTimestamp: number }): void {
    const { active } = this.#segments;
    if (!active.shouldRoll(append, this.#config, this.#context.clock.nowMs())) return;
    this.#local.roll(Math.max(append.firstOffset, this.#logEndOffset));
  }

  /** Starts a new segment now; nothing happens when the active one is empty. */
  roll(): void {
    this.#ensureUsable();
    if (this.#segments.active.sizeInBytes === 0) return;
    try {
      this.#local.roll(this.#logEndOffset);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /**
   * Reads whole batches. At once when the tail cache has them, else through the thread pool.
   * @throws LogError OFFSET_OUT_OF_RANGE below logStartOffset or above logEndOffset (thrown synchronously)
   */
  read(offset: number, options: LogReadOptions): LogReadResult | Promise<LogReadResult> {
    this.#ensureUsable();
    const { logStartOffset, logEndOffset } = this;
    if (offset < logStartOffset || offset > logEndOffset)
      throw new OffsetOutOfRangeError(offset, { name: this.#name, logStartOffset, logEndOffset });
    const upToOffset = Math.min(options.upToOffset, logEndOffset);
    const { maxBytes, minOneMessage } = options;
    if (offset >= upToOffset || (maxBytes <= 0 && !minOneMessage)) {
      return { batches: [], sizeInBytes: 0, nextOffset: offset };
    }
    if (offset >= this.#tail.startOffset) {
      const { buffers: batches, ...read } = this.#tail.read(offset, { maxBytes, upToOffset, minOneMessage });
      return { batches, ...read };
    }
    return this.#reader.read(offset, { ...options, upToOffset });
  }

  /**
   * The same for an answer that leaves piece by piece: batches that stay in their file until then. Null when there are none
   * that `read` would not have to look for, or the offset is out of range.
   */
  slice(offset: number, options: LogReadOptions): LogSlice | null {
    this.#ensureUsable();
    if (offset < this.#logStartOffset || offset >= this.#tail.startOffset) return null;
    return this.#reader.slice(offset, options);
  }

  /** Makes everything appended before the call durable; resolves to the durable end offset. Concurrent callers share one sync. */
  flush(): Promise<number> {
    if (this.isOffline) return Promise.reject(this.#offlineError());
    return this.#durability.isClean ? Promise.resolve(this.flushedOffset) : this.#durability.flush();
  }

  /** Flushes if `flush.ms` has passed since the last time. */
  maybeFlushByTime(): void {
    if (!this.isOffline) this.#durability.maybeFlushByTime(this.#config.flushMs);
  }

  /** First record with a timestamp at or above the one given; -1/-1 when there is none. */
  offsetForTimestamp(timestamp: number): Promise<TimestampAndOffset> {
    return this.#reader.offsetForTimestamp(timestamp, this.#logStartOffset);
  }

  /** The record with the largest timestamp (KIP-734). */
  offsetOfMaxTimestamp(): Promise<TimestampAndOffset> {
    return this.#reader.offsetOfMaxTimestamp(this.#logStartOffset);
  }

  endOffsetForEpoch(leaderEpoch: number): EpochEndOffset {
    return this.#loaded.epochs.endOffsetFor(leaderEpoch, this.#logEndOffset);
  }

  /** Leader epoch of the record at an offset, -1 when unknown. */
  epochForOffset(offset: number): number {
    return this.#loaded.epochs.epochForOffset(offset);
  }

  /** A new leader epoch begins at the log end offset. */
  assignEpochStartOffset(leaderEpoch: number): void {
    this.#loaded.epochs.assign(leaderEpoch, this.#logEndOffset);
  }

  /** Delete records: moves the log start; false when it was there already. @throws LogError OFFSET_OUT_OF_RANGE above the high watermark */
  maybeIncrementLogStartOffset(offset: number): boolean {
    this.#ensureUsable();
    if (offset > this.#highWatermark) {
      throw new LogError(
        ErrorCodes.OFFSET_OUT_OF_RANGE,
        `Cannot increment the log start offset to ${offset} of partition ${this.#name} since it is larger than the high ` +
          `watermark ${this.#highWatermark}`,
      );
    }
    if (offset <= this.#logStartOffset) return false;
    this.#logStartOffset = offset;
    this.#loaded.epochs.truncateFromStart(offset);
    return true;
  }

  /** Retention by time, size and log start offset; returns the number of segments removed. Kafka removes only committed ones. */
  deleteOldSegments(): number {
    this.#ensureUsable();
    const all = this.#segments.all();
    let removed: LogSegment[];
    try {
      removed = removableSegments(all, {
        config: this.#config,
        nowMs: this.#context.clock.nowMs(),
        sizeInBytes: this.sizeInBytes,
        logStartOffset: this.#logStartOffset,
        highWatermark: this.#highWatermark,
        logEndOffset: this.#logEndOffset,
      });
      if (removed.length === 0) return 0;
      if (removed.length === all.length) this.#local.roll(this.#logEndOffset);
      this.#local.remove(removed);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#logStartOffset = Math.max(this.#logStartOffset, this.#segments.first.baseOffset);
    this.#loaded.epochs.truncateFromStart(this.#logStartOffset);
    this.#loaded.snapshots.removeBefore(this.#segments.first.baseOffset);
    return removed.length;
  }

  /** Removes everything from `offset` on (follower truncation). The offset is rounded down to the beginning of its batch. */
  truncateTo(offset: number): void {
    this.#ensureUsable();
    if (offset >= this.#logEndOffset) return;
    this.#requireWritten();
    if (offset <= this.#segments.first.baseOffset) {
      this.truncateFullyAndStartAt(offset);
      return;
    }
    try {
      this.#durability.lowerTo(offset);
      this.#logEndOffset = this.#local.truncateTo(offset);
      this.#afterTruncation();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Empties the log and begins anew at `offset`. */
  truncateFullyAndStartAt(offset: number): void {
    this.#ensureUsable();
    this.#requireWritten();
    try {
      this.#durability.lowerTo(Math.min(offset, this.#logEndOffset));
      this.#local.restartAt(offset);
      this.#logEndOffset = offset;
      this.#logStartOffset = offset;
      this.#afterTruncation();
      this.#durability.restartAt(offset);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** A write that is under way would bring back what a truncation takes: the caller waits for `nextWrite` first. */
  #requireWritten(): void {
    if (!this.#writes.isIdle)
      throw new Error(`Log ${this.#name} cannot be truncated while appends are being written`);
  }

  #afterTruncation(): void {
    const endOffset = this.#logEndOffset;
    this.#tail.clear();
    this.#reader.forgetMarks();
    this.#durability.lowerTo(endOffset);
    this.#loaded.epochs.truncateFromEnd(endOffset);
    this.#loaded.snapshots.removeAfter(endOffset);
    this.#highWatermark = Math.min(this.#highWatermark, endOffset);
    this.#logStartOffset = Math.min(this.#logStartOffset, endOffset);
    const { segments, snapshots } = this.#loaded;
    reloadProducers(
      this.#producers,
      { segments, snapshots },
      { logStartOffset: this.#logStartOffset, endOffset },
    );
  }

  activeProducers(): ActiveProducer[] {
    return this.#producers.activeProducers();
  }

  removeExpiredProducers(): void {
    this.#producers.removeExpired(this.#context.clock.nowMs(), this.#context.producerIdExpirationMs);
  }

  /** Writes index entries that are only in memory to the page cache; the periodic checkpoint calls it. */
  persistIndexes(): void {
    if (this.isOffline) return;
    try {
      this.#segments.active.persistIndexes();
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Clean shutdown: everything durable, a producer snapshot at the end, indexes complete. Idempotent.
   * @throws LogError when a disk call fails; the directory is offline then
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    if (!this.isOffline) {
      // What is appended during a flush needs another one.
      do await this.#durability.flush();
      while (!this.#durability.isClean);
      this.#isClosed = true;
      try {
        this.#loaded.snapshots.write(this.#logEndOffset, this.#producers.entries());
        const { active } = this.#segments;
        active.seal();
        await active.syncIndexes();
        await this.#loaded.snapshots.persist();
        await this.#context.disk.syncFolder(this.folder);
      } catch (error) {
        this.#context.dir.fail(error);
        throw this.#offlineError();
      }
    }
    await this.release();
  }

  /** The state that a log in another folder may go on with. */
  handover(): LogHandover {
    const { logStartOffset, logEndOffset, flushedOffset, recoveryPoint, highWatermark } = this;
    const { producers, epochs } = this.#loaded;
    const offsets = { logStartOffset, logEndOffset, flushedOffset, recoveryPoint, highWatermark };
    return { ...offsets, producers, epochs: epochs.entries };
  }

  /** Brings all that is in memory to the files and ends the use of the log at once; what is under way is waited for by `release`. */
  stopForHandover(): void {
    this.#ensureUsable();
    this.#requireWritten();
    try {
      this.#segments.active.seal();
    } catch (error) {
      throw this.#fail(error);
    }
    this.#isClosed = true;
  }

  /** Closes the files without making anything durable: for a deleted log or an offline directory. */
  async release(): Promise<void> {
    this.#isClosed = true;
    await this.#durability.idle();
    await this.#writes.settled().catch(() => {});
    this.#tail.clear();
    for (const segment of this.#segments.all()) {
      segment.closeFile();
      for (const path of segment.filePaths()) this.#context.pool.drop(path);
    }
  }

  get #name(): string {
    return `${this.topicPartition.topic}-${this.topicPartition.partition}`;
  }

  #ensureUsable(): void {
    if (this.#context.dir.failure !== null) throw this.#offlineError();
    if (this.#isClosed) throw new LogError(ErrorCodes.NOT_LEADER_OR_FOLLOWER, `Log ${this.#name} is closed`);
  }

  #offlineError(): LogDirOfflineError {
    return new LogDirOfflineError(this.parentDir, this.#context.dir.failure);
  }

  /** Takes the log directory offline; returns the error for the caller. */
  #fail(error: unknown): LogError {
    if (error instanceof LogError) return error;
    // What fails after the log was closed or deleted (its folder has another name by then) says nothing of the disk.
    if (this.#isClosed) return new LogError(ErrorCodes.NOT_LEADER_OR_FOLLOWER, `Log ${this.#name} is closed`);
    this.#context.dir.fail(error);
    return this.#offlineError();
  }
}
