import { ChunkReader, type ChunkReaderOptions } from '../consumer/fetch/chunk-reader.ts';
import { Chunk, FrameShare } from '../consumer/fetch/fetched-chunk.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import type { SharePartition } from './share-partition.ts';

/** Offsets that the broker has given to us alone. */
export interface AcquiredRange {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryCount: number;
}

/**
 * Steps through the records of a ShareFetch answer that were acquired. The batches may hold others too, which belong to somebody else;
 * acquired offsets without a record (control batches, compaction) are acknowledged as gaps.
 */
export class AcquiredRecords {
  readonly partition: SharePartition;
  readonly reader: ChunkReader;
  readonly #ranges: AcquiredRange[];
  /** The next offset of the first range that nothing was said of yet. */
  #next: number;
  /** Of the current record. */
  deliveryCount = 0;

  constructor(
    partition: SharePartition,
    content: { readonly records: Buffer; readonly acquired: readonly AcquiredRange[] },
    options: ChunkReaderOptions,
  ) {
    this.partition = partition;
    const frame = new FrameShare(content.records.length, () => {});
    const chunk = new Chunk(partition, { records: content.records, aborted: [] }, frame);
    this.reader = new ChunkReader(chunk, options);
    this.#ranges = content.acquired.toSorted((a, b) => a.firstOffset - b.firstOffset);
    this.#next = this.#ranges[0]?.firstOffset ?? 0;
  }

  get error(): KafkaError | null {
    return this.reader.error;
  }

  /** Goes to the next acquired record; false at the end or at an error. */
  next(): boolean {
    while (this.#ranges.length > 0 && this.reader.next(this.#next)) {
      const { offset } = this.reader;
      this.#skipTo(offset);
      const range = this.#ranges[0];
      if (range === undefined) return false;
      if (offset < range.firstOffset) continue;
      this.#next = offset + 1;
      this.deliveryCount = range.deliveryCount;
      this.partition.acquire(offset);
      return true;
    }
    if (this.reader.error === null) this.#skipTo(Infinity);
    return false;
  }

  /** Gives back what was not handed out. */
  releaseRest(): void {
    for (const range of this.#ranges) {
      for (let offset = Math.max(this.#next, range.firstOffset); offset <= range.lastOffset; offset += 1) {
        this.partition.acquire(offset);
        this.partition.acknowledge(offset, 'release');
      }
    }
    this.#ranges.length = 0;
  }

  /** Acquired offsets before `offset` have no record. */
  #skipTo(offset: number): void {
    for (;;) {
      const range = this.#ranges[0];
      if (range === undefined) return;
      const from = Math.max(this.#next, range.firstOffset);
      for (let gap = from; gap <= range.lastOffset && gap < offset; gap += 1) this.partition.gap(gap);
      if (offset <= range.lastOffset) return;
      this.#ranges.shift();
    }
  }
}
