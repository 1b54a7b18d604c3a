import type { DiskFile } from '@ottla/platform';
import type { PinnedFile } from '../files/file-pool.ts';
import type { SlabPool } from '../memory/slab-pool.ts';
import type { LogPiece, LogSlice } from '../types.ts';

/** Less than this from the page cache is not worth an answer's piece: the thread pool reads more at once. */
const MIN_PIECE_BYTES = 64 * 1024;

interface SliceSource {
  readonly pinned: PinnedFile;
  readonly position: number;
  readonly length: number;
  /** Offset after the last batch. */
  readonly nextOffset: number;
}

/**
 * Whole batches of a segment that stay in its file until they are sent. The handle is pinned meanwhile, so that they can
 * be read even when the segment is removed; below the high watermark, where slices lie, nothing is written over.
 */
export class SegmentSlice implements LogSlice {
  readonly length: number;
  readonly nextOffset: number;
  readonly #file: DiskFile;
  readonly #position: number;
  readonly #slabs: SlabPool;
  readonly #fail: (error: unknown) => Error;
  #pinned: PinnedFile | null;
  #isReading = false;
  #isReleased = false;

  /** `fail` tells the log of a failed read, and gives the error for the reader. */
  constructor(source: SliceSource, slabs: SlabPool, fail: (error: unknown) => Error) {
    this.length = source.length;
    this.nextOffset = source.nextOffset;
    this.#file = source.pinned.file;
    this.#pinned = source.pinned;
    this.#position = source.position;
    this.#slabs = slabs;
    this.#fail = fail;
  }

  pieceAt(at: number): LogPiece | Promise<LogPiece> {
    this.#requireHeld();
    const { buffer, lease } = this.#slabs.roomForPiece(this.length - at);
    const position = this.#position + at;
    const cached = this.#file.readCached(buffer, 0, buffer.length, position);
    if (cached === buffer.length) return { bytes: buffer, release: () => lease.release() };
    if (cached >= MIN_PIECE_BYTES)
      return { bytes: buffer.subarray(0, cached), release: () => lease.release() };
    return this.#readInPool(buffer, position).then(
      () => ({ bytes: buffer, release: () => lease.release() }),
      (error: unknown) => {
        lease.release();
        throw this.#fail(error);
      },
    );
  }

  #requireHeld(): void {
    if (this.#isReleased) throw new Error(`A slice of "${this.#file.path}" is read after its release`);
  }

  async #readInPool(buffer: Buffer, position: number): Promise<void> {
    this.#isReading = true;
    const filled = await this.#file.read(buffer, 0, buffer.length, position).finally(() => this.#endRead());
    if (filled < buffer.length)
      throw new Error(
        `Log file "${this.#file.path}" ends at ${position + filled}, in the middle of an answer`,
      );
  }

  /** The handle stays open under a read that is on its way. */
  #endRead(): void {
    this.#isReading = false;
    if (this.#isReleased) this.#unpin();
  }

  release(): void {
    this.#isReleased = true;
    if (!this.#isReading) this.#unpin();
  }

  #unpin(): void {
    this.#pinned?.unpin();
    this.#pinned = null;
  }
}
