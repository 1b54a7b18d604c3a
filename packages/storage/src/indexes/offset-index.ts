import { IndexFile, type IndexContext } from './index-file.ts';

/** Where in the `.log` file a batch begins, by the last offset of the batch. */
export interface OffsetPosition {
  readonly offset: number;
  readonly position: number;
}

const ENTRY_BYTES = 8;
const filePositionAt = (buffer: Buffer, position: number): number => buffer.readInt32BE(position + 4);
const relativeOffsetAt = (buffer: Buffer, position: number): number => buffer.readInt32BE(position);

/**
 * `.index`: sparse map from offset to file position, 8 bytes per entry, both columns rising.
 *
 *     int32 last offset of the batch, relative to the segment's base offset | int32 position
 */
export class OffsetIndex {
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

  get isFull(): boolean {
    return this.file.count >= this.file.maxEntries;
  }

  append(offset: number, position: number): void {
    const slot = this.file.extend();
    slot.buffer.writeInt32BE(offset - this.#baseOffset, slot.position);
    slot.buffer.writeInt32BE(position, slot.position + 4);
  }

  /** The last entry at or below `offset`; the beginning of the segment when there is none. */
  lookup(offset: number): OffsetPosition {
    const slot = this.file.floorSlot(offset - this.#baseOffset, relativeOffsetAt);
    return slot < 0 ? { offset: this.#baseOffset, position: 0 } : this.entry(slot);
  }

  /** Where the last batch with an entry begins that does so at or before `position`; 0 when there is none. */
  batchPositionBefore(position: number): number {
    const slot = this.file.floorSlot(position, filePositionAt);
    return slot < 0 ? 0 : this.entry(slot).position;
  }

  entry(slot: number): OffsetPosition {
    const { buffer, position } = this.file.entryAt(slot);
    return {
      offset: this.#baseOffset + buffer.readInt32BE(position),
      position: buffer.readInt32BE(position + 4),
    };
  }

  /** Removes entries at or above `offset`. */
  truncateTo(offset: number): void {
    this.file.truncateToCount(this.file.floorSlot(offset - this.#baseOffset - 1, relativeOffsetAt) + 1);
  }

  /** A cheap check at load: whole entries, and the last one within the segment and its file. */
  isSane(logSizeInBytes: number, fileSizeInBytes: number): boolean {
    if (fileSizeInBytes % ENTRY_BYTES !== 0) return false;
    if (this.file.count === 0) return true;
    const last = this.entry(this.file.count - 1);
    return last.offset > this.#baseOffset - 1 && last.position < logSizeInBytes && last.position >= 0;
  }
}
