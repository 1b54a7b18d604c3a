import type { Ticket } from '../runtime/state-machine.ts';
import type { TransactionRecord } from './transaction-records.ts';
import { isPrepared, isSettled, TransactionState, type TransactionMetadata } from './transaction-state.ts';
import type { MarkerWork, PendingTransition, TransactionChange } from './transaction-types.ts';

/**
 * The transactional ids of one shard. Durable: what the log says of each. Soft: the transition of each that is on its way
 * to the log (one at a time), and the decided transactions whose markers wait to be written.
 */
export class TransactionStore {
  readonly #durable = new Map<string, TransactionMetadata>();
  readonly #pending = new Map<string, PendingTransition>();
  #markers: readonly MarkerWork[] = [];
  #markerTaker: Ticket | null = null;

  /** What the log says; undefined for an id that nobody has used, or that has expired. */
  get(transactionalId: string): TransactionMetadata | undefined {
    return this.#durable.get(transactionalId);
  }

  /** Every transactional id with its state in the log. */
  all(): IterableIterator<TransactionMetadata> {
    return this.#durable.values();
  }

  /** The transition under way. */
  pending(transactionalId: string): PendingTransition | undefined {
    return this.#pending.get(transactionalId);
  }

  /** Decided transactions whose markers nobody has taken yet. */
  get markers(): readonly MarkerWork[] {
    return this.#markers;
  }

  /** Who waits for such transactions. */
  get markerTaker(): Ticket | null {
    return this.#markerTaker;
  }

  apply(change: TransactionChange): void {
    switch (change.type) {
      case 'pending':
        this.#pending.set(change.transition.transactionalId, change.transition);
        break;
      case 'not-pending': {
        const { transactionalId } = change.transition;
        // A completion may have been overtaken by the next transaction, which is what is pending now.
        if (this.#pending.get(transactionalId) === change.transition) this.#pending.delete(transactionalId);
        break;
      }
      case 'markers':
        this.#markers = change.queue;
        if (change.queue.length === 0) this.#markerTaker = null;
        break;
      case 'marker-taker':
        this.#markerTaker = change.ticket;
        break;
    }
  }

  replay({ transactionalId, metadata }: TransactionRecord): void {
    if (metadata === null) this.#durable.delete(transactionalId);
    else this.#durable.set(transactionalId, metadata);
  }
}

/** The state that a command is judged by, or that it has to wait. */
export type Current = TransactionMetadata | 'absent' | 'in-transition';

/**
 * A transition under way makes a transactional id busy, with one exception: when the markers are written and only the
 * completion is on its way, the next transaction may begin. Its record stands behind the completion in the log and says
 * everything that the completion says, so it may even outlive a completion that could not be written.
 */
export function currentState(store: TransactionStore, transactionalId: string): Current {
  const pending = store.pending(transactionalId);
  if (pending === undefined) return store.get(transactionalId) ?? 'absent';
  const { metadata } = pending;
  const isCompletion =
    metadata !== null &&
    (metadata.state === TransactionState.completeCommit || metadata.state === TransactionState.completeAbort);
  return isCompletion ? metadata : 'in-transition';
}

/** The work that a decided transaction is, null for all others. */
export function markerWorkOf(metadata: TransactionMetadata | null, isRepeated: boolean): MarkerWork | null {
  if (metadata === null || !isPrepared(metadata)) return null;
  return {
    transactionalId: metadata.transactionalId,
    producerId: metadata.producerId,
    producerEpoch: metadata.producerEpoch,
    committed: metadata.state === TransactionState.prepareCommit,
    partitions: metadata.partitions,
    clientVersion: metadata.clientVersion,
    isRepeated,
  };
}

/** Ids that nobody has touched for so long, and that have nothing open or under way. */
export function expiredIds(store: TransactionStore, expirationMs: number, nowMs: number): string[] {
  const expired: string[] = [];
  for (const metadata of store.all()) {
    const isIdle = isSettled(metadata) && store.pending(metadata.transactionalId) === undefined;
    if (isIdle && metadata.lastUpdateTimestampMs <= nowMs - expirationMs)
      expired.push(metadata.transactionalId);
  }
  return expired;
}
