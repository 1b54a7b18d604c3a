import { addToSequence, type ErrorName } from '@ottla/protocol';

/** No sequence number given yet, or none acknowledged. */
export const NO_SEQUENCE = -1;
const NO_PRODUCER_ID = -1;
const MAX_PRODUCER_EPOCH = 0x7fff;
const HALF_RANGE = 0x4000_0000;

/** What the tracker needs of a batch, and the four fields that it alone sets. */
export interface SequencedBatch {
  readonly recordCount: number;
  /** Requests with it that have not ended. */
  readonly openRequests: number;
  /** An attempt ended in a way that leaves open whether the broker wrote it; cleared where the numbers prove that it did not. */
  mayBeStored: boolean;
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
  /** The id under which a batch was acknowledged: a broker that knows nothing of a producer takes any sequence as its first. */
  knownProducerId: number;
  /** Batches that have a sequence and no final answer, by sequence: on the wire or waiting for another attempt. */
  readonly inFlight: B[];
  /** The sequence after the last batch that was given up without an answer; undefined when there is none. */
  unresolvedFrom: number | undefined;
  /** The id and epoch that the sequences belong to. */
  producerId: number;
  producerEpoch: number;
  /**
   * No broker has, or will ever take, a batch with this number or a later one of this epoch, since one before is missing for good: what is
   * in flight is to be numbered from 0 under a higher epoch. Undefined when there is no such gap.
   */
  lostFrom: number | undefined;
}

/** Begins a partition. */
export function newPartitionSequences<B extends SequencedBatch>(): PartitionSequences<B> {
  return {
    next: 0,
    lastAcked: NO_SEQUENCE,
    lastAckedOffset: -1,
    knownProducerId: NO_PRODUCER_ID,
    inFlight: [],
    unresolvedFrom: undefined,
    producerId: NO_PRODUCER_ID,
    producerEpoch: -1,
    lostFrom: undefined,
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
 * Two rules behind all of it. A sequence number that may have reached a broker is never given to other records under the same
 * epoch: where its fate cannot be learned, the epoch is raised. And records that may be stored never get another number: before
 * what is in flight is numbered anew from 0, everything that could be there is asked about under its old number.
 */
export class SequenceTracker<B extends SequencedBatch> {
  readonly isTransactional: boolean;
  #producerId = NO_PRODUCER_ID;
  #producerEpoch = -1;
  /** Partitions with something to resolve. */
  readonly #unsettled = new Set<PartitionSequences<B>>();

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
    for (const partition of this.#unsettled) {
      partition.unresolvedFrom = undefined;
      partition.lostFrom = undefined;
    }
    this.#unsettled.clear();
  }

  /** Whether the oldest batch of a partition's queue may be sent now. */
  maySend(partition: PartitionSequences<B>, batch: B): boolean {
    if (!this.hasProducerId) return false;
    const { inFlight, lostFrom, unresolvedFrom } = partition;
    if (batch.baseSequence === NO_SEQUENCE) {
      // New numbers could be wasted while it is open whether those before them count.
      if (unresolvedFrom !== undefined || lostFrom !== undefined) return false;
      if (inFlight.length === 0) return true;
      // One behind a first batch that was refused would be taken for the first, and then the first is out of order for good.
      return partition.knownProducerId === this.#producerId && !this.#isStale(partition);
    }
    // A retry goes out only as the oldest one in flight, so that two retries cannot overtake each other.
    return inFlight[0] === batch && (lostFrom === undefined || isOpenBefore(batch, lostFrom));
  }

  /** Numbers a batch that is about to be sent for the first time. */
  assign(partition: PartitionSequences<B>, batch: B): void {
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
    if (!answer.isStale) partition.knownProducerId = batch.producerId;
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
    if (refusal.error === 'UNKNOWN_PRODUCER_ID') {
      partition.knownProducerId = NO_PRODUCER_ID;
      return this.#mayRetryUnknown(partition, batch, refusal);
    }
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
      this.#lose(partition, batch);
      return true;
    }
    if (partition.lastAckedOffset >= refusal.logStartOffset) return false;
    this.#renumber(partition);
    return true;
  }

  #mayRetryOutOfOrder(partition: PartitionSequences<B>, batch: B): boolean {
    const { unresolvedFrom, lostFrom } = partition;
    // What is before it has no answer yet, and decides.
    if (partition.inFlight[0] !== batch) return true;
    if (unresolvedFrom === undefined && lostFrom === undefined) {
      if (batch.sequenceReset || !isNext(partition, batch.baseSequence)) return true;
    }
    if (this.isTransactional) return false;
    // Should the one that was given up be written late, so may this one: it must not get another number.
    if (unresolvedFrom !== undefined && batch.mayBeStored) return false;
    this.#lose(partition, batch);
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
      this.#lose(partition, batch);
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
    this.#unsettled.add(partition);
  }

  /**
   * Decides what has become decidable. `bump`: the epoch was raised or, after its last, the id forgotten (`hasProducerId`).
   * `abort`: a transaction cannot go on, its records may be missing.
   */
  resolve(): 'nothing' | 'bump' | 'abort' {
    if (this.#unsettled.size === 0) return 'nothing';
    let isHopeless = false;
    let needsBump = false;
    const rewritable: PartitionSequences<B>[] = [];
    for (const partition of this.#unsettled) {
      if (partition.unresolvedFrom !== undefined && partition.inFlight.length === 0) {
        // When later batches were acknowledged, so were those before them.
        if (!isNext(partition, partition.next)) {
          if (this.isTransactional) isHopeless = true;
          else partition.lostFrom ??= partition.next;
        }
        partition.unresolvedFrom = undefined;
      }
      if (partition.lostFrom !== undefined && isSettledBefore(partition, partition.lostFrom)) {
        rewritable.push(partition);
        // Where another partition has had the epoch raised already, that one is new to this partition too.
        if (!this.#isStale(partition)) needsBump = true;
      }
      if (partition.unresolvedFrom === undefined && partition.lostFrom === undefined)
        this.#unsettled.delete(partition);
    }
    if (needsBump) this.#bump();
    if (this.hasProducerId) for (const partition of rewritable) this.#renumber(partition);
    if (isHopeless) return 'abort';
    return needsBump ? 'bump' : 'nothing';
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

  /** The batch's number and all behind it will never be taken. */
  #lose(partition: PartitionSequences<B>, { baseSequence }: B): void {
    const { lostFrom } = partition;
    if (lostFrom === undefined || isBefore(baseSequence, lostFrom)) partition.lostFrom = baseSequence;
    this.#unsettled.add(partition);
  }

  #bump(): void {
    if (this.#producerEpoch < MAX_PRODUCER_EPOCH) {
      this.#producerEpoch += 1;
      return;
    }
    this.#producerId = NO_PRODUCER_ID;
    this.#producerEpoch = -1;
  }

  /** Numbers what is in flight from 0; none of it is stored. */
  #renumber(partition: PartitionSequences<B>): void {
    this.#unsettled.delete(partition);
    partition.lostFrom = undefined;
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
      batch.mayBeStored = false;
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

/** Whether a batch may be stored under its number, which is before those that are lost. */
function isOpenBefore(batch: SequencedBatch, lostFrom: number): boolean {
  return batch.mayBeStored && isBefore(batch.baseSequence, lostFrom);
}

/** Whether none of what is in flight can be stored: behind one that is not, nothing is. */
function isSettledBefore<B extends SequencedBatch>(
  { inFlight }: PartitionSequences<B>,
  lostFrom: number,
): boolean {
  if (inFlight.some((batch) => batch.openRequests > 0)) return false;
  const [oldest] = inFlight;
  return oldest === undefined || !isOpenBefore(oldest, lostFrom);
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
