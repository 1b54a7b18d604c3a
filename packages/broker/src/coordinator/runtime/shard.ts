import { ErrorCodes } from '@ottla/protocol';
import {
  CoordinatorError,
  errorCodeOf,
  groupErrorOfAppendError,
  leftNothingBehind,
} from './coordinator-error.ts';
import { Fifo } from './fifo.ts';
import { loadPartition } from './shard-loader.ts';
import type { ShardOptions } from './shard-options.ts';
import { ShardWriter, type Write } from './shard-writer.ts';
import {
  NO_TICKET,
  NOT_IN_LOG_YET,
  type CoordinatorTypes,
  type Outcome,
  type Reply,
  type ReplyTo,
  type StateMachine,
  type Ticket,
} from './state-machine.ts';
import { TimerTable } from './timer-table.ts';

interface Waiter {
  readonly resolve: (value: unknown) => void;
  readonly reject: (failure: CoordinatorError) => void;
}

interface Queued<Command> {
  readonly command: Command;
  readonly ticket: Ticket;
}

/**
 * One partition of an internal topic with its state machine. Commands are handled one after the other, each at once when it
 * may; the records of a loop turn go to the log as one batch, several batches may be in flight, and what they amount to
 * becomes state, reply and follow-up in the order of the log:
 *
 *     submit -> handle -> changes, timers    (at once)
 *                  \-> records -> batch -> append ... committed -> replay -> replies -> followUp
 *
 * Records of the kinds that are replayed at the append become state with the changes already (see `StateMachine`); then what
 * follows waits for their commit all the same, and so do outcomes without records.
 *
 * An exclusive command waits until nothing is in flight, and while it waits or writes, later commands queue behind it.
 */
export class CoordinatorShard<T extends CoordinatorTypes> {
  readonly #options: ShardOptions<T>;
  readonly #machine: StateMachine<T>;
  readonly #timers: TimerTable<T['command']>;
  readonly #writer: ShardWriter<T>;
  readonly #waiters = new Map<Ticket, Waiter>();
  readonly #queue = new Fifo<Queued<T['command']>>();
  #state: 'loading' | 'active' | 'closed' = 'loading';
  #exclusive: Write<T> | null = null;
  #lastTicket: Ticket = NO_TICKET;

  constructor(options: ShardOptions<T>) {
    this.#options = options;
    this.#machine = options.machine;
    this.#timers = new TimerTable(options.clock, (command) => this.#enqueue({ command, ticket: NO_TICKET }));
    this.#writer = new ShardWriter(options, {
      committed: (write) => this.#committed(write),
      overdue: (write) => this.#refuseCallers(write, groupErrorOfAppendError(ErrorCodes.REQUEST_TIMED_OUT)),
      failed: (write, errorCode) => this.#failed(write, errorCode),
      replay: (record, position) => this.#machine.replay(record, position),
      isReplayedAtAppend: (record) => this.#machine.replaysAtAppend(record),
      transactionEnded: (producerId, committed) => this.#machine.replayEndTransaction(producerId, committed),
      lost: (errorCode, cause) => this.#lose(errorCode, cause),
    });
  }

  /** Replays the partition; until that is done callers get COORDINATOR_LOAD_IN_PROGRESS. Never rejects: a failure goes to `onLost`. */
  async load(): Promise<void> {
    try {
      await loadPartition({ ...this.#options, cancelled: () => this.#state !== 'loading' });
      if (this.#state !== 'loading') return;
      this.#state = 'active';
      this.#absorb(this.#machine.loaded(this.#options.clock.nowMs()), false);
    } catch (failure) {
      this.#lose(ErrorCodes.NOT_COORDINATOR, failure);
    }
  }

  /** Handles a command; rejects with a `CoordinatorError` when it is refused or its write fails. */
  submit<C extends T['command']>(command: C): Promise<ReplyTo<T, C>> {
    const refusal = this.#refusal();
    if (refusal !== null) return Promise.reject(refusal);
    const ticket = ++this.#lastTicket;
    const reply = new Promise<unknown>((resolve, reject) => this.#waiters.set(ticket, { resolve, reject }));
    this.#enqueue({ command, ticket });
    return reply as Promise<ReplyTo<T, C>>;
  }

  /** Reads committed durable state (and soft state as it is now); throws a `CoordinatorError` while loading or after the end. */
  read<R>(query: (machine: StateMachine<T>) => R): R {
    const refusal = this.#refusal();
    if (refusal !== null) throw refusal;
    return query(this.#machine);
  }

  /** Appends the end of a producer's transaction and takes it in; resolves to an error code. */
  async endTransaction(end: { records: Buffer; producerId: number; committed: boolean }): Promise<number> {
    if (this.#state !== 'active') return ErrorCodes.NOT_LEADER_OR_FOLLOWER;
    const errorCode = await this.#writer.endTransaction(end);
    if (this.#state === 'active') this.#pump();
    return errorCode;
  }

  /** Stops serving: every caller still waiting is refused with `errorCode`. Idempotent. */
  close(errorCode: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#timers.cancelAll();
    this.#writer.close();
    this.#queue.clear();
    for (const waiter of this.#waiters.values()) waiter.reject(new CoordinatorError(errorCode));
    this.#waiters.clear();
  }

  /** Resolves when everything handled so far is written, or the shard is closed. */
  drained(): Promise<void> {
    return this.#writer.drained();
  }

  #refusal(): CoordinatorError | null {
    if (this.#state === 'active') return null;
    const loading = this.#state === 'loading';
    return new CoordinatorError(
      loading ? ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS : ErrorCodes.NOT_COORDINATOR,
    );
  }

  #enqueue(item: Queued<T['command']>): void {
    if (this.#state !== 'active') return;
    if (this.#queue.isEmpty && this.#mayRun(item.command)) this.#run(item);
    else this.#queue.push(item);
  }

  #mayRun(command: T['command']): boolean {
    if (this.#exclusive !== null) return false;
    return this.#writer.idle || !this.#machine.isExclusive(command);
  }

  #pump(): void {
    for (let next = this.#queue.first; next !== undefined && this.#mayRun(next.command);) {
      this.#queue.shift();
      this.#run(next);
      next = this.#queue.first;
    }
  }

  #run({ command, ticket }: Queued<T['command']>): void {
    try {
      const outcome = this.#machine.handle(command, ticket, this.#options.clock.nowMs());
      this.#absorb(outcome, this.#machine.isExclusive(command));
    } catch (failure) {
      // The command changed nothing yet, so only its caller has to know.
      const errorMessage = failure instanceof CoordinatorError ? failure.message : null;
      this.#settle({ ticket, errorCode: errorCodeOf(failure), errorMessage });
    }
  }

  #absorb(outcome: Outcome<T>, exclusive: boolean): void {
    const write = outcome.records.length === 0 ? null : this.#writer.prepare(outcome);
    for (const change of outcome.changes) this.#machine.apply(change);
    if (write?.isAhead === true) this.#replayAhead(outcome);
    if (this.#state !== 'active') return;
    for (const timer of outcome.timers) {
      if (timer.delayMs === null) this.#timers.cancel(timer.key);
      else if (timer.ifAbsent !== true || !this.#timers.has(timer.key))
        this.#timers.schedule(timer.key, timer.delayMs, timer.command);
    }
    if (write === null) {
      if (this.#writer.isAhead) this.#writer.enqueueBehindAhead(outcome);
      else this.#finish(outcome);
      return;
    }
    if (exclusive) this.#exclusive = write;
    this.#writer.enqueue(write);
  }

  #replayAhead(outcome: Outcome<T>): void {
    try {
      for (const record of outcome.records) {
        if (this.#machine.replaysAtAppend(record)) this.#machine.replay(record, NOT_IN_LOG_YET);
      }
    } catch (failure) {
      this.#lose(ErrorCodes.UNKNOWN_SERVER_ERROR, failure);
    }
  }

  #finish(outcome: Outcome<T>): void {
    for (const reply of outcome.replies) this.#settle(reply);
    if (outcome.followUp !== null) this.#follow(outcome.followUp, ErrorCodes.NONE);
  }

  #follow(followUp: T['followUp'], errorCode: number): void {
    this.#absorb(this.#machine.written(followUp, errorCode, this.#options.clock.nowMs()), false);
  }

  #committed(write: Write<T>): void {
    this.#release(write);
    this.#finish(write.outcome);
    this.#pump();
  }

  #failed(write: Write<T>, appendErrorCode: number): void {
    this.#release(write);
    const errorCode = groupErrorOfAppendError(appendErrorCode);
    if (write.isAhead) {
      this.#lose(errorCode, null);
      return;
    }
    this.#refuseCallers(write, errorCode);
    if (write.outcome.followUp !== null) this.#follow(write.outcome.followUp, errorCode);
    if (!leftNothingBehind(appendErrorCode)) this.#lose(errorCode, null);
    this.#pump();
  }

  #refuseCallers(write: Write<T>, errorCode: number): void {
    for (const { ticket } of write.outcome.replies) this.#settle({ ticket, errorCode, errorMessage: null });
  }

  #release(write: Write<T>): void {
    if (this.#exclusive === write) this.#exclusive = null;
  }

  #settle(reply: Reply): void {
    const waiter = this.#waiters.get(reply.ticket);
    if (waiter === undefined) return;
    this.#waiters.delete(reply.ticket);
    if ('value' in reply) waiter.resolve(reply.value);
    else waiter.reject(new CoordinatorError(reply.errorCode, reply.errorMessage ?? undefined));
  }

  #lose(errorCode: number, cause: unknown): void {
    if (this.#state === 'closed') return;
    this.close(ErrorCodes.NOT_COORDINATOR);
    this.#options.onLost(errorCode, cause);
  }
}
