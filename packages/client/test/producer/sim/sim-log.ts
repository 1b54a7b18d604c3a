import { addToSequence, crc32c, decodeRecords, ErrorCodes, readBatchSummary } from '@ottla/protocol';

/** Kafka recognises a repetition of each of the last five batches of a producer. */
const REMEMBERED_BATCHES = 5;
/** The checksum covers what follows it. */
const CRC_POSITION = 17;
const CRC_END = 21;

interface StoredBatch {
  readonly offset: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  readonly values: readonly string[];
}

interface ProducerEntry {
  epoch: number;
  batches: StoredBatch[];
}

/** What an append came to: an error code, or where the records are. */
export type AppendResult = { readonly errorCode: number } | { readonly offset: number; readonly end: number };

/** A partition's log with what Kafka remembers of each producer, and a high watermark that follows when it is told. */
export class SimLog {
  #batches: StoredBatch[] = [];
  #producers = new Map<number, ProducerEntry>();
  #end = 0;
  /** Everything below is on all replicas. */
  committedEnd = 0;

  /** Everything that is stored, by offset. */
  get values(): readonly string[] {
    return this.#batches.flatMap(({ values }) => values);
  }

  get end(): number {
    return this.#end;
  }

  /** Checks and stores a batch as a broker does. @throws Error for bytes that no producer may send */
  append(bytes: Buffer): AppendResult {
    const summary = readBatchSummary(bytes, 0);
    if (crc32c(bytes.subarray(CRC_END)) !== bytes.readUInt32BE(CRC_POSITION))
      throw new Error('A batch with a wrong checksum was sent: its bytes have changed on their way');
    const { producerId, producerEpoch, baseSequence } = summary;
    const values = decodeRecords(bytes, 0).map(({ value }) => String(value));
    const lastSequence = baseSequence < 0 ? -1 : addToSequence(baseSequence, values.length - 1);
    const batch = { offset: this.#end, producerId, producerEpoch, baseSequence, lastSequence, values };
    if (producerId >= 0) {
      const entry = this.#producers.get(producerId);
      const same = entry?.batches.find(
        (each) =>
          each.producerEpoch === producerEpoch &&
          each.baseSequence === baseSequence &&
          each.lastSequence === lastSequence,
      );
      if (same !== undefined) return { offset: same.offset, end: same.offset + values.length };
      const errorCode = check(entry, batch);
      if (errorCode !== ErrorCodes.NONE) return { errorCode };
      this.#remember(batch);
    }
    this.#batches.push(batch);
    this.#end += values.length;
    return { offset: batch.offset, end: this.#end };
  }

  /** Another leader takes over that has nothing of what is not on all replicas. */
  truncateUncommitted(): void {
    this.#batches = this.#batches.filter(({ offset }) => offset < this.committedEnd);
    this.#end = this.committedEnd;
    this.#producers = new Map();
    for (const batch of this.#batches) if (batch.producerId >= 0) this.#remember(batch);
  }

  #remember(batch: StoredBatch): void {
    const entry = this.#producers.get(batch.producerId);
    if (entry === undefined || entry.epoch !== batch.producerEpoch)
      this.#producers.set(batch.producerId, { epoch: batch.producerEpoch, batches: [batch] });
    else entry.batches = [...entry.batches, batch].slice(-REMEMBERED_BATCHES);
  }
}

function check(entry: ProducerEntry | undefined, batch: StoredBatch): number {
  if (entry === undefined) return ErrorCodes.NONE;
  if (batch.producerEpoch < entry.epoch) return ErrorCodes.INVALID_PRODUCER_EPOCH;
  if (batch.producerEpoch > entry.epoch)
    return batch.baseSequence === 0 ? ErrorCodes.NONE : ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER;
  const last = entry.batches.at(-1)!.lastSequence;
  return batch.baseSequence === addToSequence(last, 1)
    ? ErrorCodes.NONE
    : ErrorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER;
}
