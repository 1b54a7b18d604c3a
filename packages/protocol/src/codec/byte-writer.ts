/**
 * Where encoded bytes go: a list of buffers fit for one `writev`.
 *
 *   slab (64 KiB, shared by writers one after the other)     by reference       slab again
 *   [ header, lengths, small fields ....................] -> [ records ] -> [ trailing fields ]
 *
 * Small fields are written into a region of a shared slab; byte fields of `REFERENCE_BYTES` or more are put into the
 * list as they are, never copied. Whoever gets the list owns the bytes: slab regions are handed out once.
 */
const SLAB_BYTES = 64 * 1024;
const FIRST_REGION_BYTES = 1024;
/** From this size on a second entry in the list is cheaper than the copy. */
const REFERENCE_BYTES = 1024;

/**
 * More than that in small fields is no message but the answer to an attack: one name, and behind it all that there is to say
 * of it, over and over.
 */
const MAX_REGION_BYTES = 256 * 1024 * 1024;
/** What an entry of the list costs, whatever it refers to. */
const ENTRY_BYTES = 64;

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
let slabPosition = 0;

/**
 * Where encoders write to: a growing list of buffers, small fields gathered in regions, large ones by
 * reference.
 */
export class ByteWriter {
  /**
   * The current region: bytes `position` to `limit` of `bytes` may be written directly after `grow` made room.
   * Generated encoders keep these three in locals and store `position` back.
   */
  bytes: Buffer;
  position: number;
  limit: number;
  #start: number;
  #finished: Buffer[] = [];
  #finishedBytes = 0;
  /** Memory that the list and the regions take. */
  #ownBytes = 0;

  constructor() {
    if (SLAB_BYTES - slabPosition < FIRST_REGION_BYTES) newSlab();
    this.bytes = slab;
    this.position = slabPosition;
    this.#start = slabPosition;
    slabPosition += FIRST_REGION_BYTES;
    this.limit = slabPosition;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#finishedBytes + this.position - this.#start;
  }

  /** Makes room for `byteCount` more bytes in one piece. @throws RangeError when the small fields take more than 256 MiB */
  grow(byteCount: number): void {
    if (this.limit - this.position >= byteCount) return;
    // A value of the wrong type has no length; without this check it would spoil the slab for every later writer.
    if (!(byteCount >= 0))
      throw new TypeError('Cannot encode a value without a length; pass a Buffer or a string');
    const wanted = Math.max(byteCount, Math.min(2 * this.length, SLAB_BYTES / 4), FIRST_REGION_BYTES);
    const missing = this.position + wanted - this.limit;
    if (this.bytes === slab && this.limit === slabPosition && slabPosition + missing <= SLAB_BYTES) {
      slabPosition += missing;
      this.limit = slabPosition;
      return;
    }
    this.#closeRegion();
    if (wanted > SLAB_BYTES / 2) {
      this.bytes = Buffer.allocUnsafeSlow(wanted);
      this.position = 0;
      this.limit = wanted;
    } else {
      if (SLAB_BYTES - slabPosition < wanted) newSlab();
      this.bytes = slab;
      this.position = slabPosition;
      slabPosition += wanted;
      this.limit = slabPosition;
    }
    this.#start = this.position;
  }

  /**
   * Appends `bytes`: by reference when they are long, copied when short. What is long only needs a length here, so that a
   * sender may put in something else than a buffer and bring the bytes itself.
   */
  append(bytes: Buffer): void {
    const byteCount = bytes.length;
    if (byteCount >= REFERENCE_BYTES) {
      this.#closeRegion();
      this.#start = this.position;
      this.#finish(bytes, ENTRY_BYTES);
      return;
    }
    this.grow(byteCount);
    bytes.copy(this.bytes, this.position);
    this.position += byteCount;
  }

  int8(value: number): void {
    this.grow(1);
    this.bytes[this.position++] = value;
  }

  int16(value: number): void {
    this.grow(2);
    this.position = this.bytes.writeInt16BE(value, this.position);
  }

  int32(value: number): void {
    this.grow(4);
    this.position = this.bytes.writeInt32BE(value, this.position);
  }

  /** An unsigned varint of up to 32 bits. */
  unsignedVarint(value: number): void {
    this.grow(5);
    let rest = value >>> 0;
    while (rest > 127) {
      this.bytes[this.position++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.position++] = rest;
  }

  /** Everything written, in order; the writer is used up. `position` must have been stored back. */
  chunks(): Buffer[] {
    this.#closeRegion();
    if (this.bytes === slab && this.limit === slabPosition) slabPosition = this.position;
    this.#start = this.position;
    this.limit = this.position;
    return this.#finished;
  }

  /** Everything written as one buffer with memory of its own: for bytes that are kept. */
  toBuffer(): Buffer {
    const joined = Buffer.allocUnsafe(this.length);
    let position = 0;
    for (const chunk of this.chunks()) position += chunk.copy(joined, position);
    return joined;
  }

  #closeRegion(): void {
    if (this.position === this.#start) return;
    const byteCount = this.position - this.#start;
    this.#finish(this.bytes.subarray(this.#start, this.position), byteCount + ENTRY_BYTES);
  }

  #finish(bytes: Buffer, ownBytes: number): void {
    this.#ownBytes += ownBytes;
    if (this.#ownBytes > MAX_REGION_BYTES) {
      throw new RangeError(
        `A message with more than ${MAX_REGION_BYTES} bytes of fields is not encoded: ask for less at a time`,
      );
    }
    this.#finished.push(bytes);
    this.#finishedBytes += bytes.length;
  }
}

function newSlab(): void {
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  slabPosition = 0;
}
