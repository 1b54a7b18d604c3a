import {
  BatchLayout,
  controlRecordType,
  ControlRecordType,
  openRecords,
  readBatchSummary,
  validateBatchCrc,
  type BatchSummary,
  type RecordReader,
} from '@ottla/protocol';
import { RecordRun, type TopicSerdes } from '../delivery/record-run.ts';
import { corruptBatch } from '../consumer-errors.ts';
import type { KafkaError } from '../../errors/kafka-error.ts';
import type { Chunk } from './fetched-chunk.ts';

export interface ChunkReaderOptions {
  readonly serdes: TopicSerdes;
  readonly checkCrcs: boolean;
  /** Whether records of aborted transactions are left out. */
  readonly isReadCommitted: boolean;
}

/**
 * Steps through the records of a chunk. Batches are opened (checked, decompressed) one at a time when the application gets to them.
 * What goes wrong is kept in `error`, and the reader stays before the batch.
 */
export class ChunkReader {
  readonly #chunk: Chunk;
  readonly #options: ChunkReaderOptions;
  /** Aborted transactions that have not begun yet, by first offset. */
  readonly #aborted: { readonly producerId: number; readonly firstOffset: number }[];
  /** Producers in the middle of an aborted transaction. */
  readonly #aborting = new Set<number>();
  #nextBatch = 0;
  /** The open batch. After `next()` it stands at the record. */
  records: RecordReader | null = null;
  run: RecordRun | null = null;
  #baseOffset = 0;
  #baseTimestamp = 0;
  /** Of all records of the batch when the topic uses LogAppendTime; -1 otherwise. */
  #logAppendTime = -1;
  /** Of the current record. */
  offset = -1;
  timestamp = -1;
  /** Where the next one begins once the open batch is done. */
  endOffset = -1;
  leaderEpoch = -1;
  error: KafkaError | null = null;

  constructor(chunk: Chunk, options: ChunkReaderOptions) {
    this.#chunk = chunk;
    this.#options = options;
    this.#aborted = chunk.aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Goes to the next record at or after `from`; false at the end of the chunk or at an error. */
  next(from: number): boolean {
    for (;;) {
      const { records } = this;
      if (records === null) {
        if (!this.#openNext(from)) return false;
        continue;
      }
      try {
        while (records.next()) {
          const offset = this.#baseOffset + records.offsetDelta;
          if (offset < from) continue;
          this.offset = offset;
          this.timestamp =
            this.#logAppendTime >= 0 ? this.#logAppendTime : this.#baseTimestamp + records.timestampDelta;
          return true;
        }
      } catch (error) {
        this.#refuse(error, Math.max(from, this.#baseOffset));
        return false;
      }
      this.records = null;
    }
  }

  /** Its memory is no longer needed by us. */
  release(): void {
    this.#chunk.release();
  }

  /** Opens the next batch that has records for the application. */
  #openNext(from: number): boolean {
    const { records } = this.#chunk;
    while (this.#nextBatch < records.length) {
      let batch: BatchSummary;
      try {
        batch = readBatchSummary(records, this.#nextBatch);
        if (this.#options.checkCrcs && !validateBatchCrc(records, this.#nextBatch))
          throw new Error('its checksum (CRC-32C) is wrong');
        // A batch whose end is not behind the one before it would turn in circles.
        if (batch.lastOffset < batch.baseOffset || batch.lastOffset < this.endOffset - 1)
          throw new Error(`it ends at offset ${batch.lastOffset}, before it begins`);
        const isWanted = this.#isWanted(records, batch);
        const opened = isWanted ? openRecords(records, batch) : null;
        this.#nextBatch += batch.sizeInBytes;
        this.endOffset = batch.lastOffset + 1;
        this.leaderEpoch = batch.partitionLeaderEpoch;
        if (opened === null) continue;
        this.#begin(batch, opened);
        return true;
      } catch (error) {
        this.#refuse(error, Math.max(from, this.endOffset));
        return false;
      }
    }
    return false;
  }

  #begin(batch: BatchSummary, records: RecordReader): void {
    const { topic, partition } = this.#chunk.place;
    this.records = records;
    this.#baseOffset = batch.baseOffset;
    this.#baseTimestamp = batch.baseTimestamp;
    this.#logAppendTime = batch.timestampType === 'LogAppendTime' ? batch.maxTimestamp : -1;
    this.run = new RecordRun(topic, partition, {
      bytes: records.bytes,
      serdes: this.#options.serdes,
      leaderEpoch: batch.partitionLeaderEpoch,
      timestampType: batch.timestampType,
    });
  }

  /** Control batches are not for the application, nor, with read_committed, records of aborted transactions. */
  #isWanted(records: Buffer, batch: BatchSummary): boolean {
    if (!this.#options.isReadCommitted || batch.producerId < 0) return !batch.isControl;
    while (this.#aborted.length > 0 && this.#aborted[0]!.firstOffset <= batch.lastOffset)
      this.#aborting.add(this.#aborted.shift()!.producerId);
    if (!batch.isControl) return !batch.isTransactional || !this.#aborting.has(batch.producerId);
    const marker = openRecords(records, batch);
    if (marker.next() && controlRecordType(marker.key()) === ControlRecordType.abort)
      this.#aborting.delete(batch.producerId);
    return false;
  }

  #refuse(error: unknown, offset: number): void {
    const { topic, partition } = this.#chunk.place;
    const place = { topic, partition, offset: offset < 0 ? this.#offsetOfNextBatch() : offset, cause: error };
    this.error = corruptBatch(place, error instanceof Error ? error.message : String(error));
  }

  #offsetOfNextBatch(): number {
    const { records } = this.#chunk;
    const at = this.#nextBatch + BatchLayout.baseOffset;
    return at + 8 <= records.length ? Number(records.readBigInt64BE(at)) : -1;
  }
}
