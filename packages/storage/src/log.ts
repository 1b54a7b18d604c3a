import type { LogConfig } from './log-config.ts';
import type {
  AbortedTransaction,
  ActiveProducer,
  EpochEndOffset,
  LogAppendInfo,
  LogAppendOptions,
  LogReadOptions,
  LogReadResult,
  TimestampAndOffset,
  TopicPartition,
} from './types.ts';

const notYet = (): never => {
  throw new Error('Not written yet');
};

/** One partition's log (Kafka's UnifiedLog). */
export class Log {
  readonly topicPartition: TopicPartition = notYet();
  /** The folder `topic-N`. */
  readonly folder: string = notYet();
  /** The log directory that holds the folder, as configured. */
  readonly parentDir: string = notYet();
  /** Uuid of the log directory (meta.properties `directory.id`). */
  readonly directoryId: string = notYet();
  /** From `partition.metadata`; null when unknown. */
  get topicId(): string | null {
    return notYet();
  }
  get config(): LogConfig {
    return notYet();
  }
  updateConfig(_config: LogConfig): void {
    notYet();
  }
  get logStartOffset(): number {
    return notYet();
  }
  get logEndOffset(): number {
    return notYet();
  }
  /** Everything below is durable. */
  get flushedOffset(): number {
    return notYet();
  }
  get highWatermark(): number {
    return notYet();
  }
  /** Clamped to [logStartOffset, logEndOffset]; may go down only through truncation. Returns the new value. */
  updateHighWatermark(_offset: number): number {
    return notYet();
  }
  /** First offset of the oldest open (or not yet replicated) transaction, bounded by the high watermark. */
  get lastStableOffset(): number {
    return notYet();
  }
  get sizeInBytes(): number {
    return notYet();
  }
  get isOffline(): boolean {
    return notYet();
  }
  get latestEpoch(): number {
    return notYet();
  }

  /**
   * Appends whole batches; offsets, epoch (and times) are patched into `records`. Synchronous: the data is in the page
   * cache on return. The log may keep `records` for its tail cache: the caller must not touch it again.
   * @throws LogError with Kafka's code: CORRUPT_MESSAGE, RECORD_TOO_LARGE, INVALID_RECORD, OUT_OF_ORDER_SEQUENCE_NUMBER, ...
   */
  append(_records: Buffer, _options: LogAppendOptions): LogAppendInfo {
    return notYet();
  }
  /**
   * Reads whole batches. At once when the tail cache has them, else through the thread pool.
   * @throws LogError OFFSET_OUT_OF_RANGE below logStartOffset or above logEndOffset (thrown synchronously)
   */
  read(_offset: number, _options: LogReadOptions): LogReadResult | Promise<LogReadResult> {
    return notYet();
  }
  /** Makes everything appended before the call durable; resolves to the durable end offset. Concurrent callers share one fdatasync. */
  flush(): Promise<number> {
    return notYet();
  }
  /** First record with a timestamp at or above the one given; -1/-1 when there is none. */
  offsetForTimestamp(_timestamp: number): Promise<TimestampAndOffset> {
    return notYet();
  }
  /** The record with the largest timestamp (KIP-734). */
  offsetOfMaxTimestamp(): Promise<TimestampAndOffset> {
    return notYet();
  }
  endOffsetForEpoch(_leaderEpoch: number): EpochEndOffset {
    return notYet();
  }
  /** Leader epoch of the record at an offset, -1 when unknown. */
  epochForOffset(_offset: number): number {
    return notYet();
  }
  /** A new leader epoch begins at the log end offset. */
  assignEpochStartOffset(_leaderEpoch: number): void {
    notYet();
  }
  /** Delete records: moves the log start; returns false when it was there already. @throws LogError OFFSET_OUT_OF_RANGE above the high watermark */
  maybeIncrementLogStartOffset(_offset: number): boolean {
    return notYet();
  }
  /** Retention by time, size and log start offset; returns the number of segments removed. */
  deleteOldSegments(): number {
    return notYet();
  }
  /** Starts a new segment now; nothing happens when the active one is empty. */
  roll(): void {
    notYet();
  }
  truncateTo(_offset: number): void {
    notYet();
  }
  truncateFullyAndStartAt(_offset: number, _logStartOffset?: number): void {
    notYet();
  }
  collectAbortedTransactions(_fromOffset: number, _upToOffset: number): AbortedTransaction[] {
    return notYet();
  }
  activeProducers(): ActiveProducer[] {
    return notYet();
  }
}
