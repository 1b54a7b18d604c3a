import type { AppendRequest } from '../../replica/append.ts';

/**
 * What a coordinator is to the runtime: a pure state machine over one partition of its internal topic.
 *
 * It owns three kinds of state, and each changes in one way only:
 *
 *     durable   what the committed records amount to            changed by `replay(record)`, when a record is committed
 *     ahead     what all records amount to, in flight or not    changed by `replay(record)`, right after `handle`
 *     soft      waiting members, votes, deadlines               changed by `apply(change)`, right after `handle`
 *
 * `handle` reads all of it, changes nothing and returns everything that follows as one value. So a command that throws leaves
 * no trace, and a restart replays the same `replay` over the same records.
 *
 * Which of the first two a record belongs to is the record's kind, see `replaysAtAppend`:
 *
 *   - At the commit: a failed write leaves the state as the log has it, nothing has to be rolled back, and `read` sees what
 *     is committed. The price is that a command cannot read what an earlier one has in flight; the few commands to which
 *     that matters are exclusive, see `isExclusive`. Offsets and classic groups live this way.
 *   - At the append: a command sees what the ones before it decided, so that a thousand members may join within one commit.
 *     The price is paid when such a write fails: the state is no longer what the log says, so every caller that waits is
 *     refused with NOT_COORDINATOR and the shard is loaded again. (Kafka keeps timeline snapshots to go back to; failed
 *     writes are too rare to pay for them with each record.) While such records are in flight no reply leaves before them:
 *     one without records of its own waits too, since it may rest on them.
 */
export interface StateMachine<T extends CoordinatorTypes> {
  /** Decides what a command leads to. `nowMs` is wall-clock time. */
  handle(command: T['command'], ticket: Ticket, nowMs: number): Outcome<T>;
  /** Continues after the write that an outcome's `followUp` waited for; `errorCode` is 0 or the reason it failed. */
  written(followUp: T['followUp'], errorCode: number, nowMs: number): Outcome<T>;
  /** True for commands that need to see every earlier write applied: nothing else of the shard is under way while they run. */
  isExclusive(command: T['command']): boolean;
  /**
   * True for records of kinds that are replayed as soon as their command is handled, before they are in the log. A kind is
   * always the one or the other; an outcome may mix them.
   */
  replaysAtAppend(record: T['record']): boolean;
  /** Installs one change of the soft state. */
  apply(change: T['change']): void;
  /** Installs one record, live or after a restart: committed, unless its kind is replayed at the append. */
  replay(record: T['record'], position: RecordPosition): void;
  /** Installs the end of a transaction that wrote to this partition. */
  replayEndTransaction(producerId: number, committed: boolean): void;
  /** What follows from a freshly loaded state: timers to arm, groups to rebalance. */
  loaded(nowMs: number): Outcome<T>;
}

/** The types of one coordinator, in one bundle. */
export interface CoordinatorTypes {
  readonly command: { readonly type: string };
  /** The reply to each command type. */
  readonly replies: object;
  readonly followUp: unknown;
  readonly record: unknown;
  readonly change: unknown;
}

/** The reply type of a command. */
export type ReplyTo<T extends CoordinatorTypes, C extends T['command']> = C['type'] extends keyof T['replies']
  ? T['replies'][C['type']]
  : never;

/** Names the caller that waits for a reply. A machine may keep it in its soft state and answer much later. */
export type Ticket = number;

/** The ticket of commands that nobody waits for: timers. Replies to it vanish. */
export const NO_TICKET: Ticket = 0;

/** Everything that follows from one command, as a value. */
export interface Outcome<T extends CoordinatorTypes> {
  /** Applied at once, before any other command is handled. */
  readonly changes: readonly T['change'][];
  readonly timers: readonly TimerEffect<T['command']>[];
  /** Appended in this order. */
  readonly records: readonly T['record'][];
  /** Whose transaction the records belong to; they then have a batch of their own. Null outside of transactions. */
  readonly producer: TransactionalProducer | null;
  /** Atomic records go into one batch, all or none; the others may be spread over several. */
  readonly atomic: boolean;
  /**
   * Sent once the records are committed and replayed; when there are none, at once or behind what is replayed ahead of its
   * commit. Refused with the write's error when it fails.
   */
  readonly replies: readonly Reply[];
  /** Handed to `written` when the write has ended, well or badly. */
  readonly followUp: T['followUp'] | null;
}

/** An answer to one waiting caller: a value, or a refusal that its service turns into the API's error response. */
export type Reply =
  | { readonly ticket: Ticket; readonly value: unknown }
  | { readonly ticket: Ticket; readonly errorCode: number; readonly errorMessage: string | null };

/** Arms (again) or cancels the timer of a key. A timer that fires hands its command to `handle` with `NO_TICKET`. */
export type TimerEffect<Command> =
  | {
      readonly key: string;
      readonly delayMs: number;
      readonly command: Command;
      /** Leaves a timer that runs already as it is. */
      readonly ifAbsent?: boolean;
    }
  | { readonly key: string; readonly delayMs: null };

/** Who writes records inside of a transaction. */
export interface TransactionalProducer {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Proof that the partition is part of the transaction, as the log asks for it; absent when nothing is verified. */
  readonly verificationGuard?: Exclude<AppendRequest['verificationGuard'], undefined>;
}

/** Where a replayed record stands. */
export interface RecordPosition {
  /** -1 for a record replayed at the append: it has no place in the log yet. */
  readonly offset: number;
  /** -1 outside of transactions. */
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Turns records into the key and value bytes of the internal topic and back. */
export interface RecordSerde<Record> {
  encode(record: Record): { readonly key: Buffer; readonly value: Buffer | null };
  /** Null for a record of a type that this coordinator does not know: it is skipped. Throws `ProtocolError` on malformed bytes. */
  decode(key: Buffer, value: Buffer | null): Record | null;
}

/** The position of a record that is replayed at the append. */
export const NOT_IN_LOG_YET: RecordPosition = { offset: -1, producerId: -1, producerEpoch: -1 };

const NOTHING: readonly never[] = [];

/** An outcome from its parts; what is absent is empty. */
export function outcome<T extends CoordinatorTypes>(parts: Partial<Outcome<T>>): Outcome<T> {
  return {
    changes: parts.changes ?? NOTHING,
    timers: parts.timers ?? NOTHING,
    records: parts.records ?? NOTHING,
    producer: parts.producer ?? null,
    atomic: parts.atomic ?? true,
    replies: parts.replies ?? NOTHING,
    followUp: parts.followUp ?? null,
  };
}
