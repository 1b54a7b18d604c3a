import { batchSizeAt, decodeRecords, ErrorCodes, readBatchSummary } from '@ottla/protocol';
import { LogError } from '../errors.ts';
import { SCARCE_READ_BYTES, type SlabLease, type SlabPool } from '../memory/slab-pool.ts';
import { scanSegment } from '../segments/batch-scanner.ts';
import type { LogSegment } from '../segments/log-segment.ts';
import type { SegmentList } from '../segments/segment-list.ts';
import type { LogReadOptions, LogReadResult, TimestampAndOffset } from '../types.ts';
import { SegmentSlice } from './log-slice.ts';

const NOT_FOUND: TimestampAndOffset = { timestamp: -1, offset: -1, leaderEpoch: -1 };
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;
/** Smallest read from a file: room to walk from an index entry to the batch in question. */
const MIN_READ_BYTES = 64 * 1024;
const BATCH_OVERHEAD_BYTES = 12;
/** Smaller answers are read at once. */
const MIN_SLICE_BYTES = 64 * 1024;
const OFFSET_BYTES = 8;
/** For the base offset of a batch; used and forgotten within a call. */
const offsetScratch = Buffer.allocUnsafeSlow(OFFSET_BYTES);

/** Where a reader stopped: the next one that asks for this offset needs no index. */
interface ReadMark {
  readonly nextOffset: number;
  readonly segmentBaseOffset: number;
  readonly position: number;
}

const MARKS_KEPT = 32;

/** What was read of a file, and where the batch in question begins in it. */
interface PendingRead {
  readonly bytes: Buffer;
  readonly first: number;
  readonly position: number;
  readonly segment: LogSegment;
  readonly lease: SlabLease;
  /** The marks as they were when the read began. */
  readonly marks: ReadMark[];
}

/** What a reader needs of its log. */
interface ReadLog {
  readonly name: string;
  isClosed(): boolean;
  /** Resolves when nothing is on its way to the files; null when nothing is. */
  written(): Promise<void> | null;
  /** Takes the log's directory offline, unless the log is closed; gives the error for the reader. */
  fail(error: unknown): LogError;
}

/** Reads of one log that the tail cache cannot answer. Nothing is decoded but for timestamps. */
export class LogReader {
  readonly #segments: SegmentList;
  readonly #slabs: SlabPool;
  readonly #log: ReadLog;
  /** The latest ends of reads, newest last: consumers read on where they stopped. */
  #marks: ReadMark[] = [];

  constructor(segments: SegmentList, slabs: SlabPool, log: ReadLog) {
    this.#segments = segments;
    this.#slabs = slabs;
    this.#log = log;
  }

  /** The marks point into files that were cut or replaced; those of reads under way too, which keep the list they began with. */
  forgetMarks(): void {
    this.#marks = [];
  }

  /**
   * Whole batches from the one that contains `offset`, from one segment only: at a segment's end a reader gets less
   * than it asked for and comes back, as with Kafka.
   */
  read(offset: number, options: LogReadOptions): Promise<LogReadResult> {
    return this.#guard(async () => {
      if (!this.#slabs.isScarce) return this.#read(offset, options);
      const maxBytes = Math.min(options.maxBytes, SCARCE_READ_BYTES);
      return { ...(await this.#read(offset, { ...options, maxBytes })), isLimited: true };
    });
  }

  async #guard<T>(read: () => Promise<T>): Promise<T> {
    const { changes } = this.#segments;
    try {
      await this.#log.written();
      return await read();
    } catch (error) {
      // The segment was compacted or removed while it was being read: the next try finds what is in its place.
      const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT' && changes !== this.#segments.changes;
      if (isGone && !this.#log.isClosed()) return this.#guard(read);
      throw this.#readError(error);
    }
  }

  /**
   * A read that the system refuses takes the directory offline; bytes that make no sense are the error of this read.
   * Neither says anything once the log is closed or deleted.
   */
  readonly #readError = (error: unknown): LogError => {
    if (error instanceof LogError) return error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (typeof code === 'string') return this.#log.fail(error);
    const text = `Log ${this.#log.name} cannot be read: ${message}`;
    return new LogError(ErrorCodes.CORRUPT_MESSAGE, text, { cause: error });
  };

  /**
   * Whole batches from `offset` on that stay in their file until they are sent. Null when only a read can tell where they
   * begin or end, when they are few, when their end is not in the page cache, or when too many files are held already.
   *
   *     position of a reader that stopped at `offset`      an index entry, so that a batch begins there
   *     [ batch | batch | ... | batch ]                    [ batch | ...
   *       `offset`                                           its base offset is at most `upToOffset`
   */
  slice(offset: number, options: LogReadOptions): SegmentSlice | null {
    try {
      return this.#slice(offset, options);
    } catch {
      // Whatever it is, such as no descriptor left: a read meets it too, and tells of it.
      return null;
    }
  }

  #slice(offset: number, options: LogReadOptions): SegmentSlice | null {
    const slot = this.#segments.floorSlot(offset);
    if (slot < 0 || this.#slabs.isScarce) return null;
    const segment = this.#segments.at(slot)!;
    const from = this.#markedPosition(segment, offset);
    if (from === undefined) return null;
    const limit = Math.min(from + options.maxBytes, segment.writtenBytes - 1);
    const to = segment.offsetIndex.batchPositionBefore(limit);
    if (to - from < MIN_SLICE_BYTES) return null;
    const pinned = segment.pinForLong();
    if (pinned === null) return null;
    const isRead = pinned.file.readCached(offsetScratch, 0, OFFSET_BYTES, to) === OFFSET_BYTES;
    const nextOffset = isRead ? baseOffsetAt(offsetScratch, 0) : Infinity;
    if (nextOffset > options.upToOffset) {
      pinned.unpin();
      return null;
    }
    remember(this.#marks, { nextOffset, segmentBaseOffset: segment.baseOffset, position: to });
    return new SegmentSlice(
      { pinned, position: from, length: to - from, nextOffset },
      this.#slabs,
      this.#readError,
    );
  }

  async #read(offset: number, options: LogReadOptions): Promise<LogReadResult> {
    for (let slot = Math.max(0, this.#segments.floorSlot(offset)); slot < this.#segments.length; slot++) {
      const segment = this.#segments.at(slot)!;
      const found = await this.#readSegment(segment, offset, options);
      // Nothing at or above the offset in here: the records in question begin in the next segment.
      if (found !== null) return found;
    }
    return { batches: [], sizeInBytes: 0, nextOffset: offset };
  }

  async #readSegment(
    segment: LogSegment,
    offset: number,
    options: LogReadOptions,
  ): Promise<LogReadResult | null> {
    const marks = this.#marks;
    const size = segment.writtenBytes;
    let position = this.#startPosition(segment, offset);
    let wanted = Math.max(options.maxBytes, MIN_READ_BYTES);
    while (position < size) {
      const length = Math.min(wanted, size - position);
      const { buffer, lease } = this.#slabs.roomFor(length);
      let filled: number;
      try {
        filled = await segment.read(buffer, length, position);
      } catch (error) {
        lease.release();
        throw error;
      }
      const bytes = buffer.subarray(0, filled);
      const first = skipTo(bytes, offset);
      const firstSize = batchSizeAt(bytes, first);
      if (firstSize > 0 && first + firstSize <= filled) {
        return this.#take({ bytes, first, position, segment, lease, marks }, offset, options);
      }
      lease.release();
      const isCut = position + filled >= size || filled < length;
      if (isCut && first >= filled) return null;
      if (isCut || (firstSize < 0 && filled - first >= BATCH_OVERHEAD_BYTES)) {
        throw new Error(`Log file "${segment.path}" has no whole batch at position ${position + first}`);
      }
      // The batch in question begins at `first` and is cut by the end of this read.
      position += first;
      wanted = Math.max(MIN_READ_BYTES, firstSize, options.maxBytes);
    }
    return null;
  }

  /**
   * Cuts the answer out of what was read. Batches that were only read for their headers, before `first` or after the
   * limits, stay in the slab and go with it.
   */
  #take(read: PendingRead, offset: number, options: LogReadOptions): LogReadResult {
    const { bytes, first, lease } = read;
    let end = first;
    let nextOffset = offset;
    for (
      let size = batchSizeAt(bytes, end);
      size > 0 && end + size <= bytes.length;
      size = batchSizeAt(bytes, end)
    ) {
      const fits = end + size - first <= options.maxBytes || (options.minOneMessage && end === first);
      const batchEnd = endOffsetAt(bytes, end);
      if (!fits || batchEnd > options.upToOffset) break;
      end += size;
      nextOffset = batchEnd;
    }
    if (end === first) {
      lease.release();
      return { batches: [], sizeInBytes: 0, nextOffset: offset };
    }
    const { marks, segment, position } = read;
    remember(marks, { nextOffset, segmentBaseOffset: segment.baseOffset, position: position + end });
    return { batches: [bytes.subarray(first, end)], lease, sizeInBytes: end - first, nextOffset };
  }

  /** The index leads to a batch at or before the one in question, at most `index.interval.bytes` and a batch away. */
  #startPosition(segment: LogSegment, offset: number): number {
    return this.#markedPosition(segment, offset) ?? segment.offsetIndex.lookup(offset).position;
  }

  /** Where the batch that begins with `offset` stands, if a reader stopped there. */
  #markedPosition(segment: LogSegment, offset: number): number | undefined {
    const mark = this.#marks.find((each) => each.nextOffset === offset);
    return mark?.segmentBaseOffset === segment.baseOffset ? mark.position : undefined;
  }

  /** First record at or after `timestamp` whose offset is at least `logStartOffset`. */
  offsetForTimestamp(timestamp: number, logStartOffset: number): Promise<TimestampAndOffset> {
    return this.#guard(() => this.#offsetForTimestamp(timestamp, logStartOffset));
  }

  async #offsetForTimestamp(timestamp: number, logStartOffset: number): Promise<TimestampAndOffset> {
    for (const segment of this.#segments.all().slice()) {
      if (segment.maxTimestamp.timestamp < timestamp) continue;
      const found = await this.#findInSegment(segment, timestamp, logStartOffset);
      if (found !== null) return found;
    }
    return NOT_FOUND;
  }

  /** Finds by the batch headers which batch to decode; null when the segment has no such record after the log start. */
  async #findInSegment(
    segment: LogSegment,
    timestamp: number,
    logStartOffset: number,
  ): Promise<TimestampAndOffset | null> {
    // The entry's newest time is at most `timestamp`, at its offset: what is looked for cannot lie before that batch.
    const from = segment.timeIndex.lookup(timestamp).offset;
    let found: TimestampAndOffset | null = null;
    await scanSegment(segment, {
      position: segment.offsetIndex.lookup(Math.max(from, logStartOffset)).position,
      size: segment.writtenBytes,
      checkCrc: false,
      visit: ({ batch, buffer }) => {
        if (batch.maxTimestamp < timestamp || batch.lastOffset < logStartOffset) return true;
        found = firstRecordAt(buffer, batch.position, { timestamp, logStartOffset });
        return found === null;
      },
    });
    return found;
  }

  /** The first record that has the largest timestamp, by the segments' own maxima. */
  offsetOfMaxTimestamp(logStartOffset: number): Promise<TimestampAndOffset> {
    return this.#guard(() => this.#offsetOfMaxTimestamp(logStartOffset));
  }

  async #offsetOfMaxTimestamp(logStartOffset: number): Promise<TimestampAndOffset> {
    let newest: LogSegment | null = null;
    for (const segment of this.#segments.all()) {
      if (newest === null || segment.maxTimestamp.timestamp > newest.maxTimestamp.timestamp) newest = segment;
    }
    if (newest === null || newest.maxTimestamp.timestamp < 0) return NOT_FOUND;
    const found = await this.#offsetForTimestamp(newest.maxTimestamp.timestamp, logStartOffset);
    if (found.offset >= 0) return found;
    // The newest record was deleted from the beginning of its segment: only the batches know the newest of the others.
    return this.#offsetForTimestamp(await this.#newestTimestamp(logStartOffset), logStartOffset);
  }

  /** By a scan of the batch headers; only needed after DeleteRecords inside of a segment. */
  async #newestTimestamp(logStartOffset: number): Promise<number> {
    let newest = -1;
    for (
      let slot = Math.max(0, this.#segments.floorSlot(logStartOffset));
      slot < this.#segments.length;
      slot++
    ) {
      const segment = this.#segments.at(slot)!;
      await scanSegment(segment, {
        position: segment.offsetIndex.lookup(logStartOffset).position,
        size: segment.writtenBytes,
        checkCrc: false,
        visit: ({ batch }) => {
          if (batch.lastOffset >= logStartOffset && batch.maxTimestamp > newest) newest = batch.maxTimestamp;
          return true;
        },
      });
    }
    return newest;
  }
}

/** A short list is enough: few consumers of one partition are behind the cache at the same time. */
function remember(marks: ReadMark[], mark: ReadMark): void {
  if (marks.length >= MARKS_KEPT) marks.shift();
  marks.push(mark);
}

/** Position of the first batch that ends at or after `offset`; of the first one cut off when it is not in here. */
function skipTo(bytes: Buffer, offset: number): number {
  let position = 0;
  for (;;) {
    const size = batchSizeAt(bytes, position);
    if (size < 0 || position + size > bytes.length || endOffsetAt(bytes, position) > offset) return position;
    position += size;
  }
}

function baseOffsetAt(bytes: Buffer, position: number): number {
  return bytes.readUInt32BE(position) * 0x1_0000_0000 + bytes.readUInt32BE(position + 4);
}

function endOffsetAt(bytes: Buffer, position: number): number {
  return baseOffsetAt(bytes, position) + bytes.readInt32BE(position + 23) + 1;
}

/** The record itself: within a batch times need not rise, so all are looked at in order. */
function firstRecordAt(
  buffer: Buffer,
  position: number,
  wanted: { timestamp: number; logStartOffset: number },
): TimestampAndOffset | null {
  const batch = readBatchSummary(buffer, position);
  for (const record of decodeRecords(buffer, position, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES })) {
    if (record.timestamp < wanted.timestamp || record.offset < wanted.logStartOffset) continue;
    return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: batch.partitionLeaderEpoch };
  }
  return null;
}
