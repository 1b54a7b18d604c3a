import type { RecordRoom } from '@ottla/storage';
import { COUNTED_BYTES, type FrameMemory, LARGE_FRAME_BYTES, UNTRUSTED_BYTES } from './frame-memory.ts';

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
  /** What holds the memory of `#frame`, where records stay when they are appended; null for memory that goes round. */
  #room: RecordRoom | null = null;
  #frameSize = 0;
  #frameFilled = 0;
  #countedBytes = 0;
  #largestFrame = 0;
  #lastFrame = 0;
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
    if (frame === null)
      return this.#lastFrame < LARGE_FRAME_BYTES ? this.#memory.landing : this.#memory.landingHead;
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

  #noteFrame(size: number): void {
    this.#lastFrame = size;
    this.#largestFrame = Math.max(this.#largestFrame, size);
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
      this.#noteFrame(size);
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
    const capacity = Math.min(size, this.#allowance(received));
    const isRoomFor = capacity === size && size > UNTRUSTED_BYTES;
    this.#room = isRoomFor ? (this.#memory.records?.takeRoom(size) ?? null) : null;
    this.#frame = this.#room?.buffer ?? this.#memory.take(capacity);
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
    const isDirect =
      buffer.buffer === frame.buffer && buffer.byteOffset === frame.byteOffset + this.#frameFilled;
    let taken = count;
    if (!isDirect) {
      const room = Math.min(frame.length, this.#frameSize) - this.#frameFilled;
      taken = buffer.copy(frame, this.#frameFilled, 0, Math.min(count, room));
    }
    this.#frameFilled += taken;
    if (this.#frameFilled === this.#frameSize) {
      this.#noteFrame(this.#frameSize);
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
    if (this.#room === null) this.#memory.giveBack(frame);
    else this.#room.release();
    this.#room = null;
    if (this.#countedBytes === 0) return;
    const counted = this.#countedBytes;
    this.#countedBytes = 0;
    this.#memory.budget.release(counted, this);
  }
}
