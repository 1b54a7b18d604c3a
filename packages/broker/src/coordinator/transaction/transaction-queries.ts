import type { IdPattern } from './id-pattern.ts';
import { STATE_NAMES, type TransactionMetadata } from './transaction-state.ts';
import type { TransactionStore } from './transaction-store.ts';

/** What ListTransactions asks for; what is empty or negative does not filter. */
export interface TransactionFilters {
  readonly states: readonly string[];
  readonly producerIds: readonly number[];
  /** Only transactions that have been running for longer than this, in milliseconds. */
  readonly durationMs: number;
  readonly idPattern: IdPattern | null;
}

export interface ListedTransaction {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly transactionState: string;
}

/** The transactions of one shard that pass the filters. */
export function listTransactions(
  store: TransactionStore,
  filters: TransactionFilters,
  nowMs: number,
): ListedTransaction[] {
  const listed: ListedTransaction[] = [];
  const passes = filterOf(filters, nowMs);
  for (const metadata of store.all()) {
    if (!passes(metadata)) continue;
    const { transactionalId, producerId, state } = metadata;
    listed.push({ transactionalId, producerId, transactionState: stateName(state) });
  }
  return listed;
}

/** A state as the APIs name it. */
export function stateName(state: number): string {
  return STATE_NAMES[state] ?? '';
}

/** The names among these that are no states. */
export function unknownStates(names: readonly string[]): string[] {
  return names.filter((name) => !STATE_NAMES.includes(name));
}

function filterOf(
  { durationMs, idPattern, ...filters }: TransactionFilters,
  nowMs: number,
): (transaction: TransactionMetadata) => boolean {
  const [states, producerIds] = [new Set(filters.states), new Set(filters.producerIds)];
  return ({ transactionalId, producerId, state, startTimestampMs }) => {
    if (producerIds.size > 0 && !producerIds.has(producerId)) return false;
    if (states.size > 0 && !states.has(stateName(state))) return false;
    // An id without a transaction counts as running for ever, as in Kafka.
    if (durationMs >= 0 && nowMs - startTimestampMs <= durationMs) return false;
    return idPattern === null || idPattern(transactionalId);
  };
}
