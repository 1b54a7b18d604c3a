import { KafkaError } from '../../errors/kafka-error.ts';
import type { ConsumerCore } from '../consumer-core.ts';
import type { PartitionState } from '../partition-state.ts';
import type { Message } from './message.ts';
import { ReceiveWatch } from './receive-watch.ts';
import { TurnTaker } from './turn-taker.ts';

/**
 * One loop over a consumer. Asking for the next item says that the one before has been handled; leaving the loop early (`break`,
 * `return`, `throw`) says that it has not: it comes again in the next loop, or to another member.
 */
export abstract class ConsumerLoop<T> implements AsyncIterableIterator<T> {
  protected readonly core: ConsumerCore;
  readonly #turns: TurnTaker;
  readonly #onEnd: () => void;
  /** Null unless somebody wants to know what the loop gets. */
  readonly #watch: ReceiveWatch | null;
  /** Of what the loop holds. */
  protected inHand: PartitionState | null = null;
  protected firstOffset = -1;
  #isDone = false;

  constructor(core: ConsumerCore, onEnd: () => void) {
    this.core = core;
    this.#turns = new TurnTaker(core.cluster.options.clock);
    this.#onEnd = onEnd;
    this.#watch = ReceiveWatch.of(core.cluster.options, core.options.group);
  }

  /** Takes what is buffered; null when nothing is. */
  protected abstract take(): { readonly item: T; readonly count: number } | null;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T>> {
    const { core } = this;
    try {
      if (this.inHand !== null) {
        core.finished(this.inHand);
        this.inHand = null;
      }
      if (this.#isDone) return Promise.resolve({ done: true, value: undefined });
      core.polled();
      this.#watch?.asked();
      // Whoever waits for the loop to finish (a rebalance) goes on in a microtask: give it one.
      if (core.isEnded || core.isFailed) return this.#wait();
      const taken = this.take();
      if (taken === null) return this.#wait();
      this.#watch?.got(taken.item);
      const result: IteratorResult<T> = { done: false, value: taken.item };
      if (this.#turns.isDue(taken.count)) return this.#turns.turn().then(() => result);
      return Promise.resolve(result);
    } catch (error) {
      return this.#end(error);
    }
  }

  /** The loop was left early: what it held is handed out again. */
  async return(): Promise<IteratorResult<T>> {
    const state = this.inHand;
    this.inHand = null;
    if (state !== null && !state.isGone) {
      state.moveTo(this.firstOffset);
      this.core.finished(state);
      this.core.changed(state);
    }
    this.#finish();
    return { done: true, value: undefined };
  }

  async #wait(): Promise<IteratorResult<T>> {
    const { core } = this;
    try {
      for (;;) {
        core.throwIfFailed();
        if (core.isEnded) break;
        const taken = this.take();
        if (taken !== null) {
          this.#watch?.got(taken.item);
          return { done: false, value: taken.item };
        }
        await core.waitForRecords();
        this.#turns.hasTurned();
      }
    } catch (error) {
      return this.#end(error);
    }
    this.#finish();
    return { done: true, value: undefined };
  }

  #end(error: unknown): Promise<IteratorResult<T>> {
    this.#finish();
    return Promise.reject(
      error instanceof Error ? error : new KafkaError('UNKNOWN_SERVER_ERROR', String(error)),
    );
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#onEnd();
  }
}

/** Record by record. */
export class RecordLoop<M extends Message> extends ConsumerLoop<M> {
  protected take(): { readonly item: M; readonly count: number } | null {
    const { source } = this.core;
    const message = source.next();
    if (message === null) return null;
    this.inHand = source.current;
    this.firstOffset = message.offset;
    return { item: message as M, count: 1 };
  }
}

/** Several records of one partition at a time. */
export class BatchLoop<M extends Message> extends ConsumerLoop<readonly M[]> {
  readonly #most: number;

  constructor(core: ConsumerCore, onEnd: () => void, most: number) {
    super(core, onEnd);
    this.#most = most;
  }

  protected take(): { readonly item: readonly M[]; readonly count: number } | null {
    const { source } = this.core;
    const messages = source.nextBatch(this.#most);
    if (messages.length === 0) return null;
    this.inHand = source.current;
    this.firstOffset = messages[0]!.offset;
    return { item: messages as M[], count: messages.length };
  }
}
