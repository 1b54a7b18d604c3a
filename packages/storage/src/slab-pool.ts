/**
 * Memory for record data in pieces of one size that are used again and again. A fresh ArrayBuffer per append or read
 * costs far more than its allocation: V8 counts it as memory pressure and runs a full collection every few dozen
 * megabytes, which at hundreds of megabytes per second is a large share of the processor.
 *
 * Who reads from a slab holds it; it is used again only when nobody does. A holder that never lets go costs one slab
 * of memory until the collector finds it, never wrong data.
 */
export const SLAB_BYTES: number = 1024 * 1024 + 64 * 1024;
/** Slabs that wait to be used again; more than these are left to the collector. */
const MAX_FREE_SLABS = 16;

export class Slab {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Bytes given out from the start. */
  used = 0;
  holds = 0;
}

export class SlabPool {
  readonly #free: Slab[] = [];

  /** A slab that the caller holds. */
  take(): Slab {
    const slab = this.#free.pop() ?? new Slab();
    slab.used = 0;
    slab.holds = 1;
    return slab;
  }

  hold(slab: Slab): void {
    slab.holds++;
  }

  release(slab: Slab): void {
    slab.holds--;
    if (slab.holds === 0 && this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
  }
}

/**
 * The right to read slices of slabs. Once released, their bytes may change at any time: release after the last use, or
 * not at all.
 */
export class SlabLease {
  readonly #pool: SlabPool;
  #slabs: Slab[] = [];

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Holds the slab for this lease; neighbouring slices mostly lie in the same one. */
  add(slab: Slab): void {
    if (this.#slabs.at(-1) === slab) return;
    this.#pool.hold(slab);
    this.#slabs.push(slab);
  }

  /** Idempotent. */
  release(): void {
    const slabs = this.#slabs;
    this.#slabs = [];
    for (const slab of slabs) this.#pool.release(slab);
  }
}
