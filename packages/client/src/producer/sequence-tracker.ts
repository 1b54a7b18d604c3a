import { addToSequence, type ErrorName } from '@ottla/protocol';

/** No sequence number given yet, or none acknowledged. */
export const NO_SEQUENCE = -1;
const NO_PRODUCER_ID = -1;
const MAX_PRODUCER_EPOCH = 0x7fff;
const HALF_RANGE = 0x4000_0000;

/** What the tracker needs of a batch, and the four fields that it alone sets. */
export interface SequencedBatch {
  readonly recordCount: number;
  /** An attempt ended in a way that leaves open whether the broker wrote it. */
  readonly mayBeStored: boolean;
  producerId: number;
  producerEpoch: number;
  /** `NO_SEQUENCE` until the batch is drained for the first time. */
  baseSequence: number;
  /** The sequence was given anew after the broker had lost or refused what came before. */
  sequenceReset: boolean;
}

/** The sequence numbers of one partition. */
export interface PartitionSequences<B extends SequencedBatch> {
  /** Of the next batch that has none. */
  next: number;
  /** Last sequence that the broker acknowledged under the present epoch. */
  lastAcked: number;
  /** Highest offset acknowledged; -1 before the first. */
  lastAckedOffset: number;
  /** Batches that have a sequence and no final answer, by sequence: on the wire or waiting for another attempt. */
  readonly inFlight: B[];
  /** The sequence after the last batch that was given up without an answer; undefined when there is none. */
  unresolvedFrom: number | undefined;
  /** The id and epoch that the sequences belong to. */
  producerId: number;
  producerEpoch: number;
  /** The epoch is to be raised and the batches in flight numbered from 0. */
  needsRewrite: boolean;
}

/** Begins a partition. */
export function newPartitionSequences<B extends SequencedBatch>(): PartitionSequences<B> {
  return {
    next: 0,
    lastAcked: NO_SEQUENCE,
    lastAckedOffset: -1,
    inFlight: [],
    unresolvedFrom: undefined,
    producerId: NO_PRODUCER_ID,
    producerEpoch: -1,
    needsRewrite: false,
  };
}

/** A broker's refusal of a batch. */
export interface BatchRefusal {
  readonly error: ErrorName;
  readonly retriable: boolean;
  /** -1 when the broker did not say. */
  readonly logStartOffset: number;
}

/**
 * Sequence numbers of an idempotent or transactional producer (KIP-98, KIP-360): pure, no clock, no I/O.
 *
 *   next batch --assign--> in flight --acknowledge--> lastAcked
 *                            |  ^
 *              mayRetry: yes |  | drained again, oldest first and alone
 *                            v  |
 *                          queued        no answer in time --expire--> unresolved --resolve--> epoch bump
 *
 * The rule behind all of it: a sequence number that may have reached a broker is never given to other records under the same
 * epoch. Where its fate cannot be learned, the epoch is raised, and everything not yet acknowledged is numbered anew from 0.
 */
export class SequenceTracker<B extends SequencedBatch> {
  readonly isTransactional: boolean;
  #producerId = NO_PRODUCER_ID;
  #producerEpoch = -1;
  #bumpRequired = false;
  readonly #partitions = new Set<PartitionSequences<B>>();

  constructor(isTransactional: boolean) {
    this.isTransactional = isTransactional;
  }

  get producerId(): number {
    return this.#producerId;
  }

  get producerEpoch(): number {
    return this.#producerEpoch;
  }

  /** Whether batches can be numbered. */
  get hasProducerId(): boolean {
    return this.#producerId !== NO_PRODUCER_ID;
  }

  /** Takes the id and epoch of an InitProducerId or EndTxn answer; sequences begin at 0 where nothing is in flight. */
  setProducerId(producerId: number, producerEpoch: number): void {
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
  }

  /** Forgets what was open: a transaction has ended with a higher epoch, and nothing is in flight. */
  resetSequences(): void {
    for (const partition of this.#partitions) {
      partition.unresolvedFrom = undefined;
      partition.needsRewrite = false;
    }
    this.#bumpRequired = false;
  }

  /** Whether the oldest batch of a partition's queue may be sent now. */
  maySend(partition: PartitionSequences<B>, batch: B): boolean {
    if (!this.hasProducerId || this.#bumpRequired) return false;
    if (batch.baseSequence === NO_SEQUENCE) {
      if (partition.inFlight.length === 0) return partition.unresolvedFrom === undefined;
      // New numbers could be wasted while it is open whether those before them count, or while an old epoch is at work.
      return partition.unresolvedFrom === undefined && !this.#isStale(partition);
    }
    // A retry goes out only as the oldest one in flight, so that two retries cannot overtake each other.
    return partition.inFlight[0] === batch;
  }

  /** Numbers a batch that is about to be sent for the first time. */
  assign(partition: PartitionSequences<B>, batch: B): void {
    this.#partitions.add(partition);
    if (this.#isStale(partition)) {
      partition.producerId = this.#producerId;
      partition.producerEpoch = this.#producerEpoch;
      partition.next = 0;
      partition.lastAcked = NO_SEQUENCE;
    }
    batch.producerId = this.#producerId;
    batch.producerEpoch = this.#producerEpoch;
    batch.baseSequence = partition.next;
    partition.next = addToSequence(partition.next, batch.recordCount);
    partition.inFlight.push(batch);
  }

  /**
   * The broker has the batch. `isStale`: as numbered before it was numbered anew, so that its present numbers are free for
   * those behind it, none of which can have been sent under them.
   */
  acknowledge(
    partition: PartitionSequences<B>,
    batch: B,
    answer: { readonly baseOffset: number; readonly isStale: boolean },
  ): void {
    this.#remove(partition, batch);
    if (answer.baseOffset >= 0) {
      const lastOffset = answer.baseOffset + batch.recordCount - 1;
      partition.lastAckedOffset = Math.max(partition.lastAckedOffset, lastOffset);
    }
    if (!isCurrent(partition, batch)) return;
    if (answer.isStale) {
      closeGap(partition, batch);
      return;
    }
    const last = addToSequence(batch.baseSequence, batch.recordCount - 1);
    if (last > partition.lastAcked || isWrapped(partition.lastAcked, last)) partition.lastAcked = last;
  }

  /** Whether a refused batch is to be sent again; may ask for a new epoch. */
  mayRetry(partition: PartitionSequences<B>, batch: B, refusal: BatchRefusal): boolean {
    if (refusal.error === 'UNKNOWN_PRODUCER_ID') return this.#mayRetryUnknown(partition, batch, refusal);
    if (refusal.error === 'OUT_OF_ORDER_SEQUENCE_NUMBER')
      return this.#mayRetryOutOfOrder(partition, batch) || refusal.retriable;
    return refusal.retriable;
  }

  #mayRetryUnknown(partition: PartitionSequences<B>, batch: B, refusal: BatchRefusal): boolean {
    // Without a log start offset it cannot be told whether retention took the producer's state; ask again.
    if (refusal.logStartOffset === -1 || batch.sequenceReset) return true;
    if (!this.isTransactional) {
      // Under new numbers a batch that was written before would be written twice.
      if (batch.mayBeStored) return false;
      this.#requestBump(partition);
      return true;
    }
    if (partition.lastAckedOffset >= refusal.logStartOffset) return false;
    this.#renumber(partition);
    return true;
  }

  #mayRetryOutOfOrder(partition: PartitionSequences<B>, batch: B): boolean {
    const { unresolvedFrom } = partition;
    if (unresolvedFrom === undefined && (batch.sequenceReset || !isNext(partition, batch.baseSequence)))
      return true;
    if (this.isTransactional) return false;
    // Nothing before it is open, or it follows what was given up: the gap is real.
    if (unresolvedFrom === undefined || batch.baseSequence === unresolvedFrom) this.#requestBump(partition);
    return true;
  }

  /** A batch is refused for good. When all its attempts were refused, the broker has neither it nor what follows it. */
  fail(partition: PartitionSequences<B>, batch: B, error: ErrorName): void {
    if (batch.mayBeStored) {
      this.expire(partition, batch);
      return;
    }
    this.#remove(partition, batch);
    if (batch.baseSequence === NO_SEQUENCE || !isCurrent(partition, batch)) return;
    if (!this.isTransactional) {
      this.#requestBump(partition);
    } else if (error === 'UNKNOWN_PRODUCER_ID') {
      partition.next = 0;
      partition.lastAcked = NO_SEQUENCE;
    } else {
      closeGap(partition, batch);
    }
  }

  /** A batch that was sent at least once is given up without an answer: what follows waits until its fate does not matter. */
  expire(partition: PartitionSequences<B>, batch: B): void {
    this.#remove(partition, batch);
    if (batch.baseSequence === NO_SEQUENCE || !isCurrent(partition, batch)) return;
    partition.unresolvedFrom = addToSequence(batch.baseSequence, batch.recordCount);
  }

  /**
   * Decides what has become decidable. `bump`: the epoch was raised or, after its last, the id forgotten (`hasProducerId`).
   * `abort`: a transaction cannot go on, its records may be missing.
   */
  resolve(): 'nothing' | 'bump' | 'abort' {
    let isHopeless = false;
    for (const partition of this.#partitions) {
      if (partition.unresolvedFrom === undefined || partition.inFlight.length > 0) continue;
      // When later batches were acknowledged, so were those before them.
      if (!isNext(partition, partition.next)) {
        if (this.isTransactional) isHopeless = true;
        else this.#requestBump(partition);
      }
      partition.unresolvedFrom = undefined;
    }
    if (this.#bumpRequired) {
      this.#bump();
      return 'bump';
    }
    return isHopeless ? 'abort' : 'nothing';
  }

  /** Removes what is in flight, without an answer: its transaction is being aborted or the producer closed. */
  forget(partition: PartitionSequences<B>, batch: B): void {
    this.#remove(partition, batch);
  }

  /** Takes a batch's place for the smaller ones that it was split into; they share out its sequence numbers. */
  split(partition: PartitionSequences<B>, batch: B, parts: readonly B[]): void {
    if (batch.baseSequence === NO_SEQUENCE) return;
    const at = partition.inFlight.indexOf(batch);
    let sequence = batch.baseSequence;
    for (const part of parts) {
      part.producerId = batch.producerId;
      part.producerEpoch = batch.producerEpoch;
      part.baseSequence = sequence;
      part.sequenceReset = batch.sequenceReset;
      sequence = addToSequence(sequence, part.recordCount);
    }
    if (at >= 0) partition.inFlight.splice(at, 1, ...parts);
  }

  #requestBump(partition: PartitionSequences<B>): void {
    if (this.hasProducerId && this.#isStale(partition)) {
      // Another partition has had the epoch raised already: that one is new to this partition too.
      this.#renumber(partition);
      return;
    }
    this.#bumpRequired = true;
    partition.needsRewrite = true;
  }

  #bump(): void {
    this.#bumpRequired = false;
    if (this.#producerEpoch === MAX_PRODUCER_EPOCH) {
      this.#producerId = NO_PRODUCER_ID;
      this.#producerEpoch = -1;
    } else {
      this.#producerEpoch += 1;
    }
    if (!this.hasProducerId) return;
    for (const partition of this.#partitions) if (partition.needsRewrite) this.#renumber(partition);
  }

  /** After a new id was fetched: what waits in partitions that asked for it is numbered under that id. */
  renumberAll(): void {
    for (const partition of this.#partitions) if (partition.needsRewrite) this.#renumber(partition);
  }

  #renumber(partition: PartitionSequences<B>): void {
    partition.needsRewrite = false;
    partition.unresolvedFrom = undefined;
    partition.producerId = this.#producerId;
    partition.producerEpoch = this.#producerEpoch;
    partition.lastAcked = NO_SEQUENCE;
    partition.next = 0;
    for (const batch of partition.inFlight) {
      batch.producerId = this.#producerId;
      batch.producerEpoch = this.#producerEpoch;
      batch.baseSequence = partition.next;
      batch.sequenceReset = true;
      partition.next = addToSequence(partition.next, batch.recordCount);
    }
  }

  #isStale(partition: PartitionSequences<B>): boolean {
    return partition.producerId !== this.#producerId || partition.producerEpoch !== this.#producerEpoch;
  }

  #remove(partition: PartitionSequences<B>, batch: B): void {
    const at = partition.inFlight.indexOf(batch);
    if (at >= 0) partition.inFlight.splice(at, 1);
  }
}

/** The numbers of a batch that the broker does not have under them go to those behind it. */
function closeGap<B extends SequencedBatch>(partition: PartitionSequences<B>, gone: B): void {
  partition.next = gone.baseSequence;
  for (const batch of partition.inFlight) {
    if (isBefore(batch.baseSequence, gone.baseSequence)) continue;
    batch.baseSequence = partition.next;
    batch.sequenceReset = true;
    partition.next = addToSequence(partition.next, batch.recordCount);
  }
}

/** Whether the batch is numbered under the partition's present epoch. */
function isCurrent<B extends SequencedBatch>(partition: PartitionSequences<B>, batch: B): boolean {
  return batch.producerId === partition.producerId && batch.producerEpoch === partition.producerEpoch;
}

/** Order of two sequences that are less than half the range apart. */
function isBefore(one: number, other: number): boolean {
  return one < other ? other - one < HALF_RANGE : one - other > HALF_RANGE;
}

/** Whether `sequence` follows the last acknowledged one. */
function isNext<B extends SequencedBatch>(partition: PartitionSequences<B>, sequence: number): boolean {
  return partition.lastAcked === NO_SEQUENCE
    ? sequence === 0
    : sequence === addToSequence(partition.lastAcked, 1);
}

/** Whether the sequence has begun again at 0 between the two. */
function isWrapped(before: number, after: number): boolean {
  return before - after > HALF_RANGE;
}
