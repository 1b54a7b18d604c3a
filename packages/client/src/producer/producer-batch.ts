import {
  BATCH_HEADER_BYTES,
  BatchAttributes,
  COMPRESSION_TYPES,
  writeBatchHeader,
  type CompressionType,
} from '@ottla/protocol';
import type { BatchBuilder } from './batch-builder.ts';
import type { BatchOutcome } from './batch-outcome.ts';
import { NO_SEQUENCE, type SequencedBatch } from './sequence-tracker.ts';

/** How the batches of a producer are written. */
export interface BatchFormat {
  readonly compression: CompressionType;
  readonly isTransactional: boolean;
}

/**
 * One batch of one partition, from its first record until nobody needs its bytes:
 *
 *   open -> closed -> sealed (compressed) -> sent, perhaps several times -> done
 *
 * Bytes that a socket may still hold are never changed and never reused (CVE-2026-35554): a changed header goes into a copy,
 * and the buffer returns to the pool only when every request that carried it was answered.
 */
export class ProducerBatch implements SequencedBatch {
  readonly builder: BatchBuilder;
  readonly outcome: BatchOutcome;
  /** Monotonic time of the first record. */
  readonly createdMs: number;
  /** Bytes of the buffer pool that it takes until it is done and off the wire. */
  readonly reservedBytes: number;
  /** No record is added any more. */
  isClosed = false;
  isDone = false;
  /** Its memory was given back. */
  isReleased = false;
  /** It is being compressed off the loop. */
  isSealing = false;
  /** It is a part of a batch that was too large. */
  readonly isPart: boolean;
  /** Place in the order of creation; parts share out their whole's, which is theirs up to `order + orderSpan`. */
  readonly order: number;
  readonly orderSpan: number;
  /** Attempts that were begun. */
  attempts = 0;
  /** Not sent before this monotonic time. */
  retryAtMs = 0;
  /** The leader epoch of the last attempt, to see when another leader is there. */
  lastLeaderEpoch = -1;
  /** Requests with it that have not ended in any way. */
  openRequests = 0;
  /** A request with it ended without an answer: its bytes may still be in a socket. */
  isHeldBySocket = false;
  /** An attempt ended in a way that leaves open whether the broker wrote it. */
  mayBeStored = false;
  producerId = -1;
  producerEpoch = -1;
  baseSequence = NO_SEQUENCE;
  sequenceReset = false;
  /** What is sent: header room and records, compressed; undefined until it is sealed. */
  #payload: Buffer | undefined;
  /** Whether the header in the payload is written, and under which number. */
  #writtenAs:
    | { readonly producerId: number; readonly producerEpoch: number; readonly baseSequence: number }
    | undefined;
  #plainBytes = 0;

  constructor(setup: {
    readonly builder: BatchBuilder;
    readonly outcome: BatchOutcome;
    readonly createdMs: number;
    readonly reservedBytes: number;
    readonly order: number;
    readonly orderSpan?: number;
    readonly isPart?: boolean;
  }) {
    this.builder = setup.builder;
    this.outcome = setup.outcome;
    this.createdMs = setup.createdMs;
    this.reservedBytes = setup.reservedBytes;
    this.isPart = setup.isPart === true;
    this.order = setup.order;
    this.orderSpan = setup.orderSpan ?? 1;
  }

  get recordCount(): number {
    return this.builder.recordCount;
  }

  get isSealed(): boolean {
    return this.#payload !== undefined;
  }

  /** Size on the wire; before sealing, the size so far. */
  get sizeBytes(): number {
    return this.#payload?.length ?? this.builder.position;
  }

  /** Size before compression. */
  get plainBytes(): number {
    return this.#plainBytes === 0 ? this.builder.position : this.#plainBytes;
  }

  /** The records as they were written, uncompressed. */
  get plainRecords(): Buffer {
    return this.builder.bytes.subarray(BATCH_HEADER_BYTES, this.builder.position);
  }

  /** Fixes the records; `compressed` takes their place when it is given. */
  seal(compressed?: Buffer): void {
    this.isClosed = true;
    this.#plainBytes = this.builder.position;
    if (compressed === undefined) {
      this.#payload = this.builder.bytes.subarray(0, this.builder.position);
      return;
    }
    this.#payload = Buffer.allocUnsafe(BATCH_HEADER_BYTES + compressed.length);
    compressed.copy(this.#payload, BATCH_HEADER_BYTES);
  }

  /** The whole batch under its present numbers. It must be sealed. */
  payload(format: BatchFormat): Buffer {
    const sealed = this.#payload;
    if (sealed === undefined) throw new TypeError('A batch is sent before it is sealed');
    const { producerId, producerEpoch, baseSequence } = this;
    const written = this.#writtenAs;
    if (
      written !== undefined &&
      written.baseSequence === baseSequence &&
      written.producerId === producerId &&
      written.producerEpoch === producerEpoch
    )
      return sealed;
    // The first header goes where it belongs; a later one must not change bytes that may be on their way.
    const bytes = written === undefined ? sealed : Buffer.from(sealed);
    const { builder, recordCount } = this;
    writeBatchHeader(bytes, bytes.length, {
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      attributes:
        COMPRESSION_TYPES.indexOf(format.compression) |
        (format.isTransactional ? BatchAttributes.transactional : 0),
      lastOffsetDelta: recordCount - 1,
      baseTimestamp: builder.baseTimestamp,
      maxTimestamp: builder.maxTimestamp,
      producerId,
      producerEpoch,
      baseSequence,
      recordCount,
    });
    this.#payload = bytes;
    this.#writtenAs = { producerId, producerEpoch, baseSequence };
    return bytes;
  }
}
