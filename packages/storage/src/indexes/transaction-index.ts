import type { IndexContext } from './index-file.ts';

/** One aborted transaction as `.txnindex` keeps it; all offsets absolute. */
export interface AbortedTxn {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Offset of the abort marker. */
  readonly lastOffset: number;
  /** Last stable offset once this transaction was decided: readers below it need not look further. */
  readonly lastStableOffset: number;
}

const ENTRY_BYTES = 34;

function readInt64(buffer: Buffer, position: number): number {
  return buffer.readInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4);
}

function writeInt64(buffer: Buffer, value: number, position: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, position + 4);
}

/**
 * `.txnindex`: the transactions aborted in a segment, in the order of their markers. The file exists only once there
 * is an entry. Aborts are rare, so each goes to the file at once and nothing is held in memory.
 *
 *     int16 version 0 | int64 producer id | int64 first offset | int64 last offset | int64 last stable offset
 */
export class TransactionIndex {
  readonly #context: IndexContext;
  readonly path: string;
  #count: number;

  constructor(context: IndexContext, path: string) {
    this.#context = context;
    this.path = path;
    this.#count = context.disk.existsSync(path) ? Math.floor(context.disk.sizeSync(path) / ENTRY_BYTES) : 0;
  }

  get count(): number {
    return this.#count;
  }

  append(txn: AbortedTxn): void {
    const entry = Buffer.allocUnsafe(ENTRY_BYTES);
    entry.writeInt16BE(0, 0);
    writeInt64(entry, txn.producerId, 2);
    writeInt64(entry, txn.firstOffset, 10);
    writeInt64(entry, txn.lastOffset, 18);
    writeInt64(entry, txn.lastStableOffset, 26);
    const file = this.#context.disk.openSync(this.path, 'append');
    try {
      file.writeSync([entry], this.#count * ENTRY_BYTES);
    } finally {
      file.closeSync();
    }
    this.#count++;
  }

  entries(): AbortedTxn[] {
    if (this.#count === 0) return [];
    const bytes = Buffer.allocUnsafe(this.#count * ENTRY_BYTES);
    const length = this.#context.pool.get(this.path).readSync(bytes, 0, bytes.length, 0);
    const entries: AbortedTxn[] = [];
    for (let at = 0; at + ENTRY_BYTES <= length; at += ENTRY_BYTES) {
      if (bytes.readInt16BE(at) !== 0)
        throw new Error(`Transaction index "${this.path}" has an unknown version`);
      entries.push({
        producerId: readInt64(bytes, at + 2),
        firstOffset: readInt64(bytes, at + 10),
        lastOffset: readInt64(bytes, at + 18),
        lastStableOffset: readInt64(bytes, at + 26),
      });
    }
    return entries;
  }

  /**
   * Adds the transactions that overlap [fromOffset, upToOffset) to `found`; true when no later segment can have more.
   */
  collect(range: { fromOffset: number; upToOffset: number }, found: AbortedTxn[]): boolean {
    for (const txn of this.entries()) {
      if (txn.lastOffset >= range.fromOffset && txn.firstOffset < range.upToOffset) found.push(txn);
      if (txn.lastStableOffset >= range.upToOffset) return true;
    }
    return false;
  }

  /** Removes transactions whose marker is at or above `offset`. */
  truncateTo(offset: number): void {
    const keep = this.entries().filter((txn) => txn.lastOffset < offset).length;
    this.#truncateToCount(keep);
  }

  reset(): void {
    this.#truncateToCount(0);
  }

  #truncateToCount(count: number): void {
    if (!this.#context.disk.existsSync(this.path)) return;
    this.#context.pool.drop(this.path);
    if (count === 0) {
      this.#context.disk.unlinkSync(this.path);
    } else {
      const file = this.#context.disk.openSync(this.path, 'append');
      try {
        file.truncateSync(count * ENTRY_BYTES);
      } finally {
        file.closeSync();
      }
    }
    this.#count = count;
  }

  isSane(baseOffset: number, fileSizeInBytes: number): boolean {
    if (fileSizeInBytes % ENTRY_BYTES !== 0) return false;
    try {
      return this.entries().every((txn) => txn.lastOffset >= baseOffset);
    } catch {
      return false;
    }
  }
}
