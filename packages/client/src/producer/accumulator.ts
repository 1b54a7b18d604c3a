import type { Clock } from '@ottla/platform';
import { BATCH_HEADER_BYTES } from '@ottla/protocol';
import { BatchBuilder, recordBound, type EncodableRecord } from './batch-builder.ts';
import { BatchOutcome, type FailureLedger } from './batch-outcome.ts';
import { BufferPool } from './buffer-pool.ts';
import type { PartitionQueue } from './partition-queue.ts';
import { ProducerBatch } from './producer-batch.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';
import { exactBytesOf, type HeaderPair, type RecordBytes } from './record-bytes.ts';
import { SentRecord } from './sent-record.ts';
import { splitBatch } from './split-batch.ts';

/** A batch with less room than this takes no more records. */
const LEAST_ROOM_BYTES = 24;

type AccumulatorOptions = Pick<
  ResolvedProducerOptions,
  | 'batchSizeBytes'
  | 'bufferMemoryBytes'
  | 'lingerMs'
  | 'retryBackoffMs'
  | 'retryBackoffMaxMs'
  | 'compression'
  | 'deliveryTimeoutMs'
>;

/**
 * Records by partition, in batches that fill up until they are full or their time has come; Kafka's RecordAccumulator. It
 * decides what may be sent when, and sends nothing itself.
 */
export class Accumulator {
  readonly pool: BufferPool;
  /** Partitions with batches that are not on the wire, the one that was served longest ago first. */
  readonly active = new Set<PartitionQueue>();
  readonly #options: AccumulatorOptions;
  readonly #clock: Clock;
  readonly #ledger: FailureLedger;
  readonly #onBatchClosed: () => void;
  #nextOrder = 0;
  /** Batches of a lower order do not linger: somebody flushes or closes, or waits for room. */
  #hurriedBefore = 0;
  /** Batches that are not done. */
  readonly #undone = new Set<ProducerBatch>();

  constructor(setup: {
    readonly options: AccumulatorOptions;
    readonly clock: Clock;
    readonly ledger: FailureLedger;
    /** A batch can be sent: it is full, or the first one that lingers. */
    readonly onBatchClosed: () => void;
  }) {
    this.#options = setup.options;
    this.#clock = setup.clock;
    this.#ledger = setup.ledger;
    this.#onBatchClosed = setup.onBatchClosed;
    const { bufferMemoryBytes, batchSizeBytes } = setup.options;
    this.pool = new BufferPool({ limitBytes: bufferMemoryBytes, unitBytes: batchSizeBytes });
  }

  /** Batches that are not done, on the wire or not. */
  get undone(): ReadonlySet<ProducerBatch> {
    return this.#undone;
  }

  /** What is here now is sent without lingering. */
  hurry(): void {
    this.#hurriedBefore = this.#nextOrder;
  }

  /** Puts a record into the partition's open batch or a new one; undefined when the buffer has no room for a new one. */
  // oxlint-disable-next-line max-params -- called for every record
  append(
    queue: PartitionQueue,
    timestamp: number,
    key: RecordBytes,
    value: RecordBytes,
    headers: readonly HeaderPair[],
  ): SentRecord | undefined {
    const { batches } = queue;
    let batch = batches[batches.length - 1];
    if (batch === undefined || batch.isClosed || !batch.builder.append(timestamp, key, value, headers)) {
      if (batch?.isClosed === false) this.#close(batch);
      batch = this.#openBatch(queue, { timestamp, key, value, headers });
      if (batch === undefined) return undefined;
    }
    const { builder } = batch;
    if (builder.bytes.length - builder.position < LEAST_ROOM_BYTES) this.#close(batch);
    return new SentRecord(batch.outcome, builder.recordCount - 1, timestamp - builder.baseTimestamp);
  }

  #close(batch: ProducerBatch): void {
    batch.isClosed = true;
    this.#onBatchClosed();
  }

  /** A batch with the record in it, at the end of the queue. */
  #openBatch(queue: PartitionQueue, record: EncodableRecord): ProducerBatch | undefined {
    const { batchSizeBytes, compression } = this.#options;
    const { timestamp, key, value, headers } = record;
    const needed = BATCH_HEADER_BYTES + recordBound(key, value, headers, exactBytesOf);
    const usual = compression === 'none' ? batchSizeBytes : queue.topic.ratio.plainLimit(batchSizeBytes);
    // A record that a batch of the usual size cannot hold has a batch of its own.
    const reservedBytes =
      needed <= batchSizeBytes ? Math.max(usual, batchSizeBytes) : Math.max(needed, usual);
    const bytes = this.pool.take(reservedBytes) ?? (usual > needed ? this.#takeLess(needed) : undefined);
    if (bytes === undefined) return undefined;
    const builder = new BatchBuilder(bytes);
    builder.append(timestamp, key, value, headers);
    const batch = this.#adopt(queue, builder, {
      order: this.#nextOrder++,
      createdMs: this.#clock.monotonicMs(),
    });
    queue.batches.push(batch);
    this.active.add(queue);
    if (queue.batches.length === 1) this.#onBatchClosed();
    return batch;
  }

  /** Where a batch that packs well no longer fits into what is left, one of the plain size may. */
  #takeLess(needed: number): Buffer | undefined {
    const { batchSizeBytes } = this.#options;
    return needed <= batchSizeBytes ? this.pool.take(batchSizeBytes) : undefined;
  }

  #adopt(
    queue: PartitionQueue,
    builder: BatchBuilder,
    place: { order: number; createdMs: number; orderSpan?: number; isPart?: boolean },
  ): ProducerBatch {
    const outcome = new BatchOutcome(queue.topic.name, queue.partition, this.#ledger);
    outcome.baseTimestamp = builder.baseTimestamp;
    const batch = new ProducerBatch({ builder, outcome, reservedBytes: builder.bytes.length, ...place });
    this.#undone.add(batch);
    return batch;
  }

  /**
   * Milliseconds until the oldest batch of the queue may be sent, 0 when it may be sent now. `leaderEpoch` is that of the
   * present leader: a new one is tried without waiting.
   */
  waitMs(queue: PartitionQueue, leaderEpoch: number, nowMs: number): number {
    const batch = queue.batches[0]!;
    if (batch.attempts > 0) {
      const isNewLeader =
        leaderEpoch >= 0 && leaderEpoch > batch.lastLeaderEpoch && batch.lastLeaderEpoch >= 0;
      return isNewLeader ? 0 : Math.max(0, batch.retryAtMs - nowMs);
    }
    if (batch.isClosed || queue.batches.length > 1 || batch.order < this.#hurriedBefore) return 0;
    return Math.max(0, batch.createdMs + this.#options.lingerMs - nowMs);
  }

  /** Takes the oldest batch of a queue for sending. */
  take(queue: PartitionQueue): ProducerBatch {
    const batch = queue.batches.shift()!;
    batch.isClosed = true;
    // To the end of the line.
    this.active.delete(queue);
    if (queue.batches.length > 0) this.active.add(queue);
    return batch;
  }

  /** Puts a batch back for another attempt. */
  putBack(queue: PartitionQueue, batch: ProducerBatch, retryAtMs: number): void {
    batch.retryAtMs = retryAtMs;
    queue.putBack(batch);
    this.active.add(queue);
  }

  /** Puts smaller batches in the place of one that was too large for the broker; gives them, in order. */
  split(queue: PartitionQueue, batch: ProducerBatch): ProducerBatch[] {
    queue.topic.ratio.reset();
    const { batchSizeBytes } = this.#options;
    const halfBytes = Math.ceil(batch.builder.position / 2);
    const targetBytes = batch.isPart || batch.builder.position <= batchSizeBytes ? halfBytes : batchSizeBytes;
    const pieces = splitBatch(batch.builder, targetBytes);
    const orderSpan = batch.orderSpan / pieces.length;
    const parts = pieces.map(({ builder }, index) => {
      // The parts take no more than the whole does, which is released by its own.
      const part = this.#adopt(queue, builder, {
        order: batch.order + index * orderSpan,
        orderSpan,
        createdMs: batch.createdMs,
        isPart: true,
      });
      part.isClosed = true;
      part.mayBeStored = batch.mayBeStored;
      return part;
    });
    this.pool.reserve(pieces.reduce((sum, { builder }) => sum + builder.bytes.length, 0));
    batch.outcome.split(parts.map((part, index) => ({ from: pieces[index]!.from, outcome: part.outcome })));
    for (const part of parts) queue.putBack(part);
    this.active.add(queue);
    return parts;
  }

  /** Takes out of a queue what is no longer to be sent. */
  drop(queue: PartitionQueue, batch: ProducerBatch): void {
    queue.remove(batch);
    if (queue.batches.length === 0) this.active.delete(queue);
  }

  /** The batch has its final answer; its memory goes back as soon as no request has it any more. */
  finish(batch: ProducerBatch): void {
    batch.isDone = true;
    this.#undone.delete(batch);
    this.releaseIfIdle(batch);
  }

  /** Gives the memory of a batch back that is done and off the wire. */
  releaseIfIdle(batch: ProducerBatch): void {
    if (!batch.isDone || batch.openRequests > 0 || batch.isReleased) return;
    batch.isReleased = true;
    this.pool.release(batch.reservedBytes, batch.isHeldBySocket ? undefined : batch.builder.bytes);
  }
}
