import type { Disk } from '@ottla/platform';
import type { FilePool } from '../files/file-pool.ts';

/** What an index needs from its surroundings. */
export interface IndexContext {
  readonly disk: Disk;
  readonly pool: FilePool;
}

export interface IndexOptions {
  readonly path: string;
  readonly entryBytes: number;
  readonly maxBytes: number;
}

/** Shared by all searches: they run to their end without yielding. */
const scratch = Buffer.allocUnsafeSlow(4096);

/**
 * Fixed-size entries in a file, searched by a rising key. The index of the active segment is in memory and reaches the
 * file when the segment is sealed, flushed or checkpointed (a crash loses entries, recovery makes them again from the
 * batches); a sealed one is only in the file and searched by reading it:
 *
 *     active:  [ persisted entries | entries not in the file yet | room ]   one growing Buffer
 *     sealed:  file, binary search over single entries, the last 4 KiB in one read
 */
export class IndexFile {
  readonly #context: IndexContext;
  readonly #path: string;
  readonly #entryBytes: number;
  readonly maxEntries: number;
  #entries: Buffer | null = null;
  #count = 0;
  #persistedCount = 0;
  #mustTruncate = false;

  /** Opens what is in the file, sealed; an absent file is an empty index. */
  constructor(context: IndexContext, options: IndexOptions) {
    this.#context = context;
    this.#path = options.path;
    this.#entryBytes = options.entryBytes;
    this.maxEntries = Math.floor(options.maxBytes / options.entryBytes);
    if (context.disk.existsSync(options.path)) {
      this.#count = Math.floor(context.disk.sizeSync(options.path) / options.entryBytes);
      this.#persistedCount = this.#count;
    }
  }

  get path(): string {
    return this.#path;
  }

  get count(): number {
    return this.#count;
  }

  /** Loads the entries into memory so that more can be appended. */
  activate(): void {
    if (this.#entries !== null) return;
    const length = this.#count * this.#entryBytes;
    const entries = Buffer.allocUnsafeSlow(Math.max(length, this.#entryBytes * 16));
    if (length > 0) this.#context.pool.get(this.#path).readSync(entries, 0, length, 0);
    this.#context.pool.drop(this.#path);
    this.#entries = entries;
  }

  /** Room for one more entry: returns the buffer and where to write it. */
  extend(): { buffer: Buffer; position: number } {
    this.activate();
    const position = this.#count * this.#entryBytes;
    if (position + this.#entryBytes > this.#entries!.length) {
      const larger = Buffer.allocUnsafeSlow(this.#entries!.length * 2);
      this.#entries!.copy(larger, 0, 0, position);
      this.#entries = larger;
    }
    this.#count++;
    return { buffer: this.#entries!, position };
  }

  /** Keeps the first `count` entries. */
  truncateToCount(count: number): void {
    if (count >= this.#count) return;
    this.#count = count;
    if (count < this.#persistedCount) {
      this.#persistedCount = count;
      this.#mustTruncate = true;
    }
  }

  /** Empties the index before it is built anew. */
  reset(): void {
    this.activate();
    this.#count = 0;
    this.#persistedCount = 0;
    // Also drops bytes after the last whole entry and the zeros of an index that Kafka had allocated in advance.
    this.#mustTruncate = true;
  }

  /** Writes what is not in the file yet (page cache only; the caller syncs when it matters). */
  persist(): void {
    if (this.#entries === null) return;
    if (!this.#mustTruncate && this.#persistedCount === this.#count && this.#count > 0) return;
    const file = this.#context.disk.openSync(this.#path, 'append');
    try {
      if (this.#mustTruncate) file.truncateSync(this.#persistedCount * this.#entryBytes);
      const from = this.#persistedCount * this.#entryBytes;
      const to = this.#count * this.#entryBytes;
      if (to > from) file.writeSync([this.#entries.subarray(from, to)], from);
    } finally {
      file.closeSync();
    }
    this.#persistedCount = this.#count;
    this.#mustTruncate = false;
  }

  /** Persists and gives the memory back. */
  seal(): void {
    this.persist();
    this.#entries = null;
  }

  /** Reads one entry; the buffer is shared and holds until the next call. */
  entryAt(slot: number): { buffer: Buffer; position: number } {
    if (this.#entries !== null) return { buffer: this.#entries, position: slot * this.#entryBytes };
    this.#context.pool.get(this.#path).readSync(scratch, 0, this.#entryBytes, slot * this.#entryBytes);
    return { buffer: scratch, position: 0 };
  }

  /**
   * Slot of the last entry whose key is at most `target`; -1 when there is none. `keyAt` reads the key of an entry and
   * must be a constant function, not a closure, to stay cheap.
   */
  floorSlot(target: number, keyAt: (buffer: Buffer, position: number) => number): number {
    let low = 0;
    let high = this.#count - 1;
    if (this.#entries === null) {
      const perPage = Math.floor(scratch.length / this.#entryBytes);
      while (high - low >= perPage) {
        const middle = (low + high + 1) >>> 1;
        const entry = this.entryAt(middle);
        if (keyAt(entry.buffer, entry.position) <= target) low = middle;
        else high = middle - 1;
      }
      if (high < low) return -1;
      const first = low;
      this.#context.pool
        .get(this.#path)
        .readSync(scratch, 0, (high - low + 1) * this.#entryBytes, low * this.#entryBytes);
      return this.#search({ buffer: scratch, shift: first, low, high }, target, keyAt);
    }
    return this.#search({ buffer: this.#entries, shift: 0, low, high }, target, keyAt);
  }

  #search(
    range: { buffer: Buffer; shift: number; low: number; high: number },
    target: number,
    keyAt: (buffer: Buffer, position: number) => number,
  ): number {
    let { low, high } = range;
    let found = low - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (keyAt(range.buffer, (middle - range.shift) * this.#entryBytes) <= target) {
        found = middle;
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return found;
  }
}
