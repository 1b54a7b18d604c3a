import type { BatchSummary } from '@ottla/protocol';

/** Offsets that no batch covers. */
export interface OffsetGap {
  /** The first one. */
  readonly from: number;
  /** The one behind the last. */
  readonly to: number;
}

/** Offsets of a segment are relative to its base, in a signed int32. */
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;

/** The range of offsets that belongs into a segment. */
export interface SegmentRange {
  readonly baseOffset: number;
  /** Base offset of the next segment; Infinity for the last one. */
  readonly endOffset: number;
}

/**
 * Follows the offsets of a log from batch to batch. Compaction leaves gaps within segments and between them; in a log without
 * any inside of its segments a gap between two of them means that a file is missing.
 */
export class OffsetOrder {
  /** Offset behind the last batch. */
  next: number;
  /** Where the last gap ended: what stands below may be gone. */
  lastGapEnd = -1;
  /** There are gaps inside of segments, as compaction leaves them. */
  hasInnerGaps = false;
  /** Between segments. */
  readonly gaps: OffsetGap[] = [];
  /** What came last could not be read, or was out of order: a gap behind it is no work of compaction. */
  #isUnsure = false;

  constructor(baseOffset: number) {
    this.next = baseOffset;
  }

  /** Takes in the first offset of the next segment; returns what is wrong with it. */
  beginSegment(baseOffset: number): string | null {
    const end = this.next;
    this.next = baseOffset;
    if (baseOffset < end) return `the segment before it ends with offset ${end - 1}`;
    if (baseOffset > end) {
      // More tell nothing that the first ones do not.
      if (!this.#isUnsure && this.gaps.length < 100) this.gaps.push({ from: end, to: baseOffset });
      this.#gapTo(baseOffset);
    }
    return null;
  }

  /** Takes in the next batch; returns what is wrong with its place. */
  visit(batch: BatchSummary, { baseOffset, endOffset }: SegmentRange): string | null {
    const fault =
      batch.baseOffset < this.next
        ? `it begins with offset ${batch.baseOffset}, the batch before it ends with ${this.next - 1}`
        : batch.lastOffset >= endOffset && batch.baseOffset < endOffset
          ? `it ends with offset ${batch.lastOffset}, the next segment begins with ${endOffset}`
          : batch.lastOffset - baseOffset > MAX_RELATIVE_OFFSET
            ? `its offset ${batch.lastOffset} is too far from that of its segment`
            : null;
    if (batch.baseOffset > this.next) {
      this.hasInnerGaps ||= !this.#isUnsure;
      this.#gapTo(batch.baseOffset);
    }
    this.#isUnsure = fault !== null;
    if (fault !== null) this.#gapTo(Math.max(this.next, batch.lastOffset) + 1);
    if (batch.recordCount < batch.lastOffset - batch.baseOffset + 1) {
      this.hasInnerGaps = true;
      // What came behind this batch is there: a producer that wrote it goes on from its end.
      this.#gapTo(batch.lastOffset);
    }
    this.next = batch.lastOffset + 1;
    return fault;
  }

  /** Something here could not be read: what it held is unknown. */
  skip(): void {
    this.#isUnsure = true;
    this.#gapTo(this.next + 1);
  }

  /** Whether all that was written behind `offset` has been seen. */
  isWholeSince(offset: number): boolean {
    return this.lastGapEnd <= offset;
  }

  #gapTo(offset: number): void {
    if (offset > this.lastGapEnd) this.lastGapEnd = offset;
  }
}
