import type { Clock, TimerHandle } from '@ottla/platform';
import type { Partition, PartitionWaiter } from './partition.ts';
import { failedRead, type FetchIsolation, type FetchTarget, type ReadToSend } from './partition-read.ts';

/** The limits of one fetch over all its partitions. */
export interface FetchParams {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isolation: FetchIsolation;
  readonly requireLeader: boolean;
}

/** What a fetch needs from the replica manager. */
export interface FetchHost {
  readonly clock: Clock;
  /** The hosted partition, or Kafka's error code for it. */
  lookup(target: FetchTarget): Partition | number;
}

/**
 * One fetch over its partitions, in the order given: reads what is there, and when that is too little waits on the
 * partitions until it is enough, an error shows up, or the time is over (Kafka's DelayedFetch).
 *
 * The first partition with data may exceed every limit by one batch, so that consumers always make progress (KIP-74).
 */
export class FetchOperation implements PartitionWaiter {
  readonly #host: FetchHost;
  readonly #params: FetchParams;
  readonly #targets: readonly FetchTarget[];

  #results: ReadToSend[] = [];
  #remainingBytes = 0;
  #readBytes = 0;
  #mustAnswer = false;
  #isReading = false;
  #wokenWhileReading = false;

  #waitsOn: Partition[] | null = null;
  #timer: TimerHandle | null = null;
  #isOver = false;
  #isDone = false;
  #resolve: ((results: ReadToSend[]) => void) | null = null;

  constructor(host: FetchHost, params: FetchParams, targets: readonly FetchTarget[]) {
    this.#host = host;
    this.#params = params;
    this.#targets = targets;
  }

  /** The results in the order of the targets; a promise when reading or waiting takes time. */
  run(): ReadToSend[] | Promise<ReadToSend[]> {
    this.#isOver = this.#params.maxWaitMs <= 0 || this.#targets.length === 0;
    this.#startPass();
    if (this.#isDone) return this.#results;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Ends the wait with what the last reading gave: the client is gone or the broker stops. */
  cancel(): void {
    this.#isOver = true;
    if (!this.#isReading) this.#finish();
  }

  onPartitionChanged(): void {
    if (this.#isDone) return;
    if (this.#isReading) this.#wokenWhileReading = true;
    else this.#startPass();
  }

  #startPass(): void {
    for (const result of this.#results) result.lease?.release();
    this.#results = [];
    this.#remainingBytes = this.#params.maxBytes;
    this.#readBytes = 0;
    this.#mustAnswer = false;
    this.#isReading = true;
    this.#wokenWhileReading = false;
    this.#continuePass();
  }

  #continuePass(): void {
    while (this.#results.length < this.#targets.length) {
      const result = this.#readOne(this.#targets[this.#results.length]!);
      if (result instanceof Promise) {
        result.then(
          (read) => {
            this.#take(read);
            this.#continuePass();
          },
          () => {
            this.#take(failedRead(-1));
            this.#continuePass();
          },
        );
        return;
      }
      this.#take(result);
    }
    this.#isReading = false;
    this.#endPass();
  }

  #readOne(target: FetchTarget): ReadToSend | Promise<ReadToSend> {
    const partition = this.#host.lookup(target);
    if (typeof partition === 'number') return failedRead(partition);
    return partition.readToSend(target, {
      maxBytes: Math.min(target.maxBytes, this.#remainingBytes),
      minOneMessage: this.#readBytes === 0,
      isolation: this.#params.isolation,
      requireLeader: this.#params.requireLeader,
    });
  }

  #take(result: ReadToSend): void {
    this.#results.push(result);
    this.#readBytes += result.sizeInBytes;
    this.#remainingBytes = Math.max(0, this.#remainingBytes - result.sizeInBytes);
    if (result.errorCode !== 0 || result.divergingEpoch !== null) this.#mustAnswer = true;
    if (result.isLimited) {
      // Memory is scarce: this answer ends here and goes out, so that what it holds is given back.
      this.#mustAnswer = true;
      if (this.#readBytes > 0) this.#remainingBytes = 0;
    }
  }

  #endPass(): void {
    if (this.#isOver || this.#mustAnswer || this.#readBytes >= this.#params.minBytes) {
      this.#finish();
    } else if (this.#wokenWhileReading) {
      this.#startPass();
    } else if (this.#waitsOn === null) {
      this.#beginWait();
    }
  }

  #beginWait(): void {
    const partitions: Partition[] = [];
    for (const target of this.#targets) {
      const partition = this.#host.lookup(target);
      if (typeof partition !== 'number') partitions.push(partition);
    }
    this.#waitsOn = partitions;
    for (const partition of partitions) partition.addWaiter(this);
    this.#timer = this.#host.clock.setTimer(this.#params.maxWaitMs, () => {
      this.#timer = null;
      this.#isOver = true;
      if (!this.#isReading && !this.#isDone) this.#startPass();
    });
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#timer?.cancel();
    if (this.#waitsOn !== null) for (const partition of this.#waitsOn) partition.removeWaiter(this);
    this.#waitsOn = null;
    this.#resolve?.(this.#results);
  }
}
