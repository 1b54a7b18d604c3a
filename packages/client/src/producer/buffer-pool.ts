/**
 * The memory of a producer's batches, at most `buffer.memory`. Buffers of usual sizes are used again, so that a steady
 * producer allocates nothing: the collector would notice the garbage only after many megabytes.
 */
export class BufferPool {
  readonly #limitBytes: number;
  readonly #unitBytes: number;
  /** Buffers that nobody uses, by size; always a multiple of the unit. */
  readonly #free = new Map<number, Buffer[]>();
  #freeBytes = 0;
  #usedBytes = 0;

  constructor(options: { readonly limitBytes: number; readonly unitBytes: number }) {
    this.#limitBytes = options.limitBytes;
    this.#unitBytes = Math.max(1, options.unitBytes);
  }

  /** Bytes of batches that are open, waiting or on their way. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Bytes that may still be taken. */
  get availableBytes(): number {
    return this.#limitBytes - this.#usedBytes;
  }

  /** A buffer of `byteCount` bytes; undefined when that is more than the limit leaves. */
  take(byteCount: number): Buffer | undefined {
    if (this.#usedBytes + byteCount > this.#limitBytes) return undefined;
    this.#usedBytes += byteCount;
    const free = this.#free.get(byteCount)?.pop();
    if (free !== undefined) {
      this.#freeBytes -= byteCount;
      return free;
    }
    if (this.#usedBytes + this.#freeBytes > this.#limitBytes) {
      // Another size is in fashion now.
      this.#free.clear();
      this.#freeBytes = 0;
    }
    return Buffer.allocUnsafeSlow(byteCount);
  }

  /** Takes bytes for buffers that came from elsewhere, above the limit if need be: they take the place of others. */
  reserve(byteCount: number): void {
    this.#usedBytes += byteCount;
  }

  /** Gives the bytes back, and the buffer for another batch when nobody else can see it any more. */
  release(byteCount: number, reusable: Buffer | undefined): void {
    this.#usedBytes -= byteCount;
    if (reusable === undefined || reusable.length % this.#unitBytes !== 0) return;
    const sameSize = this.#free.get(reusable.length);
    if (sameSize === undefined) this.#free.set(reusable.length, [reusable]);
    else sameSize.push(reusable);
    this.#freeBytes += reusable.length;
  }
}
