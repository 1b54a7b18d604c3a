import type { RecordMemory } from '@ottla/storage';
import type { FrameBudget } from './frame-budget.ts';

/** Size of the buffer that all connections read into. */
export const LANDING_BYTES: number = 256 * 1024;
/**
 * Where frames are large, the first read behind one takes no more than this: enough for the next length. What was read
 * of a large frame into the landing buffer has to be copied; one more system call costs far less.
 */
const HEAD_BYTES = 4 * 1024;
/** Frames from this size on are large in this sense. */
export const LARGE_FRAME_BYTES: number = 64 * 1024;
/** A frame's buffer up to this size is allocated at once; beyond it, only in proportion to what has arrived. */
export const UNTRUSTED_BYTES: number = 64 * 1024;
/** Frame buffers above this size are counted against the budget, and not kept for the next frame. */
export const COUNTED_BYTES: number = 1024 * 1024;
/** How much memory waits for the next frame that needs a buffer of its own. */
const MAX_FREE_BYTES = 8 * 1024 * 1024;

/**
 * What the frame readers of one server share. Connections own no memory while no frame is cut in two: they all read
 * into one landing buffer, which is safe because libuv reads and delivers one socket at a time and whoever needs a
 * frame's bytes after its handler has returned copies them. Buffers of cut frames go round in the same way.
 */
export class FrameMemory {
  readonly landing: Buffer = Buffer.allocUnsafeSlow(LANDING_BYTES);
  /** The beginning of the landing buffer. */
  readonly landingHead: Buffer = this.landing.subarray(0, HEAD_BYTES);
  readonly budget: FrameBudget;
  /** Large frames are received here, so that their records need not be copied; null for a server without a log. */
  readonly records: RecordMemory | null;
  /** Free buffers by size, which is a power of two from 64 KiB to 1 MiB. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;

  constructor(budget: FrameBudget, records: RecordMemory | null) {
    this.budget = budget;
    this.records = records;
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
