import type { FrameBudget } from './frame-budget.ts';

/** Why a byte stream cannot be split into frames; the connection is closed. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  /** The four bytes that stood where a length was expected, as a signed number. */
  readonly length: number;

  constructor(length: number, maxFrameBytes: number) {
    super(`Frame length ${length} is outside 1 to ${maxFrameBytes} (socket.request.max.bytes)`);
    this.length = length;
  }
}

/** Size of the buffer that all connections read into. */
export const LANDING_BYTES: number = 256 * 1024;
/** A frame's buffer up to this size is allocated at once; beyond it, only in proportion to what has arrived. */
const UNTRUSTED_BYTES = 64 * 1024;
/** Frame buffers above this size are counted against the budget, and not kept for the next frame. */
const COUNTED_BYTES = 1024 * 1024;
/** How much memory waits for the next frame that needs a buffer of its own. */
const MAX_FREE_BYTES = 8 * 1024 * 1024;

/**
 * What the frame readers of one server share. Connections own no memory while no frame is cut in two: they all read
 * into one landing buffer, which is safe because libuv reads and delivers one socket at a time and whoever needs a
 * frame's bytes after its handler has returned copies them. Buffers of cut frames go round in the same way.
 */
export class FrameMemory {
  readonly landing: Buffer = Buffer.allocUnsafeSlow(LANDING_BYTES);
  readonly budget: FrameBudget;
  /** Free buffers by size, which is a power of two from 64 KiB to 1 MiB. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  constructor(budget: FrameBudget) {
    this.budget = budget;
  }

  /** A buffer of at least `bytes`. */
  take(bytes: number): Buffer {
    if (bytes > COUNTED_BYTES) return Buffer.allocUnsafeSlow(bytes);
    let size = UNTRUSTED_BYTES;
    while (size < bytes) size *= 2;
    const buffer = this.#free.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#freeBytes -= size;
    return buffer;
  }

  /** Nobody refers to the buffer any more. */
  giveBack(buffer: Buffer): void {
    const size = buffer.length;
    if (size > COUNTED_BYTES || this.#freeBytes + size > MAX_FREE_BYTES) return;
    this.#freeBytes += size;
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [buffer]);
    else list.push(buffer);
  }
}

/**
 * Cuts one connection's byte stream into frames (int32 length, then that many bytes). Nothing is copied but the first
 * part of a frame that a read cuts in two:
 *
 * ```
 * landing buffer (shared)   [frame|frame|frame|par          frames are delivered as slices, valid during the call
 * own buffer                [par|t <- the next read goes here, up to the end of the frame]
 * ```
 *
 * `nextBuffer()` says where the next read should go, `receive` takes what was read. No memory is taken for a length
 * that was merely announced: a large frame's buffer starts at 64 KiB, or at what this connection has used before.
 *
 * A frame that cannot be served yet is held, with what was read behind it, and offered again by `resume`. Whoever holds
 * should not read on: one connection then keeps one read ahead, or one large frame that stays counted.
 */
export class FrameReader {
  readonly #memory: FrameMemory;
  readonly #maxFrameBytes: number;
  readonly #onFrame: (frame: Buffer) => boolean;

  /** Length bytes that arrived apart from the rest, most significant first. */
  #head = 0;
  #headCount = 0;

  #frame: Buffer | null = null;
  #frameSize = 0;
  #frameFilled = 0;
  #countedBytes = 0;
  #largestFrame = 0;
  #blocked = false;
  /** The frame in `#frame` is complete and was not taken yet. */
  #isFrameHeld = false;
  /** Bytes behind a frame that is held, or that frame itself; begins with a length at `#restAt`. */
  #rest: Buffer | null = null;
  #restAt = 0;

  /**
   * `onFrame` may use the frame's bytes until it returns; what it keeps, it copies. It returns false when the frame has
   * to wait.
   */
  constructor(memory: FrameMemory, maxFrameBytes: number, onFrame: (frame: Buffer) => boolean) {
    this.#memory = memory;
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** A frame has begun and is not complete. */
  get isInFrame(): boolean {
    return (this.#frame !== null && !this.#isFrameHeld) || this.#headCount > 0;
  }

  /** A complete frame waits for `resume`. */
  get isHolding(): boolean {
    return this.#isFrameHeld || this.#rest !== null;
  }

  /** Bytes of the frame in progress that have arrived. */
  get frameBytesReceived(): number {
    return this.#frame !== null ? this.#frameFilled : this.#headCount;
  }

  /** The frame in progress waits for memory: stop reading, wait at the budget, then call `unblock`. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** Where the next read should put its bytes; never empty. */
  nextBuffer(): Buffer {
    const frame = this.#frame;
    if (frame === null) return this.#memory.landing;
    const end = Math.min(frame.length, this.#frameSize);
    return this.#frameFilled < end ? frame.subarray(this.#frameFilled, end) : this.#memory.landing;
  }

  /**
   * Takes the first `count` bytes of `buffer`, which is normally the one that `nextBuffer` gave, and delivers every
   * frame that is now complete, in order. Throws `FrameError` after the frames before the broken one.
   */
  receive(buffer: Buffer, count: number): void {
    if (this.isHolding) this.#hold(Buffer.from(buffer.subarray(0, count)));
    else if (this.#frame !== null) this.#receiveIntoFrame(buffer, count);
    else this.#parse(buffer, 0, count);
  }

  /** Offers the frame that is held again, and what stands behind it. Throws as `receive` does. */
  resume(): void {
    if (this.#isFrameHeld) {
      const frame = this.#frame!;
      if (!this.#onFrame(frame.subarray(0, this.#frameSize))) return;
      if (this.#frame === frame) this.#endFrame(frame);
    }
    const rest = this.#rest;
    if (rest === null) return;
    this.#rest = null;
    this.#parse(rest, this.#restAt, rest.length);
  }

  /** Tries again to get memory for the frame in progress; true when reading may go on. */
  unblock(): boolean {
    if (this.#blocked) this.#grow();
    return !this.#blocked;
  }

  /** Gives back what the reader holds. */
  close(): void {
    if (this.#frame !== null) this.#endFrame(this.#frame);
    this.#headCount = 0;
    this.#rest = null;
  }

  /** Keeps bytes that follow those that are held. */
  #hold(bytes: Buffer): void {
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest.subarray(this.#restAt), bytes]);
    this.#restAt = 0;
  }

  #checkLength(size: number): void {
    if (size < 1 || size > this.#maxFrameBytes) throw new FrameError(size, this.#maxFrameBytes);
  }

  /** Cuts frames from memory that the next read will overwrite. */
  #parse(source: Buffer, from: number, end: number): void {
    let start = from;
    while (start < end) {
      if (this.#headCount > 0 || end - start < 4) {
        this.#head = (this.#head << 8) | source[start]!;
        start += 1;
        this.#headCount += 1;
        if (this.#headCount < 4) continue;
        this.#headCount = 0;
      } else {
        this.#head = source.readInt32BE(start);
        start += 4;
      }
      const size = this.#head;
      this.#head = 0;
      this.#checkLength(size);
      if (end - start < size) {
        this.#beginFrame(size, source, start, end);
        return;
      }
      this.#largestFrame = Math.max(this.#largestFrame, size);
      if (!this.#onFrame(source.subarray(start, start + size))) {
        this.#holdFrom(source, start, { end, size });
        return;
      }
      start += size;
    }
  }

  /** Holds the frame at `start` and what follows; its length may have come with an earlier read. */
  #holdFrom(source: Buffer, start: number, { end, size }: { end: number; size: number }): void {
    if (source.buffer !== this.#memory.landing.buffer && start >= 4) {
      // Memory of our own, held before: nothing needs to be copied again.
      this.#rest = source;
      this.#restAt = start - 4;
      return;
    }
    const kept = Buffer.allocUnsafeSlow(4 + end - start);
    kept.writeInt32BE(size, 0);
    source.copy(kept, 4, start, end);
    this.#rest = kept;
    this.#restAt = 0;
  }

  #beginFrame(size: number, source: Buffer, start: number, end: number): void {
    const received = end - start;
    this.#frame = this.#memory.take(Math.min(size, this.#allowance(received)));
    this.#frameSize = size;
    this.#frameFilled = source.copy(this.#frame, 0, start, end);
  }

  /** How large a buffer this connection has earned: by what it sent of this frame and by frames it completed before. */
  #allowance(received: number): number {
    return Math.min(COUNTED_BYTES, Math.max(UNTRUSTED_BYTES, received * 4, this.#largestFrame * 2));
  }

  #receiveIntoFrame(buffer: Buffer, count: number): void {
    const frame = this.#frame!;
    // The buffer for the next read is chosen before a pause, so bytes may land elsewhere after it.
    const isDirect = buffer.buffer === frame.buffer;
    let taken = count;
    if (!isDirect) {
      const room = Math.min(frame.length, this.#frameSize) - this.#frameFilled;
      taken = buffer.copy(frame, this.#frameFilled, 0, Math.min(count, room));
    }
    this.#frameFilled += taken;
    if (this.#frameFilled === this.#frameSize) {
      this.#largestFrame = Math.max(this.#largestFrame, this.#frameSize);
      if (!this.#onFrame(frame.subarray(0, this.#frameSize))) this.#isFrameHeld = true;
      // The handler may have closed the connection, which has given the buffer back already.
      else if (this.#frame === frame) this.#endFrame(frame);
    } else if (this.#frameFilled === frame.length) {
      this.#grow();
    }
    if (taken < count) {
      if (this.#blocked) throw new Error('Bytes were read while the frame waited for memory');
      const rest = buffer.subarray(taken, count);
      if (this.#isFrameHeld) this.#hold(Buffer.from(rest));
      else if (this.#frame !== null) this.#receiveIntoFrame(rest, rest.length);
      else this.#parse(rest, 0, rest.length);
    }
  }

  /** Replaces the full buffer of the frame in progress by a larger one, or blocks. */
  #grow(): void {
    const old = this.#frame!;
    const capacity = Math.min(this.#frameSize, Math.max(this.#frameFilled * 4, this.#largestFrame));
    if (capacity > COUNTED_BYTES) {
      const more = capacity - this.#countedBytes;
      this.#blocked = !this.#memory.budget.tryReserve(more, this);
      if (this.#blocked) return;
      this.#countedBytes = capacity;
    }
    this.#frame = this.#memory.take(capacity);
    old.copy(this.#frame, 0, 0, this.#frameFilled);
    this.#memory.giveBack(old);
  }

  #endFrame(frame: Buffer): void {
    this.#frame = null;
    this.#frameFilled = 0;
    this.#blocked = false;
    this.#isFrameHeld = false;
    this.#memory.giveBack(frame);
    if (this.#countedBytes === 0) return;
    const counted = this.#countedBytes;
    this.#countedBytes = 0;
    this.#memory.budget.release(counted, this);
  }
}
