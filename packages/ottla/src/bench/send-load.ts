import type { Producer, Transaction } from '@ottla/client';
import { NodeClock } from '@ottla/platform';
import { Pace } from '../records/pace.ts';
import { Latencies } from './latencies.ts';

/** What a load is made of. */
export interface Load {
  readonly topic: string;
  readonly recordCount: number;
  readonly values: readonly Buffer[];
  /** Records a second; Infinity for as many as go. */
  readonly perSecond: number;
  /** The first so many are not measured. */
  readonly warmupCount: number;
  /** Commits a transaction this often; null without transactions. */
  readonly transactionMs: number | null;
  readonly signal: AbortSignal;
  /** Told now and then, and at the end. */
  readonly onProgress: (sent: SentSoFar) => void;
}

/** How far a load is; after the warm-up. */
export interface SentSoFar {
  readonly records: number;
  readonly bytes: number;
  readonly elapsedMs: number;
  readonly latencies: Latencies;
}

export interface SendOutcome extends SentSoFar {
  readonly firstError: Error | null;
}

/** Beyond so much in the buffer the loop waits for an answer: the promises of a million records would cost more than the records. */
const HIGH_BYTES = 16 * 1024 * 1024;
/** How many records, or bytes, are sent before others get a turn. */
const BURST_COUNT = 500;
const BURST_BYTES = 256 * 1024;
/** So many bursts are remembered; older ones are answered long ago. */
const MAX_MARKS = 1000;
/** At full speed one record in so many is timed: timing each would be a good part of the work. */
const SAMPLE_EVERY = 10;
/** Up to here every record is timed. */
const ALL_TIMED_PER_SECOND = 20_000;

/** Sends a load as fast as it may, and times the answers. */
export async function sendLoad(producer: Producer, load: Load): Promise<SendOutcome> {
  return new LoadSender(producer, load).run();
}

class LoadSender {
  readonly #producer: Producer;
  readonly #load: Load;
  readonly #clock = new NodeClock({ timersKeepProcessAlive: true });
  readonly #sampleEvery: number;
  #latencies = new Latencies();
  #startedMs: number;
  #records = 0;
  #bytes = 0;
  #firstError: Error | null = null;
  #last: Promise<unknown> = Promise.resolve();
  /** The end of each burst, oldest first. */
  #marks: Promise<unknown>[] = [];
  #burstCount = 0;
  #burstBytes = 0;

  constructor(producer: Producer, load: Load) {
    this.#producer = producer;
    this.#load = load;
    this.#startedMs = this.#clock.monotonicMs();
    this.#sampleEvery = load.perSecond <= ALL_TIMED_PER_SECOND ? 1 : SAMPLE_EVERY;
  }

  async run(): Promise<SendOutcome> {
    const { recordCount, warmupCount, signal, perSecond } = this.#load;
    const pace = new Pace(perSecond, signal);
    let transaction = await this.#begin();
    let transactionSinceMs = this.#clock.monotonicMs();
    for (let index = 0; index < recordCount + warmupCount && !signal.aborted; index += 1) {
      if (index === warmupCount && warmupCount > 0) await this.#endWarmup();
      const early = pace.next();
      if (early !== null) await early;
      this.#send(transaction ?? this.#producer, index);
      if (!this.#isBurstOver() && early === null) continue;
      await this.#makeRoom();
      if (this.#firstError !== null) break;
      const { transactionMs } = this.#load;
      if (transaction !== null && this.#clock.monotonicMs() - transactionSinceMs >= (transactionMs ?? 0)) {
        await transaction.commit();
        transaction = await this.#begin();
        transactionSinceMs = this.#clock.monotonicMs();
      }
    }
    await this.#last;
    if (transaction !== null) await transaction.commit();
    await this.#producer.flush().catch((error: unknown) => this.#onFailure(error as Error));
    this.#load.onProgress(this.#soFar());
    return { ...this.#soFar(), firstError: this.#firstError };
  }

  async #begin(): Promise<Transaction | null> {
    return this.#load.transactionMs === null ? null : this.#producer.begin();
  }

  #send(target: Producer | Transaction, index: number): void {
    const { values, topic } = this.#load;
    const value = values[index % values.length]!;
    const isTimed = index % this.#sampleEvery === 0;
    const startedMs = isTimed ? this.#clock.monotonicMs() : 0;
    const sent = target.send(topic, { value });
    this.#records += 1;
    this.#bytes += value.length;
    this.#burstCount += 1;
    this.#burstBytes += value.length;
    if (!isTimed) return;
    const latencies = this.#latencies;
    this.#last = sent.then(
      () => latencies.add(this.#clock.monotonicMs() - startedMs),
      (error: unknown) => this.#onFailure(error as Error),
    );
  }

  #isBurstOver(): boolean {
    return this.#burstCount >= BURST_COUNT || this.#burstBytes >= BURST_BYTES;
  }

  /** Lets the sending happen, and waits while too much is on its way. */
  async #makeRoom(): Promise<void> {
    this.#burstCount = 0;
    this.#burstBytes = 0;
    this.#marks.push(this.#last);
    if (this.#marks.length > MAX_MARKS) this.#marks.shift();
    await new Promise((resolve) => setImmediate(resolve));
    await this.#producer.room();
    while (this.#producer.bufferedBytes > HIGH_BYTES && this.#marks.length > 0) await this.#marks.shift();
    this.#load.onProgress(this.#soFar());
  }

  async #endWarmup(): Promise<void> {
    await this.#producer.flush().catch((error: unknown) => this.#onFailure(error as Error));
    this.#latencies = new Latencies();
    this.#records = 0;
    this.#bytes = 0;
    this.#startedMs = this.#clock.monotonicMs();
  }

  #onFailure(error: Error): void {
    this.#firstError ??= error;
  }

  #soFar(): SentSoFar {
    const elapsedMs = this.#clock.monotonicMs() - this.#startedMs;
    return { records: this.#records, bytes: this.#bytes, elapsedMs, latencies: this.#latencies };
  }
}
