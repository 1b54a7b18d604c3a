/**
 * Memory for record data in pieces of one size that are used again and again. A fresh ArrayBuffer per append or read
 * costs far more than its allocation: V8 counts it as memory pressure and runs a full collection every few dozen
 * megabytes, which at hundreds of megabytes per second is a large share of the processor.
 *
 * Who reads from a slab holds it; it is used again only when nobody does. A holder that never lets go makes memory
 * count as held for ever, but never gets wrong data.
 */
export const SLAB_BYTES: number = 1024 * 1024 + 64 * 1024;
/** What a reader gets of a log while memory is scarce, or one batch. */
export const SCARCE_READ_BYTES: number = 64 * 1024;
/** Slabs that wait to be used again; more than these are left to the collector. */
const MAX_FREE_SLABS = 16;

/** One piece of memory, and how many hold it. */
export class Slab {
  readonly buffer: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Bytes given out from the start. */
  used = 0;
  holds = 0;
}

/**
 * Recycles slabs and counts all memory for record data that somebody holds: the tail cache, reads under way, and
 * answers on their way to clients. A client that asks for 50 MiB and never reads them holds them as long as it likes,
 * and there may be thousands of it, so beyond a bound reads become small (see `isScarce`).
 */
export class SlabPool {
  readonly #free: Slab[] = [];
  readonly #byMemory = new WeakMap<ArrayBufferLike, Slab>();
  readonly #maxLentBytes: number;
  #lentBytes = 0;

  /** From `maxLentBytes` on memory is scarce. */
  constructor(maxLentBytes: number) {
    this.#maxLentBytes = maxLentBytes;
  }

  /** Bytes in slabs that somebody holds, and in buffers that were counted with `lend`. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /** Readers get no more than they need to make progress, in memory of its own, so that they pin no slab. */
  get isScarce(): boolean {
    return this.#lentBytes >= this.#maxLentBytes;
  }

  /** Counts a buffer that is no slab. */
  lend(bytes: number): void {
    this.#lentBytes += bytes;
  }

  takeBack(bytes: number): void {
    this.#lentBytes -= bytes;
  }

  /** A slab that the caller holds. */
  take(): Slab {
    const slab = this.#free.pop() ?? this.#create();
    slab.used = 0;
    slab.holds = 1;
    this.#lentBytes += SLAB_BYTES;
    return slab;
  }

  #create(): Slab {
    const slab = new Slab();
    this.#byMemory.set(slab.buffer.buffer, slab);
    return slab;
  }

  /** The slab that the bytes lie in; null for other memory. */
  slabOf(bytes: Buffer): Slab | null {
    return this.#byMemory.get(bytes.buffer) ?? null;
  }

  /** Memory to read `length` bytes into, counted from now on: many reads may be under way before the first one is answered. */
  roomFor(length: number): { buffer: Buffer; lease: SlabLease } {
    const lease = new SlabLease(this);
    if (length > SLAB_BYTES || this.isScarce) {
      this.lend(length);
      lease.addOwn(length);
      return { buffer: Buffer.allocUnsafeSlow(length), lease };
    }
    const slab = this.take();
    lease.add(slab);
    this.release(slab);
    return { buffer: slab.buffer, lease };
  }

  /** Memory for at most `length` bytes that are read piece by piece: as long as the piece is to be. */
  roomForPiece(length: number): { buffer: Buffer; lease: SlabLease } {
    const pieceBytes = Math.min(length, this.isScarce ? SCARCE_READ_BYTES : SLAB_BYTES);
    const { buffer, lease } = this.roomFor(pieceBytes);
    return { buffer: buffer.subarray(0, pieceBytes), lease };
  }

  hold(slab: Slab): void {
    slab.holds++;
  }

  release(slab: Slab): void {
    slab.holds--;
    if (slab.holds > 0) return;
    this.#lentBytes -= SLAB_BYTES;
    if (this.#free.length < MAX_FREE_SLABS) this.#free.push(slab);
  }
}

/**
 * The right to read slices of slabs. Once released, their bytes may change at any time: release after the last use, or
 * not at all.
 */
export class SlabLease {
  readonly #pool: SlabPool;
  #slabs: Slab[] = [];
  #ownBytes = 0;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Holds the slab for this lease; neighbouring slices mostly lie in the same one. */
  add(slab: Slab): void {
    if (this.#slabs.at(-1) === slab) return;
    this.#pool.hold(slab);
    this.#slabs.push(slab);
  }

  /** Takes over bytes that were counted with `lend`. */
  addOwn(bytes: number): void {
    this.#ownBytes += bytes;
  }

  /** Idempotent. */
  release(): void {
    this.#pool.takeBack(this.#ownBytes);
    this.#ownBytes = 0;
    const slabs = this.#slabs;
    this.#slabs = [];
    for (const slab of slabs) this.#pool.release(slab);
  }
}
