import type { KafkaError } from '../errors/kafka-error.ts';
import type { ChunkReader } from './fetch/chunk-reader.ts';
import type { Chunk } from './fetch/fetched-chunk.ts';
import type { OffsetTracker } from './delivery/offset-tracker.ts';

/** Where a reset goes: an end of the log, or the first record at or after a time. */
export type ResetTarget = 'earliest' | 'latest' | { readonly timestampMs: number };

/**
 * What stands between a partition and its next fetch:
 *
 * ```
 * unknown -> (committed offset or reset) -> ready <-> validating (leader epoch changed, KIP-320)
 *    ^                                        |
 *    +---- seek to an end or a time, offset out of range
 * ```
 */
export type FetchPhase = 'unknown' | 'looking-up' | 'ready' | 'validating';

/** Everything that a consumer knows of one of its partitions. */
export class PartitionState {
  readonly topic: string;
  readonly partition: number;
  /** `topic-partition`, for maps and messages. */
  readonly id: string;
  phase: FetchPhase = 'unknown';
  /** Goes there instead of to the committed offset; null: the committed offset, else `from`. */
  resetTo: ResetTarget | null = null;
  /** Whether an offset was there and has got lost, so that the committed one is of no use. */
  needsReset = false;
  /** The next record that the application gets; -1 before it is known. */
  position = -1;
  /** Leader epoch of the record before `position`; -1 when unknown. */
  positionEpoch = -1;
  /** The next record to fetch: `position` plus what is buffered. */
  fetchOffset = -1;
  fetchEpoch = -1;
  /** Epoch of the leader against which `fetchOffset` was last checked; -1: never. */
  validatedEpoch = -1;
  /** Goes up with each seek, so that answers to older questions are known to be old. */
  version = 0;
  highWatermark = -1;
  lastStableOffset = -1;
  logStartOffset = -1;
  isPaused = false;
  /** Its next record was taken before its time: nothing is handed out or fetched until that has come. */
  isParked = false;
  /** About to be given up: nothing more of it is handed out. */
  isLeaving = false;
  /** Given up; what still refers to it is old. */
  isGone = false;
  preferredReplica = -1;
  preferredUntilMs = 0;
  /** No request for it before this monotonic time, after an error. */
  retryAtMs = 0;
  /** Thrown to the application when it gets there; a seek takes it away. */
  error: KafkaError | null = null;
  readonly chunks: Chunk[] = [];
  bufferedBytes = 0;
  /** The chunk that is being handed out. */
  reader: ChunkReader | null = null;
  /** First offset that the loop holds and has not finished; -1: none. */
  inHandOffset = -1;
  /** Of `each`, which finishes records in any order. */
  tracker: OffsetTracker | null = null;
  /** What the group has committed as far as we know; -1: unknown. */
  committedOffset = -1;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
    this.id = `${topic}-${partition}`;
  }

  /** Everything before it has been handled: what a commit may say. -1 when there is no position yet. */
  get doneOffset(): number {
    if (this.tracker !== null && this.tracker.firstPending >= 0) return this.tracker.firstPending;
    return this.inHandOffset >= 0 ? this.inHandOffset : this.position;
  }

  /** The loop, or a handler, holds records of it. */
  get isInHand(): boolean {
    return this.inHandOffset >= 0 || (this.tracker !== null && this.tracker.firstPending >= 0);
  }

  /** Has something to hand out now. */
  get hasRecords(): boolean {
    return (
      !this.isPaused && !this.isParked && !this.isLeaving && (this.reader !== null || this.chunks.length > 0)
    );
  }

  /** Forgets what is buffered. */
  dropBuffered(): void {
    this.version += 1;
    this.reader?.release();
    this.reader = null;
    for (const chunk of this.chunks.splice(0)) chunk.release();
    this.bufferedBytes = 0;
    this.error = null;
  }

  /** Goes on at an offset. */
  moveTo(offset: number, leaderEpoch = -1): void {
    this.dropBuffered();
    this.phase = 'ready';
    this.needsReset = false;
    this.resetTo = null;
    this.position = offset;
    this.positionEpoch = leaderEpoch;
    this.fetchOffset = offset;
    this.fetchEpoch = leaderEpoch;
    this.validatedEpoch = -1;
    this.inHandOffset = -1;
    this.retryAtMs = 0;
  }

  /** Goes on at an offset that has to be looked up first. */
  resetPosition(target: ResetTarget | null): void {
    this.dropBuffered();
    this.phase = 'unknown';
    this.needsReset = true;
    this.resetTo = target;
    this.inHandOffset = -1;
    this.retryAtMs = 0;
  }
}
