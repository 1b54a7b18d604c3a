import { type Slab, type SlabPool } from '../memory/slab-pool.ts';
import type { LogSegment } from '../segments/log-segment.ts';

/** One system call writes at most this much, unless a single append is larger. */
const MAX_ROUND_BYTES = 1024 * 1024;
/** Linux takes at most this many pieces in one writev (IOV_MAX). */
const MAX_ROUND_PIECES = 1024;
/** What all logs of a broker together may have on the way. Beyond it appends are written at once, on the event loop. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** Counts the bytes that the logs of a broker have on their way to the page cache. */
export class PendingBytes {
  #bytes = 0;

  get isFull(): boolean {
    return this.#bytes >= MAX_PENDING_BYTES;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** An append that is part of the log and not yet of its file. */
export interface PendingWrite {
  readonly segment: LogSegment;
  readonly baseOffset: number;
  /** Stays as it is until it is written. */
  readonly bytes: Buffer;
  /** The slab that `bytes` lies in; null for memory of its own. */
  readonly slab: Slab | null;
}

export interface WriteQueueOptions {
  readonly slabs: SlabPool;
  readonly pendingBytes: PendingBytes;
  /** A write failed: takes the directory offline; returns the error for those who wait. */
  readonly fail: (error: unknown) => Error;
}

/**
 * One log's appends on their way to the page cache. The copy into the page cache is the most expensive part of an append;
 * large appends leave it to the thread pool, one system call at a time and in the order of their offsets, so that the
 * file never has a gap. What arrives meanwhile goes out together in the next call.
 *
 *     [ in the file              | under way | waiting      )
 *                                ^ writtenOffset            ^ log end offset
 */
export class WriteQueue {
  readonly #options: WriteQueueOptions;
  #underWay: readonly PendingWrite[] = [];
  #waiting: PendingWrite[] = [];
  /** Ends with the call that is under way; null while none is. */
  #round: Promise<void> | null = null;
  /** First offset that was lost to a failed write. */
  #failedOffset: number | null = null;

  constructor(options: WriteQueueOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#underWay.length === 0 && this.#waiting.length === 0;
  }

  /** Nothing is pending, and no call is still at what `writeNow` has written before it. */
  get isIdle(): boolean {
    return this.isEmpty && this.#round === null;
  }

  /** First offset that is not in the file; null when all are. */
  get firstPendingOffset(): number | null {
    return this.#failedOffset ?? (this.#underWay[0] ?? this.#waiting[0])?.baseOffset ?? null;
  }

  /** Too much is on the way: the next append is to be written at once. */
  get isFull(): boolean {
    return this.#options.pendingBytes.isFull;
  }

  /** Queues an append that its segment has counted. */
  add(write: PendingWrite): void {
    if (write.slab !== null) this.#options.slabs.hold(write.slab);
    this.#options.pendingBytes.add(write.bytes.length);
    write.segment.notePending(write.bytes.length);
    this.#waiting.push(write);
    if (this.#round === null) this.#startRound();
  }

  /** Resolves when the next call is done; rejects when it failed. At once when nothing is pending. */
  nextRound(): Promise<void> {
    return this.#round ?? Promise.resolve();
  }

  /** Resolves when everything is in the file that is pending now, and nothing is under way; rejects when a write failed. */
  async settled(): Promise<void> {
    const last = this.#waiting.at(-1);
    while (this.#round !== null) {
      await this.#round;
      if (last === undefined || !this.#waiting.includes(last)) {
        if (last === undefined || !this.#underWay.includes(last)) return;
      }
    }
  }

  /**
   * Writes everything on the event loop. What is under way is written a second time, the same bytes to the same place,
   * since nothing can wait here for the thread that is at it.
   */
  writeNow(): void {
    const all = [...this.#underWay, ...this.#waiting];
    for (const { segment, bytes } of all) segment.writePending(bytes);
    const waiting = this.#waiting;
    this.#forget(this.#underWay);
    this.#forget(waiting);
    // The memory of what is under way is still being read: its round gives it back.
    this.#releaseSlabs(waiting);
    this.#underWay = [];
    this.#waiting = [];
  }

  #startRound(): void {
    const round = this.#run(this.#take());
    this.#round = round;
    // Who asked for it handles the failure; it has taken the directory offline in any case.
    round.catch(() => {});
  }

  /** What goes out in one call: neighbours of one segment. */
  #take(): readonly PendingWrite[] {
    const { segment } = this.#waiting[0]!;
    let count = 0;
    let bytes = 0;
    for (const write of this.#waiting) {
      const isTooMuch = count > 0 && bytes + write.bytes.length > MAX_ROUND_BYTES;
      if (write.segment !== segment || isTooMuch || count === MAX_ROUND_PIECES) break;
      bytes += write.bytes.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #run(writes: readonly PendingWrite[]): Promise<void> {
    this.#underWay = writes;
    try {
      await writes[0]!.segment.writeInPool(writes.map(({ bytes }) => bytes));
      // Unless `writeNow` has done it meanwhile.
      if (this.#underWay === writes) {
        for (const { segment, bytes } of writes) segment.noteWritten(bytes.length);
        this.#forget(writes);
      }
    } catch (error) {
      this.#drop();
      throw this.#options.fail(error);
    } finally {
      this.#releaseSlabs(writes);
      if (this.#underWay === writes) this.#underWay = [];
      this.#round = null;
      if (this.#waiting.length > 0) this.#startRound();
    }
  }

  /** After a failure nothing more is written: the directory is offline. */
  #drop(): void {
    this.#failedOffset = this.firstPendingOffset;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#forget(this.#underWay);
    this.#forget(waiting);
    this.#releaseSlabs(waiting);
  }

  #forget(writes: readonly PendingWrite[]): void {
    for (const { bytes } of writes) this.#options.pendingBytes.add(-bytes.length);
  }

  #releaseSlabs(writes: readonly PendingWrite[]): void {
    for (const { slab } of writes) if (slab !== null) this.#options.slabs.release(slab);
  }
}
