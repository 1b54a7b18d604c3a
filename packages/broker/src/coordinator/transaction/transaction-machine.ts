import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../runtime/coordinator-error.ts';
import { outcome, type StateMachine, type Ticket } from '../runtime/state-machine.ts';
import { addPartitions } from './add-partitions.ts';
import { endTransaction } from './end-transaction.ts';
import { fencingAbort, initProducerId } from './init-producer-id.ts';
import type { TransactionConfig } from './transaction-config.ts';
import type { TransactionRecord } from './transaction-records.ts';
import { completed, isPrepared, isTimedOut, type TransactionMetadata } from './transaction-state.ts';
import { currentState, expiredIds, markerWorkOf, TransactionStore } from './transaction-store.ts';
import type {
  AddPartitionsCommand,
  EndCommand,
  InitCommand,
  MarkersWrittenCommand,
  MarkerWork,
  PendingTransition,
  TransactionChange,
  TransactionCommand,
  TransactionFollowUp,
  TransactionOutcome,
  TransactionTimerCommand,
  TransactionTypes,
} from './transaction-types.ts';

/** What a machine knows of its broker. */
export interface TransactionMachineOptions {
  readonly config: TransactionConfig;
  /** The finalized level of `transaction.version`, which the coordinator's own aborts follow. */
  readonly serverVersion: () => number;
}

/**
 * The transaction coordinator's state machine: one partition of `__transaction_state`.
 *
 *     Empty -> Ongoing -> PrepareCommit -> CompleteCommit -> Ongoing -> ...
 *                   \---> PrepareAbort  -> CompleteAbort  -/
 *
 * A transaction is decided when its Prepare record is committed. From then on it is work for whoever takes the markers
 * (`take-markers`); when they are all in their partitions (`markers-written`), the Complete record follows. A restart
 * finds the decided transactions in the log and hands them out again.
 */
export class TransactionMachine implements StateMachine<TransactionTypes> {
  /** For queries; changed by `apply` and `replay` only. */
  readonly store = new TransactionStore();
  readonly #options: TransactionMachineOptions;

  constructor(options: TransactionMachineOptions) {
    this.#options = options;
  }

  /** Each transactional id has its own order, kept by what is pending; ids do not depend on each other. */
  isExclusive(): boolean {
    return false;
  }

  replaysAtAppend(): boolean {
    return false;
  }

  handle(command: TransactionCommand, ticket: Ticket, nowMs: number): TransactionOutcome {
    switch (command.type) {
      case 'init-producer-id':
        return this.#init(command, ticket, nowMs);
      case 'add-partitions':
        return this.#addPartitions(command, ticket, nowMs);
      case 'end-transaction':
        return this.#end(command, ticket, nowMs);
      case 'markers-written':
        return this.#complete(command, ticket, nowMs);
      case 'take-markers':
        return this.#takeMarkers(ticket);
      default:
        return this.#onTimer(command, nowMs);
    }
  }

  /** Transitions that are committed, or could not be written: their ids are free again, decided transactions become work. */
  written({ transitions }: TransactionFollowUp, errorCode: number): TransactionOutcome {
    const changes: TransactionChange[] = [];
    const work: MarkerWork[] = [];
    for (const transition of transitions) {
      changes.push({ type: 'not-pending', transition });
      // Several records of one outcome may end differently; the log's word is what counts.
      const durable = this.store.get(transition.transactionalId) ?? null;
      const isWritten = errorCode === ErrorCodes.NONE || durable === transition.metadata;
      // A completion that failed leaves the transaction decided: it is completed again.
      const decided = isWritten
        ? markerWorkOf(transition.metadata, false)
        : this.#undone(transition, durable);
      if (decided !== null) work.push(decided);
    }
    return this.#withWork(changes, work);
  }

  apply(change: TransactionChange): void {
    this.store.apply(change);
  }

  replay(record: TransactionRecord): void {
    this.store.replay(record);
  }

  /** Nobody writes transactions into `__transaction_state`. */
  replayEndTransaction(): void {}

  loaded(): TransactionOutcome {
    const work: MarkerWork[] = [];
    for (const metadata of this.store.all()) {
      const decided = markerWorkOf(metadata, true);
      if (decided !== null) work.push(decided);
    }
    return {
      ...this.#withWork([], work),
      timers: [this.#timer({ type: 'abort-timed-out' }), this.#timer({ type: 'expire-transactional-ids' })],
    };
  }

  #undone(transition: PendingTransition, durable: TransactionMetadata | null): MarkerWork | null {
    const { transactionalId, metadata } = transition;
    const wasCompletion = metadata !== null && !isPrepared(metadata);
    // With a successor under way it is that one's turn: its record completes the transaction too, or it fails as well.
    const hasSuccessor = this.store.pending(transactionalId) !== transition;
    return wasCompletion && !hasSuccessor ? markerWorkOf(durable, true) : null;
  }

  #init(command: InitCommand, ticket: Ticket, nowMs: number): TransactionOutcome {
    const current = currentState(this.store, command.transactionalId);
    const result = initProducerId(current, command, { nowMs, serverVersion: this.#options.serverVersion() });
    if (result === 'needs-producer-id') return outcome({ replies: [{ ticket, value: result }] });
    const { metadata } = result;
    if (result.type === 'fenced') {
      const errorCode = ErrorCodes.CONCURRENT_TRANSACTIONS;
      return transitions([metadata], [{ ticket, errorCode, errorMessage: null }]);
    }
    return transitions([metadata], [{ ticket, value: identityOf(metadata) }]);
  }

  #addPartitions(command: AddPartitionsCommand, ticket: Ticket, nowMs: number): TransactionOutcome {
    const metadata = addPartitions(currentState(this.store, command.transactionalId), command, nowMs);
    const replies = [{ ticket, value: null }];
    return metadata === null ? outcome({ replies }) : transitions([metadata], replies);
  }

  #end(command: EndCommand, ticket: Ticket, nowMs: number): TransactionOutcome {
    const result = endTransaction(currentState(this.store, command.transactionalId), command, nowMs);
    if (result === 'needs-producer-id') return outcome({ replies: [{ ticket, value: result }] });
    const replies = [{ ticket, value: answerOf(result.metadata) }];
    return result.type === 'done' ? outcome({ replies }) : transitions([result.metadata], replies);
  }

  #complete(command: MarkersWrittenCommand, ticket: Ticket, nowMs: number): TransactionOutcome {
    const { transactionalId, producerId, producerEpoch } = command;
    const current = this.store.get(transactionalId);
    const replies = [{ ticket, value: null }];
    const isMeant =
      current !== undefined &&
      isPrepared(current) &&
      this.store.pending(transactionalId) === undefined &&
      current.producerId === producerId &&
      current.producerEpoch === producerEpoch;
    return isMeant ? { ...transitions([completed(current, nowMs)], []), replies } : outcome({ replies });
  }

  #takeMarkers(ticket: Ticket): TransactionOutcome {
    const { markers } = this.store;
    if (markers.length === 0) return outcome({ changes: [{ type: 'marker-taker', ticket }] });
    return outcome({ changes: [{ type: 'markers', queue: [] }], replies: [{ ticket, value: markers }] });
  }

  #onTimer(command: TransactionTimerCommand, nowMs: number): TransactionOutcome {
    const timers = [this.#timer(command)];
    if (command.type === 'abort-timed-out') return { ...this.#abortTimedOut(nowMs), timers };
    const expired = expiredIds(this.store, this.#options.config.idExpirationMs, nowMs);
    return { ...write(expired.map((transactionalId) => ({ transactionalId, metadata: null }))), timers };
  }

  #abortTimedOut(nowMs: number): TransactionOutcome {
    const options = { nowMs, serverVersion: this.#options.serverVersion() };
    const aborted: TransactionMetadata[] = [];
    for (const metadata of this.store.all()) {
      const isBusy = this.store.pending(metadata.transactionalId) !== undefined;
      if (!isBusy && isTimedOut(metadata, nowMs)) aborted.push(fencingAbort(metadata, options));
    }
    return transitions(aborted, []);
  }

  #timer(command: TransactionTimerCommand): TransactionOutcome['timers'][number] {
    const { config } = this.#options;
    const delayMs =
      command.type === 'abort-timed-out' ? config.abortTimedOutIntervalMs : config.idExpirationIntervalMs;
    return { key: command.type, delayMs, command };
  }

  #withWork(changes: readonly TransactionChange[], work: readonly MarkerWork[]): TransactionOutcome {
    if (work.length === 0) return outcome({ changes });
    const queue = [...this.store.markers, ...work];
    const taker = this.store.markerTaker;
    if (taker === null) return outcome({ changes: [...changes, { type: 'markers', queue }] });
    return outcome({
      changes: [...changes, { type: 'markers', queue: [] }],
      replies: [{ ticket: taker, value: queue }],
    });
  }
}

function identityOf({ producerId, producerEpoch }: TransactionMetadata): {
  producerId: number;
  producerEpoch: number;
} {
  return { producerId, producerEpoch };
}

/** What the producer is told of a decided transaction: the identity for its next one. */
function answerOf(metadata: TransactionMetadata): { producerId: number; producerEpoch: number } {
  return isPrepared(metadata)
    ? identityOf(completed(metadata, metadata.lastUpdateTimestampMs))
    : identityOf(metadata);
}

function transitions(
  metadata: readonly TransactionMetadata[],
  replies: TransactionOutcome['replies'],
): TransactionOutcome {
  const pending = metadata.map((each) => ({ transactionalId: each.transactionalId, metadata: each }));
  return { ...write(pending), replies };
}

/** The records of these transitions, each pending until it is written. They do not depend on each other. */
function write(pending: readonly PendingTransition[]): TransactionOutcome {
  if (pending.length === 0) return outcome({});
  return outcome({
    changes: pending.map((transition) => ({ type: 'pending', transition })),
    records: pending.map(({ transactionalId, metadata }) => ({ transactionalId, metadata })),
    atomic: false,
    followUp: { transitions: pending },
  });
}

/** @throws CoordinatorError INVALID_TRANSACTION_TIMEOUT */
export function requireTimeout(timeoutMs: number, { maxTimeoutMs }: TransactionConfig): void {
  if (timeoutMs <= 0 || timeoutMs > maxTimeoutMs)
    throw new CoordinatorError(ErrorCodes.INVALID_TRANSACTION_TIMEOUT);
}
