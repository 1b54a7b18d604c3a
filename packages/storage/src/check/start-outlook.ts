/** What the checkpoints of a directory say about one log, and how the last run ended. */
export interface KnownOffsets {
  readonly hadCleanShutdown: boolean;
  /** Null where no checkpoint names the log. */
  readonly recoveryPoint: number | null;
  readonly logStartOffset: number | null;
  readonly highWatermark: number | null;
  readonly cleanerOffset: number | null;
}

/** Something in a log that a reader cannot get over. */
export interface Break {
  /** Slot of the segment. */
  readonly slot: number;
  /** Offset that should have come there. */
  readonly offset: number;
  /** What lies behind it in the log, in bytes. */
  readonly restBytes: number;
  /** Whether a start comes across it that only looks at the headers behind the last entry of an index. */
  readonly isSeenInHeaders: boolean;
  /** Intact batches stand behind it: no run that was just killed leaves them, a power cut may. */
  readonly hasIntactBehind: boolean;
}

/** What the next start will do about a break. */
export interface Verdict {
  /** The log ends there for good. */
  readonly isCut: boolean;
  /** Nothing is lost that was durable or committed by the checkpoints. */
  readonly isHarmless: boolean;
  readonly remedy: string;
}

/** What is left to do about damage. */
export const RESTORE =
  "Restore the file from a copy, or remove the partition's folder if a replica holds its data";

/** What the next start does with a log. */
export interface Outlook {
  /** Below, everything had been durable. */
  readonly recoveryPoint: number;
  /** Whether the start reads the segment, and makes its indexes anew. */
  isScanned(slot: number): boolean;
  /** Whether offsets are missing before a segment where a start takes that for a loss, and removes what follows. */
  endsBefore(slot: number, nextOffset: number): boolean;
  verdict(found: Break): Verdict;
}

/**
 * What a start does with the log of a partition, by the rules of `LogLoader`: after a clean shutdown it looks at the last batches, else it
 * reads from the segment of the recovery point on.
 */
export class StartOutlook implements Outlook {
  readonly #known: KnownOffsets;
  readonly #baseOffsets: readonly number[];
  readonly #firstScanned: number;
  readonly recoveryPoint: number;

  constructor(known: KnownOffsets, baseOffsets: readonly number[]) {
    this.#known = known;
    this.#baseOffsets = baseOffsets;
    this.recoveryPoint = known.recoveryPoint ?? 0;
    const slot = baseOffsets.findLastIndex((base) => base <= this.recoveryPoint - 1);
    this.#firstScanned = known.hadCleanShutdown ? Infinity : Math.max(0, slot);
  }

  isScanned(slot: number): boolean {
    return slot >= this.#firstScanned;
  }

  endsBefore(slot: number, nextOffset: number): boolean {
    const baseOffset = this.#baseOffsets[slot]!;
    const wholeFrom = Math.max(this.recoveryPoint, this.#known.cleanerOffset ?? 0);
    return slot > this.#firstScanned && baseOffset > nextOffset && baseOffset > wholeFrom;
  }

  verdict({ slot, offset, restBytes, isSeenInHeaders, hasIntactBehind }: Break): Verdict {
    if (this.isScanned(slot)) {
      if (offset < this.recoveryPoint) return this.#damage(offset, 'keeps');
      const highWatermark = this.#known.highWatermark ?? 0;
      const cut = `The next start ends the log here and removes the ${restBytes} bytes behind`;
      if (offset < highWatermark)
        return {
          isCut: true,
          isHarmless: false,
          remedy: `${cut}, although records up to offset ${highWatermark} had been committed. Copy the folder first`,
        };
      if (hasIntactBehind)
        return {
          isCut: true,
          isHarmless: false,
          remedy: `${cut}, intact batches among them: usual after a power cut alone, which takes what was not acknowledged. Copy the folder first`,
        };
      return { isCut: true, isHarmless: true, remedy: `${cut}, of which no checkpoint tells` };
    }
    const isLast = slot === this.#baseOffsets.length - 1;
    return this.#damage(offset, isSeenInHeaders && isLast ? 'keeps' : 'misses');
  }

  #damage(offset: number, start: 'keeps' | 'misses'): Verdict {
    const what =
      start === 'keeps'
        ? 'It was durable: the next start keeps the partition offline and untouched (Kafka cuts the log here). '
        : `A start does not come across it; consumers stop at offset ${offset}. `;
    return { isCut: false, isHarmless: false, remedy: what + RESTORE };
  }
}

/**
 * The same for the log of the metadata, which every start reads as a whole: a torn batch at its end was never answered and
 * goes, anything else stops the start.
 */
export class MetadataOutlook implements Outlook {
  readonly recoveryPoint = 0;
  readonly #segmentCount: number;

  constructor(segmentCount: number) {
    this.#segmentCount = segmentCount;
  }

  isScanned(): boolean {
    return true;
  }

  endsBefore(): boolean {
    return false;
  }

  verdict({ slot, restBytes, hasIntactBehind }: Break): Verdict {
    if (!hasIntactBehind && slot === this.#segmentCount - 1)
      return {
        isCut: true,
        isHarmless: true,
        remedy: `The next start removes the ${restBytes} bytes: a batch that was never answered`,
      };
    return {
      isCut: false,
      isHarmless: false,
      remedy: 'A start refuses the log (Kafka cuts it here). Restore the folder from a copy',
    };
  }
}
