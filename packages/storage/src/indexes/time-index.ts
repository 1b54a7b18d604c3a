import { IndexFile, type IndexContext } from './index-file.ts';

/** The largest timestamp seen up to an offset, and the (last) offset of the batch that has it. */
export interface TimestampOffset {
  readonly timestamp: number;
  readonly offset: number;
}

const ENTRY_BYTES = 12;
const timestampAt = (buffer: Buffer, position: number): number =>
  buffer.readInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4);
const relativeOffsetAt = (buffer: Buffer, position: number): number => buffer.readInt32BE(position + 8);

/**
 * `.timeindex`: for each entry, no record at or below its offset is newer than its timestamp. 12 bytes per entry:
 *
 *     int64 timestamp | int32 offset relative to the segment's base offset
 *
 * Timestamps rise strictly, so a batch that is not newer than all before it gets no entry.
 */
export class TimeIndex {
  readonly file: IndexFile;
  readonly #baseOffset: number;

  constructor(context: IndexContext, options: { path: string; baseOffset: number; maxBytes: number }) {
    this.file = new IndexFile(context, {
      path: options.path,
      entryBytes: ENTRY_BYTES,
      maxBytes: options.maxBytes,
    });
    this.#baseOffset = options.baseOffset;
  }

  /** One entry is kept back for the one that sealing the segment adds. */
  get isFull(): boolean {
    return this.file.count >= this.file.maxEntries - 1;
  }

  /** Adds an entry if it is newer than the last one. */
  maybeAppend(timestamp: number, offset: number): void {
    if (timestamp < 0 || timestamp <= this.lastEntry().timestamp) return;
    const slot = this.file.extend();
    const high = Math.floor(timestamp / 0x1_0000_0000);
    slot.buffer.writeInt32BE(high, slot.position);
    slot.buffer.writeUInt32BE(timestamp - high * 0x1_0000_0000, slot.position + 4);
    slot.buffer.writeInt32BE(offset - this.#baseOffset, slot.position + 8);
  }

  lastEntry(): TimestampOffset {
    return this.file.count === 0
      ? { timestamp: -1, offset: this.#baseOffset }
      : this.entry(this.file.count - 1);
  }

  entry(slot: number): TimestampOffset {
    const { buffer, position } = this.file.entryAt(slot);
    return {
      timestamp: timestampAt(buffer, position),
      offset: this.#baseOffset + relativeOffsetAt(buffer, position),
    };
  }

  /** The last entry at or below `timestamp`; the segment's base offset when there is none. */
  lookup(timestamp: number): TimestampOffset {
    const slot = this.file.floorSlot(timestamp, timestampAt);
    return slot < 0 ? { timestamp: -1, offset: this.#baseOffset } : this.entry(slot);
  }

  /** Removes entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.file.truncateToCount(this.file.floorSlot(offset - this.#baseOffset - 1, relativeOffsetAt) + 1);
  }

  isSane(fileSizeInBytes: number): boolean {
    if (fileSizeInBytes % ENTRY_BYTES !== 0) return false;
    if (this.file.count === 0) return true;
    const last = this.entry(this.file.count - 1);
    return last.offset >= this.#baseOffset && last.timestamp >= this.entry(0).timestamp;
  }
}
