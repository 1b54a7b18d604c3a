import { ErrorCodes } from '@ottla/protocol';
import {
  type Log,
  LogError,
  type LogReadOptions,
  type LogReadResult,
  RecordValidationError,
  type TimestampAndOffset,
} from '@ottla/storage';
import type { PartitionImage } from '../metadata/image.ts';
import {
  type AppendOptions,
  type AppendRequest,
  type AppendResult,
  failedAppend,
  successfulAppend,
} from './append.ts';
import type { CommitWaiter, PendingCommit } from './delayed-produce.ts';
import type { PartitionConfig } from './partition-config.ts';
import {
  failedRead,
  FetchIsolation,
  type FetchTarget,
  NO_RECORDS,
  type PartitionReadResult,
  type ReadToSend,
  type SendableRecords,
} from './partition-read.ts';

/** Who wants to know when a partition has more to read, or is gone. */
export interface PartitionWaiter {
  onPartitionChanged(): void;
}

/** What a partition needs from the replica manager. */
export interface PartitionHost {
  readonly nodeId: number;
  /** Starts a grouped flush at the end of this turn of the event loop. */
  requestFlush(partition: Partition): void;
  /** Tells the waiter at the end of this turn, once however often it was asked. */
  wake(waiter: PartitionWaiter): void;
  /** A flush failed: the log has taken its directory offline. */
  onFlushFailed(partition: Partition, error: unknown): void;
}

/** Codes that Kafka answers without the log start offset, because the append never reached the log. */
const PLAIN_APPEND_ERRORS: ReadonlySet<number> = new Set([
  ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCodes.NOT_LEADER_OR_FOLLOWER,
  ErrorCodes.MESSAGE_TOO_LARGE,
  ErrorCodes.RECORD_LIST_TOO_LARGE,
  ErrorCodes.CORRUPT_MESSAGE,
  ErrorCodes.KAFKA_STORAGE_ERROR,
]);

/** A request that does not know the leader's epoch; any other negative one is older than all that there were. */
const NO_LEADER_EPOCH = -1;
/** From this size on a write through the thread pool costs the event loop less than the write itself. */
const DEFERRED_BYTES = 32 * 1024;

/**
 * One hosted partition: its log, its place in the cluster (leader, epoch, ISR) and everybody who waits for it.
 *
 * The high watermark says what consumers may see and what acks=all may acknowledge. With `write.caching` it is the log
 * end offset, as with Kafka on a single replica. By default it is the durable end of the log, so that nothing a power
 * cut could take back was ever shown or acknowledged: every append asks for a flush, and one flush covers all appends
 * that arrived before it began.
 *
 * ```
 * log start ........ high watermark ........ log end
 *          durable, visible       | in the page cache, flush on its way
 * ```
 */
export class Partition {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  readonly #host: PartitionHost;
  #log: Log | null;
  #config: PartitionConfig;

  #leader = -1;
  #leaderEpoch = -1;
  #leaderEpochStartOffset = -1;
  #isrCount = 0;
  #replicaCount = 0;

  #isFlushing = false;
  #isWriting = false;
  /** The high watermark stays where it is while the log's place is being taken. */
  #isHeld = false;
  /** Appends that wait for the high watermark, in the order they came, which is nearly that of their offsets. */
  #commits: PendingCommit[] = [];
  #commitsHead = 0;
  readonly #waiters = new Set<PartitionWaiter>();

  constructor(
    identity: { readonly topic: string; readonly partition: number; readonly topicId: string },
    host: PartitionHost,
    state: { readonly log: Log | null; readonly config: PartitionConfig },
  ) {
    this.topic = identity.topic;
    this.partition = identity.partition;
    this.topicId = identity.topicId;
    this.#host = host;
    this.#log = state.log;
    this.#config = state.config;
  }

  /** Null while the partition is offline. */
  get log(): Log | null {
    return this.#log !== null && this.#log.isOffline ? null : this.#log;
  }

  get leader(): number {
    return this.#leader;
  }

  get leaderEpoch(): number {
    return this.#leaderEpoch;
  }

  get isLeader(): boolean {
    return this.#leader === this.#host.nodeId;
  }

  get highWatermark(): number {
    return this.#log?.highWatermark ?? -1;
  }

  /** Takes over what the metadata says of leader, epoch and ISR. */
  applyImage(image: PartitionImage): void {
    const isNewEpoch = image.leaderEpoch > this.#leaderEpoch;
    this.#leader = image.leader;
    this.#leaderEpoch = image.leaderEpoch;
    this.#isrCount = image.isr.length;
    this.#replicaCount = image.replicas.length;
    const log = this.log;
    if (log === null) return;
    if (isNewEpoch && this.isLeader) {
      if (this.#leaderEpoch > log.latestEpoch) log.assignEpochStartOffset(this.#leaderEpoch);
      this.#leaderEpochStartOffset = log.logEndOffset;
    }
    if (isNewEpoch) this.#wakeWaiters();
    if (this.isLeader) this.#advance(log);
  }

  updateConfig(config: PartitionConfig): void {
    this.#config = config;
    const log = this.log;
    if (log === null) return;
    log.updateConfig(config.log);
    if (this.isLeader) this.#advance(log);
  }

  /**
   * Kafka's check of a request against this replica's role: the epoch first, so that a stale client learns of it even
   * from a broker that lost the partition. 0 when the request may be served.
   */
  checkRequest(currentLeaderEpoch: number, requireLeader: boolean): number {
    if (currentLeaderEpoch !== NO_LEADER_EPOCH) {
      if (currentLeaderEpoch < this.#leaderEpoch) return ErrorCodes.FENCED_LEADER_EPOCH;
      if (currentLeaderEpoch > this.#leaderEpoch) return ErrorCodes.UNKNOWN_LEADER_EPOCH;
    }
    if (this.log === null) return ErrorCodes.KAFKA_STORAGE_ERROR;
    return requireLeader && !this.isLeader ? ErrorCodes.NOT_LEADER_OR_FOLLOWER : ErrorCodes.NONE;
  }

  /** Appends as the leader; `isAcknowledged` says whether the result may be answered yet, `waitForCommit` waits for it. */
  append({ records, verificationGuard }: AppendRequest, options: AppendOptions): AppendResult {
    const roleError = this.checkRequest(NO_LEADER_EPOCH, true);
    if (roleError !== 0) return failedAppend(roleError);
    const log = this.#log!;
    const effectiveMinIsr = Math.min(this.#config.minInsyncReplicas, this.#replicaCount);
    if (options.acks === -1 && this.#isrCount < effectiveMinIsr) {
      return failedAppend(ErrorCodes.NOT_ENOUGH_REPLICAS, { logStartOffset: log.logStartOffset });
    }
    try {
      const info = log.append(records, {
        leaderEpoch: this.#leaderEpoch,
        origin: options.origin,
        isDeferred: this.#isDeferred(log, records.length),
        ...(verificationGuard !== undefined && { verificationGuard }),
      });
      this.#advance(log);
      return successfulAppend(info);
    } catch (error) {
      return this.#appendError(log, error);
    }
  }

  /** Large appends leave the copy into the page cache to the thread pool, and so does what comes behind them. */
  #isDeferred(log: Log, bytes: number): boolean {
    return this.#config.writeCaching && (bytes >= DEFERRED_BYTES || log.writtenOffset < log.logEndOffset);
  }

  #appendError(log: Log, error: unknown): AppendResult {
    if (!(error instanceof LogError)) throw error;
    if (PLAIN_APPEND_ERRORS.has(error.errorCode)) return failedAppend(error.errorCode);
    // Only a refusal of single records carries its text to the client, as in Kafka.
    const isRecordError = error instanceof RecordValidationError;
    return failedAppend(error.errorCode, {
      message: isRecordError ? error.message : null,
      logStartOffset: log.logStartOffset,
      recordErrors: isRecordError ? error.recordErrors : [],
    });
  }

  /** acks=1 asks for the page cache, acks=all for the high watermark, acks=0 for nothing. */
  isAcknowledged(lastOffset: number, acks: number): boolean {
    if (acks === 0) return true;
    const end = acks === 1 ? (this.#log?.writtenOffset ?? -1) : this.highWatermark;
    return end > lastOffset;
  }

  /** Calls the waiter once the high watermark is at `offset`; returns false when it is there already. */
  waitForCommit(
    offset: number,
    waiter: CommitWaiter,
    place: { readonly index: number; readonly deadlineMs: number },
  ): boolean {
    if (this.highWatermark >= offset) return false;
    this.#commits.push({ offset, waiter, index: place.index, deadlineMs: place.deadlineMs });
    return true;
  }

  /** Ends waits whose time is over; returns the earliest deadline left, Infinity when nothing waits. */
  expireCommits(nowMs: number): number {
    if (this.#commitsHead === this.#commits.length) return Number.POSITIVE_INFINITY;
    const kept: PendingCommit[] = [];
    const expired: PendingCommit[] = [];
    let earliest = Number.POSITIVE_INFINITY;
    for (let i = this.#commitsHead; i < this.#commits.length; i++) {
      const commit = this.#commits[i]!;
      if (commit.deadlineMs <= nowMs) {
        expired.push(commit);
      } else {
        kept.push(commit);
        earliest = Math.min(earliest, commit.deadlineMs);
      }
    }
    this.#commits = kept;
    this.#commitsHead = 0;
    for (const commit of expired) commit.waiter.onCommitted(commit.index, ErrorCodes.REQUEST_TIMED_OUT);
    return earliest;
  }

  addWaiter(waiter: PartitionWaiter): void {
    this.#waiters.add(waiter);
  }

  removeWaiter(waiter: PartitionWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** Makes the log durable up to its present end, then moves the high watermark. One flush at a time. */
  startFlush(): void {
    const log = this.log;
    if (this.#isFlushing || log === null) return;
    // The log flushes by itself when a segment is full; on a fast disk that has ended before this turn has.
    if (log.flushedOffset >= log.logEndOffset) return this.#advance(log);
    this.#isFlushing = true;
    log.flush().then(
      () => {
        this.#isFlushing = false;
        this.#advanceCurrent();
      },
      (error: unknown) => {
        this.#isFlushing = false;
        // Of a log that another one has replaced meanwhile, a failure means nothing.
        if (this.#log === log) this.#host.onFlushFailed(this, error);
        else this.#advanceCurrent();
      },
    );
  }

  /** The partition is deleted, moved or its directory failed: whoever waits is answered with the error. */
  close(errorCode: number): void {
    this.#log = null;
    const commits = this.#commits.slice(this.#commitsHead);
    this.#commits = [];
    this.#commitsHead = 0;
    for (const commit of commits) commit.waiter.onCommitted(commit.index, errorCode);
    this.#wakeWaiters();
  }

  /**
   * Reads what `isolation` lets the reader see. At once when the log has it in memory.
   * Refusals come back as results, because other partitions of the same request go on.
   */
  read(target: FetchTarget, limits: ReadLimits): PartitionReadResult | Promise<PartitionReadResult> {
    return this.#read(target, limits, (log, options) => log.read(target.fetchOffset, options));
  }

  /** The same for who sends the records as they are: they may still be in their file then. */
  readToSend(target: FetchTarget, limits: ReadLimits): ReadToSend | Promise<ReadToSend> {
    return this.#read<SendableRecords>(target, limits, (log, options) => {
      const slice = log.slice(target.fetchOffset, options);
      if (slice === null) return log.read(target.fetchOffset, options);
      return { batches: [slice], sizeInBytes: slice.length, nextOffset: slice.nextOffset, lease: slice };
    });
  }

  #read<Records>(
    target: FetchTarget,
    limits: ReadLimits,
    readLog: (log: Log, options: LogReadOptions) => ReadRecords<Records> | Promise<ReadRecords<Records>>,
  ): PartitionReadResult<Records> | Promise<PartitionReadResult<Records>> {
    const roleError = this.checkRequest(target.currentLeaderEpoch, limits.requireLeader);
    if (roleError !== 0) return failedRead(roleError);
    const log = this.#log!;
    const base = {
      highWatermark: log.highWatermark,
      lastStableOffset: log.lastStableOffset,
      logStartOffset: log.logStartOffset,
    };
    try {
      if (target.lastFetchedEpoch >= 0) {
        const diverging = this.#divergence(log, target);
        if (diverging !== null) return { ...failedRead(ErrorCodes.NONE), ...base, divergingEpoch: diverging };
      }
      const upToOffset = this.#visibleEnd(log, limits.isolation);
      const read = readLog(log, {
        maxBytes: limits.maxBytes,
        upToOffset,
        minOneMessage: limits.minOneMessage,
      });
      if (!(read instanceof Promise)) return this.#readResult(log, read, { base, target, limits });
      return read.then(
        (result) => this.#readResult(log, result, { base, target, limits }),
        // The log was replaced while it was being read: the new one has it too.
        (error: unknown) =>
          this.#log !== null && this.#log !== log ? this.#read(target, limits, readLog) : readError(error),
      );
    } catch (error) {
      return readError(error);
    }
  }

  #visibleEnd(log: Log, isolation: FetchIsolation): number {
    if (isolation === FetchIsolation.highWatermark) return log.highWatermark;
    return isolation === FetchIsolation.txnCommitted ? log.lastStableOffset : log.logEndOffset;
  }

  #readResult<Records>(
    log: Log,
    read: ReadRecords<Records>,
    { base, target, limits }: { base: ReadBase; target: FetchTarget; limits: ReadLimits },
  ): PartitionReadResult<Records> {
    let abortedTransactions: PartitionReadResult['abortedTransactions'] = null;
    if (limits.isolation === FetchIsolation.txnCommitted) {
      abortedTransactions =
        read.sizeInBytes === 0 ? [] : log.transactions.collectAborted(target.fetchOffset, read.nextOffset);
    }
    return {
      errorCode: ErrorCodes.NONE,
      highWatermark: base.highWatermark,
      lastStableOffset: base.lastStableOffset,
      logStartOffset: base.logStartOffset,
      divergingEpoch: null,
      abortedTransactions,
      records: read.sizeInBytes === 0 ? NO_RECORDS : read.batches,
      sizeInBytes: read.sizeInBytes,
      lease: read.lease ?? null,
      isLimited: read.isLimited === true,
    };
  }

  /** Where the reader's log and this one part ways, from the epoch of the last record it has (KIP-595). */
  #divergence(log: Log, target: FetchTarget): { epoch: number; endOffset: number } | null {
    const end = log.endOffsetForEpoch(target.lastFetchedEpoch);
    if (end.endOffset < 0 || end.leaderEpoch < 0 || target.fetchOffset < log.logStartOffset) {
      throw new LogError(
        ErrorCodes.OFFSET_OUT_OF_RANGE,
        `No end offset is known for epoch "${target.lastFetchedEpoch}" and offset "${target.fetchOffset}"`,
      );
    }
    if (end.leaderEpoch < target.lastFetchedEpoch || end.endOffset < target.fetchOffset) {
      return { epoch: end.leaderEpoch, endOffset: end.endOffset };
    }
    return null;
  }

  /** End offset of the largest epoch at or below the one asked for; -1 and -1 when unknown (OffsetForLeaderEpoch). */
  endOffsetForEpoch(leaderEpoch: number): { leaderEpoch: number; endOffset: number } {
    return this.#log!.endOffsetForEpoch(leaderEpoch);
  }

  /** The end of what a ListOffsets client may be told; `isolation` null: a replica asks. */
  lastFetchableOffset(isolation: FetchIsolation | null): number {
    return this.#visibleEnd(this.#log!, isolation ?? FetchIsolation.logEnd);
  }

  /** After an election the high watermark may lag behind the epoch's start: answers about the end would go backwards. */
  get isOffsetUnavailable(): boolean {
    return this.#leaderEpochStartOffset > this.highWatermark;
  }

  offsetForTimestamp(timestamp: number): Promise<TimestampAndOffset> {
    return this.#log!.offsetForTimestamp(timestamp);
  }

  offsetOfMaxTimestamp(): Promise<TimestampAndOffset> {
    return this.#log!.offsetOfMaxTimestamp();
  }

  /** Moves the log start; -1 stands for the high watermark. Returns the new low watermark or Kafka's error. */
  deleteRecords(offset: number): { errorCode: number; lowWatermark: number } {
    const roleError = this.checkRequest(NO_LEADER_EPOCH, true);
    if (roleError !== 0) return { errorCode: roleError, lowWatermark: -1 };
    const log = this.#log!;
    // An empty cleanup.policy keeps everything by itself, and lets an admin take records away.
    const { compact, delete: deletes } = this.#config.log;
    if (compact && !deletes) return { errorCode: ErrorCodes.POLICY_VIOLATION, lowWatermark: -1 };
    const target = offset === -1 ? log.highWatermark : offset;
    if (target < 0 || target > log.highWatermark)
      return { errorCode: ErrorCodes.OFFSET_OUT_OF_RANGE, lowWatermark: -1 };
    try {
      log.maybeIncrementLogStartOffset(target);
      return { errorCode: ErrorCodes.NONE, lowWatermark: log.logStartOffset };
    } catch (error) {
      if (error instanceof LogError) return { errorCode: error.errorCode, lowWatermark: -1 };
      throw error;
    }
  }

  /** Keeps the high watermark where it is: appends go on, and those with acks=all wait for `replaceLog` or `resumeCommits`. */
  holdCommits(): void {
    this.#isHeld = true;
  }

  resumeCommits(): void {
    this.#isHeld = false;
    this.#advanceCurrent();
  }

  /** Goes on with a log that has everything this one has. */
  replaceLog(log: Log): void {
    this.#log = log;
    log.updateConfig(this.#config.log);
  }

  /** After something was done to a log: the one in use may be another by now, or none. */
  #advanceCurrent(): void {
    const log = this.log;
    if (log !== null) this.#advance(log);
  }

  /** Moves the high watermark as far as it may go, asks for a flush of the rest, and tells who waited for it. */
  #advance(log: Log): void {
    if (this.#isHeld) return;
    const end = log.logEndOffset;
    const { writeCaching } = this.#config;
    const target = Math.min(end, writeCaching ? log.writtenOffset : log.flushedOffset);
    if (target < end) {
      if (writeCaching) this.#awaitWrite(log);
      else this.#host.requestFlush(this);
    }
    if (target <= log.highWatermark) return;
    const highWatermark = log.updateHighWatermark(target);
    this.#wakeWaiters();
    while (this.#commitsHead < this.#commits.length) {
      const commit = this.#commits[this.#commitsHead]!;
      if (commit.offset > highWatermark) break;
      this.#commitsHead += 1;
      commit.waiter.onCommitted(commit.index, ErrorCodes.NONE);
    }
    if (this.#commitsHead === this.#commits.length && this.#commitsHead > 0) {
      this.#commits = [];
      this.#commitsHead = 0;
    } else if (this.#commitsHead > 1024) {
      this.#commits.splice(0, this.#commitsHead);
      this.#commitsHead = 0;
    }
  }

  /** Moves on with every write that ends, until the log is written to its end. */
  #awaitWrite(log: Log): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    log.nextWrite().then(
      () => {
        this.#isWriting = false;
        this.#advanceCurrent();
      },
      // The directory is offline, which closes its partitions; unless another log has replaced this one meanwhile.
      () => {
        this.#isWriting = false;
        if (this.#log !== log) this.#advanceCurrent();
      },
    );
  }

  #wakeWaiters(): void {
    for (const waiter of this.#waiters) this.#host.wake(waiter);
  }
}

/** How much of a partition a fetch may take, and what it may see. */
export interface ReadLimits {
  readonly maxBytes: number;
  readonly minOneMessage: boolean;
  readonly isolation: FetchIsolation;
  readonly requireLeader: boolean;
}

/** What the log gave, in memory or not. */
type ReadRecords<Records> = Omit<LogReadResult, 'batches'> & { readonly batches: readonly Records[] };

interface ReadBase {
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
}

function readError(error: unknown): PartitionReadResult<never> {
  if (error instanceof LogError) return failedRead(error.errorCode);
  throw error;
}
