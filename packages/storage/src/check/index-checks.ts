import type { BatchSummary } from '@ottla/protocol';
import type { OffsetIndex, OffsetPosition } from '../indexes/offset-index.ts';
import type { TimeIndex, TimestampOffset } from '../indexes/time-index.ts';

/** An entry of an index that is not what the batches say. */
export interface IndexFault {
  /** The offset in the entry. */
  readonly offset: number;
  readonly problem: string;
  /** Readers would miss records or get wrong answers; without it the entry is only not the one Kafka writes. */
  readonly isHarmful: boolean;
}

/**
 * Entries up to the room that Kafka allocates in advance for the active segment, which reads as zeros. No entry of an
 * offset index points to the beginning of the file: the first comes after `index.interval.bytes`.
 */
export function* offsetIndexEntries(index: OffsetIndex): Generator<OffsetPosition> {
  for (let slot = 0; slot < index.file.count; slot++) {
    const entry = index.entry(slot);
    if (entry.position === 0) return;
    yield entry;
  }
}

/** The same of a time index, in which a single entry of zeros is one. */
export function* timeIndexEntries(index: TimeIndex, baseOffset: number): Generator<TimestampOffset> {
  for (let slot = 0; slot < index.file.count; slot++) {
    const entry = index.entry(slot);
    const isZero = entry.timestamp === 0 && entry.offset === baseOffset;
    if (isZero && (slot > 0 || index.file.count > 1)) return;
    yield entry;
  }
}

/**
 * Compares an offset index with the batches of its segment, which it is shown in order. An entry has to point to the
 * beginning of a batch that does not lie behind its offset: a reader begins there.
 */
export class OffsetIndexCheck {
  readonly faults: IndexFault[] = [];
  readonly #entries: Iterator<OffsetPosition>;
  #next: OffsetPosition | null = null;
  #previous: OffsetPosition | null = null;

  constructor(index: OffsetIndex) {
    this.#entries = offsetIndexEntries(index);
    this.#advance();
  }

  /** Takes in the batch that begins at `position` of the file. */
  visit(batch: BatchSummary, position: number): void {
    while (this.#next !== null && this.#next.position <= position) {
      const entry = this.#next;
      if (entry.position < position)
        this.#fault(entry, `no batch begins at position ${entry.position}`, true);
      else if (entry.offset !== batch.lastOffset)
        this.#fault(
          entry,
          `the batch at position ${position} ends with offset ${batch.lastOffset}`,
          entry.offset < batch.baseOffset,
        );
      this.#advance();
    }
  }

  /** The segment ends here. */
  end(): void {
    for (; this.#next !== null; this.#advance())
      this.#fault(this.#next, `position ${this.#next.position} lies behind the end of the log`, true);
  }

  #advance(): void {
    this.#previous = this.#next;
    const result = this.#entries.next();
    this.#next = result.done === true ? null : result.value;
    if (this.#next === null || this.#previous === null) return;
    const isRising =
      this.#next.offset > this.#previous.offset && this.#next.position > this.#previous.position;
    if (!isRising)
      this.#fault(this.#next, `the entry before it is for offset ${this.#previous.offset}`, true);
  }

  #fault({ offset }: OffsetPosition, problem: string, isHarmful: boolean): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ offset, problem, isHarmful });
  }
}

/** Enough to see what is wrong; an index of zeros and ones would give a million. */
const MAX_FAULTS = 100;

/**
 * Compares a time index with the batches of its segment: up to the offset of an entry nothing may be newer than its
 * timestamp, and Kafka writes the newest there is.
 */
export class TimeIndexCheck {
  readonly faults: IndexFault[] = [];
  readonly #entries: Iterator<TimestampOffset>;
  #next: TimestampOffset | null = null;
  #maxTimestamp = -1;

  constructor(index: TimeIndex, baseOffset: number) {
    this.#entries = timeIndexEntries(index, baseOffset);
    this.#advance();
  }

  /** Takes in the next batch. */
  visit(batch: BatchSummary): void {
    if (batch.maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = batch.maxTimestamp;
    while (this.#next !== null && this.#next.offset <= batch.lastOffset) {
      const entry = this.#next;
      if (this.#maxTimestamp > entry.timestamp)
        this.#fault(
          entry,
          `a batch up to there has timestamp ${this.#maxTimestamp}, newer than the entry's ${entry.timestamp}`,
          true,
        );
      else if (entry.offset < batch.baseOffset) this.#fault(entry, 'no batch has this offset', false);
      else if (batch.maxTimestamp !== entry.timestamp)
        this.#fault(
          entry,
          `the batch there has timestamp ${batch.maxTimestamp}, the entry ${entry.timestamp}`,
          false,
        );
      this.#advance();
    }
  }

  /** The segment ends here. */
  end(): void {
    for (; this.#next !== null; this.#advance())
      this.#fault(this.#next, 'its offset lies behind the end of the log', true);
  }

  #advance(): void {
    const previous = this.#next;
    const result = this.#entries.next();
    this.#next = result.done === true ? null : result.value;
    if (this.#next === null || previous === null) return;
    if (this.#next.timestamp <= previous.timestamp || this.#next.offset < previous.offset)
      this.#fault(
        this.#next,
        `the entry before it has timestamp ${previous.timestamp} and offset ${previous.offset}`,
        true,
      );
  }

  #fault({ offset }: TimestampOffset, problem: string, isHarmful: boolean): void {
    if (this.faults.length < MAX_FAULTS) this.faults.push({ offset, problem, isHarmful });
  }
}
