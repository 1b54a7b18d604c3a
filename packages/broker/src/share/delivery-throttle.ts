import type { Run } from './in-flight-runs.ts';

/** From this delivery on a record is suspect: Kafka's half of the limit, at least the third. */
const MIN_THROTTLE_LIMIT = 2;

/** Whether a run was delivered so often that it may be the reason why its readers fail. */
export function isSuspect({ deliveryCount }: Run, deliveryCountLimit: number): boolean {
  return deliveryCount >= throttleLimitOf(deliveryCountLimit);
}

/**
 * What goes out of one in-flight batch by one fetch. A record that fails again and again may bring down whoever reads it,
 * and its neighbours with it: from half of the limit on, ever smaller pieces of its batch go out, nothing from other
 * batches with them, and for its last attempt each record goes alone.
 */
export class BatchDelivery {
  readonly #deliveryCountLimit: number;
  readonly #batchCount: number;
  readonly batchFirstOffset: number;
  /** The fetch gets nothing from other batches. */
  readonly isThrottled: boolean;
  #takenCount = 0;
  #maxCount: number | null = null;
  #isLastAttempt = false;

  constructor({ batchFirstOffset, batchCount }: Run, isThrottled: boolean, deliveryCountLimit: number) {
    this.#deliveryCountLimit = deliveryCountLimit;
    this.#batchCount = batchCount;
    this.batchFirstOffset = batchFirstOffset;
    this.isThrottled = isThrottled;
  }

  get isBegun(): boolean {
    return this.#takenCount > 0;
  }

  /** Whether nothing more of the batch may go out. */
  get isComplete(): boolean {
    return this.#isLastAttempt || this.#takenCount === this.#maxCount;
  }

  /** How many records of the batch's next run may go out; Infinity for all. */
  allowanceFor(run: Run): number {
    const limit = this.#deliveryCountLimit;
    if (limit > MIN_THROTTLE_LIMIT && run.deliveryCount === limit - 1) return this.isBegun ? 0 : 1;
    // The first suspect run decides for the batch; what went out before it counts.
    if (this.#maxCount === null && isSuspect(run, limit)) {
      const halvings = run.deliveryCount - throttleLimitOf(limit) + 1;
      this.#maxCount = Math.max(1, Math.floor(this.#batchCount / 2 ** halvings));
    }
    const maxCount = this.#maxCount ?? 0;
    return this.#takenCount < maxCount ? maxCount - this.#takenCount : Number.POSITIVE_INFINITY;
  }

  /** Counts what goes out, before its delivery is counted. */
  take(run: Run, count: number): void {
    const limit = this.#deliveryCountLimit;
    this.#takenCount += count;
    this.#isLastAttempt = limit > MIN_THROTTLE_LIMIT && run.deliveryCount === limit - 1;
  }
}

function throttleLimitOf(deliveryCountLimit: number): number {
  return Math.max(MIN_THROTTLE_LIMIT, Math.ceil(deliveryCountLimit / 2));
}
