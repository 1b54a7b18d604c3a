import { sleep } from '../../cluster/wait.ts';
import type { ClientTracer } from '../../options/record-tracing.ts';
import type { ConsumerCore } from '../consumer-core.ts';
import type { PartitionState } from '../partition-state.ts';
import { deadLetterHandler, type SendDeadLetter } from './dead-letter.ts';
import type { ResolvedEachOptions } from './each-options.ts';
import type { Message } from './message.ts';
import { OffsetTracker } from './offset-tracker.ts';
import { ParkedRecords } from './parked-records.ts';
import { TurnTaker } from './turn-taker.ts';

/** Handles one record: the record counts as handled when what it returns has resolved, and has failed when that rejects. */
export type Handler<M extends Message> = (message: M) => unknown;

interface RunnerOptions extends ResolvedEachOptions {
  /** Sends to the topic that `onError.deadLetter` names. */
  readonly sendDeadLetter: SendDeadLetter | undefined;
}

/** Records of one key or partition, handled one after the other. */
interface Lane {
  readonly name: string;
  readonly waiting: Taken[];
}

/** A record that is to be handled, with its ticket at the partition's tracker. */
interface Taken {
  readonly message: Message;
  readonly state: PartitionState;
  readonly ticket: number;
}

/** Records that are taken ahead while others are being handled, for each handler that may run. */
const AHEAD = 8;
const DEFAULT_BACKOFF_MS = 100;
const DEFAULT_MAX_BACKOFF_MS = 30_000;

/**
 * Runs a handler for every record, several at once. Records of one lane (a key, or a partition) never overlap; what is committed is the
 * part before the first record that is not finished.
 */
export class EachRunner<M extends Message> {
  readonly #core: ConsumerCore;
  readonly #handler: Handler<M>;
  readonly #options: RunnerOptions;
  readonly #turns: TurnTaker;
  readonly #deadLetter: ((message: Message, error: unknown) => unknown) | undefined;
  readonly #lanes = new Map<string, Lane>();
  /** Lanes with something to do that nobody works on. */
  readonly #idle: Lane[] = [];
  readonly #parked: ParkedRecords;
  /** Null unless handlers have spans. */
  readonly #tracer: ClientTracer | null;
  readonly #stop = new AbortController();
  #taken = 0;
  #running = 0;
  /** A handler has ended since it was last said that the application is alive. */
  #hasProgressed = false;
  #count = 0;
  #failure: { readonly error: unknown } | null = null;
  #wake: () => void = () => {};

  /** @throws OptionError */
  constructor(core: ConsumerCore, handler: Handler<M>, options: RunnerOptions) {
    this.#core = core;
    this.#handler = handler;
    this.#options = options;
    this.#turns = new TurnTaker(core.cluster.options.clock);
    this.#deadLetter = deadLetterHandler(options.onError, options.sendDeadLetter);
    const { tracer } = core.cluster.options;
    this.#tracer = tracer?.startProcess === undefined ? null : tracer;
    this.#parked = new ParkedRecords(core, (message, state) => this.#begin(message, state));
  }

  /** Resolves when the consumer has ended and every handler has; rejects with the first error that `onError` did not take. */
  async run(): Promise<void> {
    const core = this.#core;
    const { signal } = this.#options;
    const onAbort = (): void => this.#wakeUp();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      while (!this.#isOver) {
        // Handlers that hang are no application that asks for records, however many more there is room for.
        if (this.#running === 0 || this.#hasProgressed) core.polled();
        this.#hasProgressed = false;
        core.throwIfFailed();
        if (!this.#fill()) await this.#pause();
        else if (this.#turns.isDue(1)) await this.#turns.turn();
      }
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      signal?.removeEventListener('abort', onAbort);
      this.#stop.abort();
      this.#parked.forgetAll();
      await this.#drain();
      this.#forgetRest();
    }
    if (this.#failure !== null) throw this.#failure.error;
  }

  get #isOver(): boolean {
    return this.#core.isEnded || this.#failure !== null || this.#options.signal?.aborted === true;
  }

  /** Takes one record and puts it on its lane; false when there is none, or no room. */
  #fill(): boolean {
    if (this.#taken >= this.#options.concurrency * AHEAD) return false;
    const message = this.#core.source.next();
    if (message === null) return false;
    const state = this.#core.source.current!;
    state.inHandOffset = -1;
    const dueMs = this.#options.notBefore?.(message) ?? 0;
    if (dueMs > 0 && this.#parked.park(message, state, dueMs)) return true;
    this.#begin(message, state);
    return true;
  }

  #begin(message: Message, state: PartitionState): void {
    state.tracker ??= new OffsetTracker();
    const ticket = state.tracker.begin(message.offset);
    this.#taken += 1;
    this.#enqueue({ message, state, ticket });
  }

  #enqueue(taken: Taken): void {
    const name = this.#laneOf(taken.message, taken.state);
    const known = this.#lanes.get(name);
    if (known !== undefined) {
      known.waiting.push(taken);
      return;
    }
    const lane: Lane = { name, waiting: [taken] };
    this.#lanes.set(name, lane);
    if (this.#running < this.#options.concurrency) void this.#work(lane);
    else this.#idle.push(lane);
  }

  #laneOf(message: Message, state: PartitionState): string {
    if (this.#options.orderBy === 'partition') return state.id;
    const key = message.keyBytes;
    this.#count += 1;
    // Without a key there is no order to keep.
    return key === null ? `${state.id}/${this.#count}` : `${state.id}=${key.toString('latin1')}`;
  }

  /** Works on a lane until it is empty, then on the next one that waits. */
  async #work(first: Lane): Promise<void> {
    this.#running += 1;
    let lane: Lane | undefined = first;
    while (lane !== undefined && this.#failure === null && !this.#stop.signal.aborted) {
      const next = lane.waiting.shift();
      if (next === undefined) {
        this.#lanes.delete(lane.name);
        lane = this.#idle.shift();
        continue;
      }
      if (!next.state.isGone) await this.#handle(next);
      this.#taken -= 1;
      this.#hasProgressed = true;
      this.#wakeUp();
    }
    this.#running -= 1;
    this.#wakeUp();
  }

  async #handle({ message, state, ticket }: Taken): Promise<void> {
    try {
      await this.#attempt(message as M);
      state.tracker?.finish(ticket);
      if (this.#core.isRebalanceWaiting) this.#core.finished(state);
    } catch (error) {
      this.#failure ??= { error };
      this.#wakeUp();
    }
  }

  async #attempt(message: M): Promise<void> {
    const { retry } = this.#options.onError;
    const { clock, logger } = this.#core.cluster.options;
    for (let attempt = 0; ; attempt += 1) {
      try {
        await (this.#tracer === null ? this.#handler(message) : this.#traced(this.#tracer, message));
        return;
      } catch (error) {
        const { topic, partition, offset } = message;
        logger.warn({ err: error, topic, partition, offset, attempt }, 'Handling a record failed');
        if (retry !== undefined && attempt < retry.attempts && !this.#stop.signal.aborted) {
          const backoffMs = (retry.backoffMs ?? DEFAULT_BACKOFF_MS) * 2 ** attempt;
          await sleep(clock, Math.min(backoffMs, retry.maxBackoffMs ?? DEFAULT_MAX_BACKOFF_MS), [
            this.#stop.signal,
          ]).catch(() => {
            // The consumer ends: the record comes again.
            throw error;
          });
          continue;
        }
        if (this.#deadLetter === undefined) throw error;
        await this.#deadLetter(message, error);
        return;
      }
    }
  }

  async #traced(tracer: ClientTracer, message: M): Promise<void> {
    const { clientId } = this.#core.cluster.options;
    const { group } = this.#core.options;
    const span = tracer.startProcess?.({ message, clientId, group });
    if (span === undefined) return void (await this.#handler(message));
    try {
      await span.run(() => this.#handler(message));
      span.end(undefined);
    } catch (error) {
      span.end(error);
      throw error;
    }
  }

  /** Waits until a handler has finished or records have arrived. */
  async #pause(): Promise<void> {
    const hasRoom = this.#taken < this.#options.concurrency * AHEAD;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (hasRoom) void this.#core.waitForRecords(this.#running === 0).then(resolve);
      if (this.#isOver) resolve();
    });
    this.#wake = () => {};
    // Also the one that waits for records: it would keep the consumer looking alive.
    if (hasRoom) this.#core.wake();
    this.#turns.hasTurned();
  }

  #wakeUp(): void {
    this.#wake();
  }

  /** Lets the handlers that run come to their end. */
  async #drain(): Promise<void> {
    while (this.#running > 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** What was taken and not handled comes again. */
  #forgetRest(): void {
    for (const state of this.#core.states.values()) {
      if (state.tracker === null) continue;
      const pending = state.tracker.firstPending;
      state.tracker = null;
      if (pending < 0 || state.isGone) continue;
      state.moveTo(pending);
      this.#core.changed(state);
    }
    if (this.#core.isRebalanceWaiting)
      for (const state of this.#core.states.values()) this.#core.finished(state);
  }
}
