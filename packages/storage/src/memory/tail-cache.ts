import { SCARCE_READ_BYTES, type Slab, SLAB_BYTES, SlabLease, SlabPool } from './slab-pool.ts';

/** What readers may hold beside the cache before reads become small: answers that clients are slow to take. */
const MAX_READER_BYTES = 96 * 1024 * 1024;

/** Memory that records are received into: when they are appended they stay where they are. */
export interface RecordMemory {
  /** Room for `bytes`; null when there is none of this kind, and the records are to be received elsewhere. */
  takeRoom(bytes: number): RecordRoom | null;
}

/** Memory that one request is received into. */
export interface RecordRoom {
  readonly buffer: Buffer;
  /** The caller is done with the buffer; once. What was appended of it stays as it is. */
  release(): void;
}

/**
 * The newest batches of every log in memory, so that consumers that keep up cost no read. One bound holds for all logs
 * together; the oldest piece of any log goes first.
 *
 *     TailCache (one per broker)     pieces in order of creation:  A1  B1  A2  C1  ...   -> evicted from the left
 *     LogTail   (one per log)        its own pieces in offset order:  A1  A2
 *     slabs (recycled memory)        [ A1 | B1 | A2 ] [ C1 | ...room... ]
 *
 * Appended bytes are copied into slabs that are recycled when all their pieces are evicted and read. The copy costs a
 * tenth of what fresh memory for every batch would cost in garbage collection, and it frees the caller's buffer at once.
 * Large requests are received into slabs in the first place (`takeRoom`) and not copied.
 * Small appends of one log are copied into a shared piece one after the other: a thousand tiny batches then do not
 * become a thousand entries of a writev.
 */
export class TailCache implements RecordMemory {
  /** Also serves reads from files. */
  readonly slabs: SlabPool;
  readonly #maxBytes: number;
  #bytes = 0;
  #oldest: TailPiece | null = null;
  #newest: TailPiece | null = null;
  /** Where the next piece goes; held by the cache itself on top of its pieces. */
  #current: Slab | null = null;
  readonly #piecesOf = new Map<Slab, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.slabs = new SlabPool(maxBytes + MAX_READER_BYTES);
  }

  /** Memory in use: whole slabs, and pieces too large for one. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Room for a piece of `bytes`; a slab's, unless it is larger than one. */
  allocate(bytes: number): { buffer: Buffer; slab: Slab | null } {
    if (bytes > SLAB_BYTES) return { buffer: Buffer.allocUnsafeSlow(bytes), slab: null };
    let slab = this.#current;
    if (slab === null || slab.used + bytes > SLAB_BYTES) {
      const full = slab;
      slab = this.slabs.take();
      this.#current = slab;
      this.#piecesOf.set(slab, 0);
      this.#bytes += SLAB_BYTES;
      if (full !== null) this.#leave(full);
    }
    const from = slab.used;
    slab.used += bytes;
    return { buffer: slab.buffer.subarray(from, slab.used), slab };
  }

  takeRoom(bytes: number): RecordRoom | null {
    if (bytes > SLAB_BYTES || this.slabs.isScarce) return null;
    const { buffer, slab } = this.allocate(bytes);
    this.slabs.hold(slab!);
    return { buffer, release: () => this.slabs.release(slab!) };
  }

  /** The slab that the bytes were received into, which is now the cache's as well; null for bytes that are to be copied. */
  adopt(bytes: Buffer): Slab | null {
    const slab = this.slabs.slabOf(bytes);
    if (slab === null || this.#piecesOf.has(slab)) return slab;
    // It was full before the first of its bytes was appended.
    this.slabs.hold(slab);
    this.#piecesOf.set(slab, 0);
    this.#bytes += SLAB_BYTES;
    return slab;
  }

  /** The slab is forgotten when it is neither written to nor has pieces. */
  #leave(slab: Slab): void {
    if (this.#piecesOf.get(slab) !== 0 || slab === this.#current) return;
    this.#piecesOf.delete(slab);
    this.#bytes -= SLAB_BYTES;
    this.slabs.release(slab);
  }

  add(piece: TailPiece): void {
    piece.older = this.#newest;
    if (this.#newest === null) this.#oldest = piece;
    else this.#newest.newer = piece;
    this.#newest = piece;
    if (piece.slab === null) this.#bytes += piece.buffer.length;
    else this.#piecesOf.set(piece.slab, this.#piecesOf.get(piece.slab)! + 1);
    while (this.#bytes > this.#maxBytes && this.#oldest !== null) {
      // A log's pieces are in this list in the order of its offsets, so the oldest overall is the first of its log.
      this.#oldest.owner.dropFirst();
    }
  }

  /** Called by the owner of the piece when it has forgotten it. */
  remove(piece: TailPiece): void {
    if (piece.older === null) this.#oldest = piece.newer;
    else piece.older.newer = piece.newer;
    if (piece.newer === null) this.#newest = piece.older;
    else piece.newer.older = piece.older;
    piece.older = null;
    piece.newer = null;
    if (piece.slab === null) {
      this.#bytes -= piece.buffer.length;
      return;
    }
    this.#piecesOf.set(piece.slab, this.#piecesOf.get(piece.slab)! - 1);
    this.#leave(piece.slab);
  }
}

export interface TailPiece {
  readonly owner: LogTail;
  readonly buffer: Buffer;
  /** The slab that `buffer` is a part of; null for a piece too large for one. */
  readonly slab: Slab | null;
  /** Bytes in use; a chunk has room after them. */
  length: number;
  readonly baseOffset: number;
  /** Offset after the last batch in the piece. */
  endOffset: number;
  /** Neighbours in the cache's list. */
  older: TailPiece | null;
  newer: TailPiece | null;
}

interface OffsetRange {
  readonly baseOffset: number;
  readonly endOffset: number;
}

/** Appends up to this size are copied into a chunk. */
const SMALL_APPEND_BYTES = 8 * 1024;
const MIN_CHUNK_BYTES = 4 * 1024;
const MAX_CHUNK_BYTES = 64 * 1024;
const BATCH_LOG_OVERHEAD = 12;
const LAST_OFFSET_DELTA_AT = 23;

export interface TailRead {
  readonly buffers: Buffer[];
  /** Keeps the slabs of `buffers` from being used again. */
  readonly lease: SlabLease;
  sizeInBytes: number;
  nextOffset: number;
  /** See `LogReadResult.isLimited`. */
  readonly isLimited: boolean;
}

export interface TailReadOptions {
  readonly maxBytes: number;
  readonly upToOffset: number;
  readonly minOneMessage: boolean;
}

/** The cached tail of one log: contiguous up to the log end. */
export class LogTail {
  readonly #cache: TailCache;
  #pieces: TailPiece[] = [];
  /** Pieces before this slot are gone; the array is compacted when they are half of it. */
  #first = 0;
  #chunkBytes = MIN_CHUNK_BYTES;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** First offset that can be read here; Infinity when nothing is cached. */
  get startOffset(): number {
    return this.#pieces[this.#first]?.baseOffset ?? Infinity;
  }

  get pieceCount(): number {
    return this.#pieces.length - this.#first;
  }

  /**
   * Keeps the batches [baseOffset, endOffset) that were just appended to the log: copied, unless they were received into a
   * slab. The bytes that are returned never change while their slab is held.
   */
  append(records: Buffer, baseOffset: number, endOffset: number): { bytes: Buffer; slab: Slab | null } {
    let last = this.#pieces.length > this.#first ? this.#pieces.at(-1)! : undefined;
    if (last !== undefined && last.endOffset !== baseOffset) {
      this.clear();
      last = undefined;
    }
    if (records.length > SMALL_APPEND_BYTES) {
      const slab = this.#cache.adopt(records);
      if (slab === null) return this.#copy(records, records.length, { baseOffset, endOffset });
      this.#push({ buffer: records, slab }, records.length, { baseOffset, endOffset });
      return { bytes: records, slab };
    }
    if (last !== undefined && last.length + records.length <= last.buffer.length) {
      const bytes = last.buffer.subarray(last.length, last.length + records.length);
      records.copy(bytes);
      last.length += records.length;
      last.endOffset = endOffset;
      return { bytes, slab: last.slab };
    }
    // A busy log gets larger chunks, an idle one keeps little.
    this.#chunkBytes = last === undefined ? MIN_CHUNK_BYTES : Math.min(MAX_CHUNK_BYTES, this.#chunkBytes * 2);
    return this.#copy(records, Math.max(this.#chunkBytes, records.length), { baseOffset, endOffset });
  }

  #copy(records: Buffer, capacity: number, range: OffsetRange): { bytes: Buffer; slab: Slab | null } {
    const room = this.#cache.allocate(capacity);
    records.copy(room.buffer, 0);
    this.#push(room, records.length, range);
    return { bytes: room.buffer.subarray(0, records.length), slab: room.slab };
  }

  #push(room: { buffer: Buffer; slab: Slab | null }, length: number, range: OffsetRange): void {
    const piece: TailPiece = {
      owner: this,
      buffer: room.buffer,
      slab: room.slab,
      length,
      baseOffset: range.baseOffset,
      endOffset: range.endOffset,
      older: null,
      newer: null,
    };
    this.#pieces.push(piece);
    this.#cache.add(piece);
  }

  /** Forgets the oldest piece. */
  dropFirst(): void {
    const piece = this.#pieces[this.#first];
    if (piece === undefined) return;
    this.#cache.remove(piece);
    this.#first++;
    if (this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
  }

  clear(): void {
    while (this.pieceCount > 0) this.dropFirst();
  }

  /**
   * Whole batches from the one that contains `offset` on. The caller has checked that `offset` lies in
   * [startOffset, log end).
   */
  read(offset: number, options: TailReadOptions): TailRead {
    if (!this.#cache.slabs.isScarce) return this.#read(offset, options, false);
    const maxBytes = Math.min(options.maxBytes, SCARCE_READ_BYTES);
    return this.#copied(this.#read(offset, { ...options, maxBytes }, true));
  }

  /** The same in a buffer of its own: a slice would keep a whole slab from being used again. */
  #copied(read: TailRead): TailRead {
    const { slabs } = this.#cache;
    const own = Buffer.allocUnsafeSlow(read.sizeInBytes);
    let at = 0;
    for (const buffer of read.buffers) at += buffer.copy(own, at);
    read.lease.release();
    const lease = new SlabLease(slabs);
    slabs.lend(own.length);
    lease.addOwn(own.length);
    return { ...read, buffers: own.length > 0 ? [own] : [], lease };
  }

  #read(offset: number, options: TailReadOptions, isLimited: boolean): TailRead {
    const result: TailRead = {
      buffers: [],
      lease: new SlabLease(this.#cache.slabs),
      sizeInBytes: 0,
      nextOffset: offset,
      isLimited,
    };
    let slot = this.#floorPiece(offset);
    let piece = this.#pieces[slot]!;
    let from = 0;
    while (batchEnd(piece.buffer, from) <= offset) from += batchSize(piece.buffer, from);
    for (;;) {
      const room = options.maxBytes - result.sizeInBytes;
      const force = options.minOneMessage && result.sizeInBytes === 0;
      const whole = piece.length - from <= room && piece.endOffset <= options.upToOffset;
      const to = whole
        ? piece.length
        : this.#cut(piece, from, { room, force, upToOffset: options.upToOffset });
      if (to > from) {
        result.buffers.push(piece.buffer.subarray(from, to));
        if (piece.slab !== null) result.lease.add(piece.slab);
        result.sizeInBytes += to - from;
        result.nextOffset = whole ? piece.endOffset : nextOffsetAt(piece, to);
      }
      slot++;
      if (to < piece.length || slot === this.#pieces.length) return result;
      piece = this.#pieces[slot]!;
      from = 0;
    }
  }

  /** End of the last batch from `from` on that fits into the room and below the bound. */
  #cut(piece: TailPiece, from: number, limit: { room: number; force: boolean; upToOffset: number }): number {
    let to = from;
    while (to < piece.length) {
      const next = to + batchSize(piece.buffer, to);
      if (batchEnd(piece.buffer, to) > limit.upToOffset) break;
      if (next - from > limit.room && !(limit.force && to === from)) break;
      to = next;
    }
    return to;
  }

  #floorPiece(offset: number): number {
    let low = this.#first;
    let high = this.#pieces.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#pieces[middle]!.baseOffset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function batchSize(buffer: Buffer, position: number): number {
  return BATCH_LOG_OVERHEAD + buffer.readInt32BE(position + 8);
}

function baseOffsetAt(buffer: Buffer, position: number): number {
  return buffer.readUInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4);
}

/** Offset after the batch at `position`. */
function batchEnd(buffer: Buffer, position: number): number {
  return baseOffsetAt(buffer, position) + buffer.readInt32BE(position + LAST_OFFSET_DELTA_AT) + 1;
}

function nextOffsetAt(piece: TailPiece, position: number): number {
  return position < piece.length ? baseOffsetAt(piece.buffer, position) : piece.endOffset;
}
