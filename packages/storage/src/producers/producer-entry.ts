/** Kafka keeps this many batches per producer to recognise duplicates (`max.in.flight.requests.per.connection` <= 5). */
const BATCHES_KEPT = 5;

/** A batch that a producer has appended, as far as recognising its repetition needs. */
export interface ProducerBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly timestamp: number;
}

/** After this sequence number comes 0. */
const MAX_INT32 = 2 ** 31 - 1;

/** The sequence number `by` before this one, across the wrap from 0 to 2^31 - 1. */
export function decrementSequence(sequence: number, by: number): number {
  return sequence < by ? MAX_INT32 - (by - sequence) + 1 : sequence - by;
}

/** Whether `next` follows `last`: one more, or 0 after 2^31 - 1. */
export function isNextSequence(last: number, next: number): boolean {
  return next === last + 1 || (next === 0 && last === MAX_INT32);
}

/** What the log knows of one producer: its epoch, its last batches, its open transaction. */
export interface ProducerEntry {
  readonly producerId: number;
  producerEpoch: number;
  coordinatorEpoch: number;
  lastTimestamp: number;
  /** First offset of the open transaction; -1 when there is none. */
  currentTxnFirstOffset: number;
  /** Oldest first, at most BATCHES_KEPT; of the current epoch only. */
  batches: ProducerBatch[];
}

/** A producer that has appended nothing yet. */
export function newProducerEntry(producerId: number): ProducerEntry {
  return {
    producerId,
    producerEpoch: -1,
    coordinatorEpoch: -1,
    lastTimestamp: -1,
    currentTxnFirstOffset: -1,
    batches: [],
  };
}

/** A new epoch begins with no batches remembered. */
export function updateProducerEpoch(entry: ProducerEntry, producerEpoch: number): void {
  if (entry.producerEpoch === producerEpoch) return;
  entry.producerEpoch = producerEpoch;
  entry.batches = [];
}

/** Remembers an appended batch and forgets what is older than the last five. */
export function addProducerBatch(entry: ProducerEntry, producerEpoch: number, batch: ProducerBatch): void {
  updateProducerEpoch(entry, producerEpoch);
  if (entry.batches.length === BATCHES_KEPT) entry.batches.shift();
  entry.batches.push(batch);
  entry.lastTimestamp = batch.timestamp;
}
