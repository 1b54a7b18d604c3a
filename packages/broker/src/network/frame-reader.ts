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

/** Size of the buffer that all quiet connections read into. */
export const LANDING_BYTES = 256 * 1024;
/** A read at least this large makes a connection busy, so that it gets a slab of its own. */
const BUSY_READ_BYTES = 32 * 1024;
/** A busy connection goes back to the landing buffer after a read smaller than this that left nothing over. */
const QUIET_READ_BYTES = 8 * 1024;
const SLAB_BYTES = 256 * 1024;
/** A slab with less room than this is given up: short reads cost more system calls than a new slab. */
const MIN_SLAB_ROOM_BYTES = 64 * 1024;
/** Frames up to this size are copied into pooled memory, larger ones get their own. */
const POOLED_FRAME_BYTES = 8 * 1024;
const POOL_BYTES = 64 * 1024;
/** A frame's buffer up to this size is allocated at once; beyond it, only in proportion to what has arrived. */
const UNTRUSTED_BYTES = 64 * 1024;
/** Frame buffers above this size are counted against the budget. */
const COUNTED_BYTES = 1024 * 1024;
/** How many connections may hold a slab at the same time: 16 MiB in all. */
const MAX_SLABS = 64;

/**
 * What the frame readers of one server share. Quiet connections own no memory: they all read into one landing buffer,
 * which is safe because libuv reads and delivers one socket at a time and nothing refers to it afterwards.
 */
export class FrameMemory {
  readonly landing: Buffer = Buffer.allocUnsafeSlow(LANDING_BYTES);
  readonly budget: FrameBudget;
  slabsInUse = 0;
  #pool: Buffer = Buffer.allocUnsafeSlow(POOL_BYTES);
  #poolUsed = 0;

  constructor(budget: FrameBudget) {
    this.budget = budget;
  }

  /** A private copy of `source[start, end)`; small ones share pooled memory. */
  copy(source: Buffer, start: number, end: number): Buffer {
    const size = end - start;
    if (size > POOLED_FRAME_BYTES) {
      const own = Buffer.allocUnsafeSlow(size);
      source.copy(own, 0, start, end);
      return own;
    }
    if (this.#poolUsed + size > POOL_BYTES) {
      this.#pool = Buffer.allocUnsafeSlow(POOL_BYTES);
      this.#poolUsed = 0;
    }
    const at = this.#poolUsed;
    this.#poolUsed += size;
    source.copy(this.#pool, at, start, end);
    return this.#pool.subarray(at, at + size);
  }
}

/**
 * Cuts one connection's byte stream into frames (int32 length, then that many bytes) with as few copies as reads allow:
 *
 * ```
 * quiet       landing buffer (shared)   whole frames are copied out: they are small
 * busy        slab (own, 256 KiB)       [done|done|frame|frame|part....room....]  frames are slices, nothing is copied
 * large frame exact buffer (own)        [what came with an earlier read|rest is read straight in]
 * ```
 *
 * `nextBuffer()` says where the next read should go, `receive` takes what was read. No memory is taken for a length
 * that was merely announced: a large frame's buffer starts at 64 KiB, or at what this connection has used before.
 */
export class FrameReader {
  readonly #memory: FrameMemory;
  readonly #maxFrameBytes: number;
  readonly #onFrame: (frame: Buffer) => void;

  /** Length bytes that arrived apart from the rest, most significant first. */
  #head = 0;
  #headCount = 0;

  #slab: Buffer | null = null;
  /** Start of the first byte of the slab that is not yet delivered (a length prefix), and end of what was read. */
  #slabStart = 0;
  #slabEnd = 0;
  #wantsSlab = false;

  #frame: Buffer | null = null;
  #frameSize = 0;
  #frameFilled = 0;
  #countedBytes = 0;
  #largestFrame = 0;
  #blocked = false;

  constructor(memory: FrameMemory, maxFrameBytes: number, onFrame: (frame: Buffer) => void) {
    this.#memory = memory;
    this.#maxFrameBytes = maxFrameBytes;
    this.#onFrame = onFrame;
  }

  /** A frame has begun and is not complete. */
  get isInFrame(): boolean {
    return this.#frame !== null || this.#headCount > 0 || this.#slabEnd > this.#slabStart;
  }

  /** Bytes of the frame in progress that have arrived. */
  get frameBytesReceived(): number {
    return this.#frame !== null ? this.#frameFilled : this.#headCount + this.#slabEnd - this.#slabStart;
  }

  /** The frame in progress waits for memory: stop reading, wait at the budget, then call `unblock`. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** Where the next read should put its bytes; never empty. */
  nextBuffer(): Buffer {
    if (this.#frame !== null) {
      return this.#frameFilled < this.#frame.length
        ? this.#frame.subarray(this.#frameFilled)
        : this.#memory.landing;
    }
    if (this.#slab === null && this.#wantsSlab && this.#headCount === 0) this.#takeSlab(SLAB_BYTES);
    return this.#slab !== null ? this.#slab.subarray(this.#slabEnd) : this.#memory.landing;
  }

  /**
   * Takes the first `count` bytes of `buffer`, which is normally the one that `nextBuffer` gave, and delivers every
   * frame that is now complete, in order. Throws `FrameError` after the frames before the broken one.
   */
  receive(buffer: Buffer, count: number): void {
    if (count >= BUSY_READ_BYTES) this.#wantsSlab = true;
    if (this.#frame !== null) {
      this.#receiveIntoFrame(buffer, count);
    } else if (this.#slab !== null && buffer.buffer === this.#slab.buffer) {
      this.#slabEnd += count;
      this.#parseSlab(count);
    } else {
      this.#parse(buffer, 0, count);
    }
  }

  /** Tries again to get memory for the frame in progress; true when reading may go on. */
  unblock(): boolean {
    if (this.#blocked) this.#grow();
    return !this.#blocked;
  }

  /** Gives back what the reader holds. */
  close(): void {
    this.#dropSlab();
    this.#endFrame();
    this.#headCount = 0;
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
      this.#onFrame(this.#memory.copy(source, start, start + size));
      start += size;
    }
  }

  #parseSlab(lastRead: number): void {
    const slab = this.#slab!;
    while (this.#slabEnd - this.#slabStart >= 4) {
      const size = slab.readInt32BE(this.#slabStart);
      this.#checkLength(size);
      const start = this.#slabStart + 4;
      if (this.#slabEnd - start < size) {
        if (start + size > slab.length) this.#leaveSlab(size, start);
        return;
      }
      this.#slabStart = start + size;
      this.#largestFrame = Math.max(this.#largestFrame, size);
      this.#onFrame(slab.subarray(start, start + size));
      // The frame's handler may have closed the connection and with it this reader.
      if (this.#slab !== slab) return;
    }
    const left = this.#slabEnd - this.#slabStart;
    if (left === 0 && lastRead < QUIET_READ_BYTES) {
      this.#wantsSlab = false;
      this.#dropSlab();
    } else if (slab.length - this.#slabEnd < MIN_SLAB_ROOM_BYTES) {
      const start = this.#slabStart;
      const end = this.#slabEnd;
      this.#dropSlab();
      this.#parse(slab, start, end);
    }
  }

  /** The frame in progress does not fit behind what the slab already holds: moves its part to a new slab or its own buffer. */
  #leaveSlab(size: number, bodyStart: number): void {
    const slab = this.#slab!;
    const prefixStart = this.#slabStart;
    const end = this.#slabEnd;
    this.#dropSlab();
    if (size + 4 <= SLAB_BYTES / 2 && this.#takeSlab(SLAB_BYTES)) {
      slab.copy(this.#slab!, 0, prefixStart, end);
      this.#slabEnd = end - prefixStart;
      return;
    }
    this.#beginFrame(size, slab, bodyStart, end);
  }

  #takeSlab(bytes: number): boolean {
    if (this.#memory.slabsInUse >= MAX_SLABS) return false;
    this.#memory.slabsInUse += 1;
    this.#slab = Buffer.allocUnsafeSlow(bytes);
    this.#slabStart = 0;
    this.#slabEnd = 0;
    return true;
  }

  #dropSlab(): void {
    if (this.#slab === null) return;
    this.#memory.slabsInUse -= 1;
    this.#slab = null;
    this.#slabStart = 0;
    this.#slabEnd = 0;
  }

  #beginFrame(size: number, source: Buffer, start: number, end: number): void {
    const received = end - start;
    const capacity = Math.min(size, this.#allowance(received));
    this.#frame = Buffer.allocUnsafeSlow(capacity);
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
    const direct = buffer.buffer === frame.buffer;
    let taken = count;
    if (!direct)
      taken = buffer.copy(frame, this.#frameFilled, 0, Math.min(count, frame.length - this.#frameFilled));
    this.#frameFilled += taken;
    if (this.#frameFilled === this.#frameSize) {
      this.#largestFrame = Math.max(this.#largestFrame, this.#frameSize);
      this.#endFrame();
      this.#onFrame(frame.length === this.#frameSize ? frame : frame.subarray(0, this.#frameSize));
    } else if (this.#frameFilled === frame.length) {
      this.#grow();
    }
    if (taken < count) {
      if (this.#blocked) throw new Error('Bytes were read while the frame waited for memory');
      const rest = buffer.subarray(taken, count);
      if (this.#frame !== null) this.#receiveIntoFrame(rest, rest.length);
      else this.#parse(rest, 0, rest.length);
    }
  }

  /** Replaces the full buffer of the frame in progress by a larger one, or blocks. */
  #grow(): void {
    const old = this.#frame!;
    const capacity = Math.min(this.#frameSize, Math.max(this.#frameFilled * 4, this.#largestFrame));
    if (capacity > COUNTED_BYTES) {
      const more = capacity - this.#countedBytes;
      this.#blocked = !this.#memory.budget.tryReserve(more, this.#countedBytes);
      if (this.#blocked) return;
      this.#countedBytes = capacity;
    }
    this.#frame = Buffer.allocUnsafeSlow(capacity);
    old.copy(this.#frame, 0, 0, this.#frameFilled);
  }

  #endFrame(): void {
    this.#frame = null;
    this.#frameFilled = 0;
    this.#blocked = false;
    if (this.#countedBytes === 0) return;
    const counted = this.#countedBytes;
    this.#countedBytes = 0;
    this.#memory.budget.release(counted);
  }
}
