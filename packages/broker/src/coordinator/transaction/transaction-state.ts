import type { TopicPartition } from '../../replica/append.ts';

/** Kafka's transaction states by their number in the records of `__transaction_state`. */
export const TransactionState = {
  empty: 0,
  ongoing: 1,
  prepareCommit: 2,
  prepareAbort: 3,
  completeCommit: 4,
  completeAbort: 5,
} as const;

export type TransactionStateId = (typeof TransactionState)[keyof typeof TransactionState];

/** States as DescribeTransactions and ListTransactions name them, by number; the last two never stand in a record. */
export const STATE_NAMES: readonly string[] = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
];

export const NO_PRODUCER_ID = -1;
export const NO_PRODUCER_EPOCH = -1;
const MAX_EPOCH = 32_767;
/** The timeout of a transaction that an outside coordinator decides about (KIP-939): it never runs out. */
const NO_TIMEOUT_MS = 2_147_483_647;

/** The transaction version from which on each end raises the producer's epoch (KIP-890). */
export const EPOCH_BUMP_VERSION = 2;

/** Partitions of a transaction by topic. */
export type PartitionSet = ReadonlyMap<string, ReadonlySet<number>>;

/** What the coordinator knows of a transactional id. Immutable: each transition makes a new one. */
export interface TransactionMetadata {
  readonly transactionalId: string;
  readonly producerId: number;
  /** The producer id before the last transition: a retry across a change of ids is recognised by it. */
  readonly previousProducerId: number;
  /** The id that takes over when the transaction is complete, after the last epoch; -1 otherwise. */
  readonly nextProducerId: number;
  readonly producerEpoch: number;
  /** The epoch before the last InitProducerId or end; not in the log, so -1 after a restart, as in Kafka. */
  readonly lastProducerEpoch: number;
  readonly timeoutMs: number;
  readonly state: TransactionStateId;
  readonly partitions: PartitionSet;
  /** -1 when there is no transaction. */
  readonly startTimestampMs: number;
  readonly lastUpdateTimestampMs: number;
  /** The transaction version of the client that caused the last transition. */
  readonly clientVersion: number;
}

export const NO_PARTITIONS: PartitionSet = new Map();

/** A transactional id that nobody has used yet. */
export function newTransaction(
  transactionalId: string,
  identity: { readonly producerId: number; readonly timeoutMs: number },
  nowMs: number,
): TransactionMetadata {
  return {
    transactionalId,
    producerId: identity.producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: identity.timeoutMs,
    state: TransactionState.empty,
    partitions: NO_PARTITIONS,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
    clientVersion: 0,
  };
}

/** The last epoch is kept back, so that the coordinator can always fence a producer once more. */
export function isEpochExhausted(producerEpoch: number): boolean {
  return producerEpoch >= MAX_EPOCH - 1;
}

/** An end of the transaction is decided, and its markers are on their way. */
export function isPrepared({ state }: TransactionMetadata): boolean {
  return state === TransactionState.prepareCommit || state === TransactionState.prepareAbort;
}

/** Nothing is open: the next transaction may begin, or the id expire. */
export function isSettled(transaction: TransactionMetadata): boolean {
  return transaction.state !== TransactionState.ongoing && !isPrepared(transaction);
}

/** Whether the coordinator aborts the transaction by itself now. */
export function isTimedOut(transaction: TransactionMetadata, nowMs: number): boolean {
  const { state, startTimestampMs, timeoutMs } = transaction;
  return (
    state === TransactionState.ongoing && timeoutMs !== NO_TIMEOUT_MS && startTimestampMs + timeoutMs < nowMs
  );
}

/** Every transition remembers the producer id that it started from. */
function transition(from: TransactionMetadata, to: Partial<TransactionMetadata>): TransactionMetadata {
  return { ...from, nextProducerId: NO_PRODUCER_ID, ...to, previousProducerId: from.producerId };
}

/** InitProducerId: no transaction, a new epoch, or a new id with epoch 0. */
export function initialised(
  from: TransactionMetadata,
  to: {
    readonly producerId: number;
    readonly producerEpoch: number;
    readonly lastProducerEpoch: number;
    readonly timeoutMs: number;
  },
  nowMs: number,
): TransactionMetadata {
  return transition(from, {
    ...to,
    state: TransactionState.empty,
    partitions: NO_PARTITIONS,
    startTimestampMs: -1,
    lastUpdateTimestampMs: nowMs,
  });
}

/** Partitions join; the first ones begin the transaction. */
export function withPartitions(
  from: TransactionMetadata,
  added: readonly TopicPartition[],
  { clientVersion, nowMs }: { readonly clientVersion: number; readonly nowMs: number },
): TransactionMetadata {
  const isBeginning = from.state !== TransactionState.ongoing;
  return transition(from, {
    state: TransactionState.ongoing,
    partitions: union(isBeginning ? NO_PARTITIONS : from.partitions, added),
    startTimestampMs: isBeginning ? nowMs : from.startTimestampMs,
    lastUpdateTimestampMs: nowMs,
    clientVersion,
  });
}

/** How a transaction is to end. */
export interface Ending {
  readonly committed: boolean;
  readonly clientVersion: number;
  /** The id for the time after the last epoch; -1 while there are epochs left. */
  readonly nextProducerId: number;
  readonly nowMs: number;
}

/** The end is decided. From version 2 on that raises the epoch, so that nothing late can slip into the next transaction. */
export function prepared(from: TransactionMetadata, ending: Ending): TransactionMetadata {
  const { committed, clientVersion, nextProducerId, nowMs } = ending;
  const bumps = clientVersion >= EPOCH_BUMP_VERSION;
  return transition(from, {
    state: committed ? TransactionState.prepareCommit : TransactionState.prepareAbort,
    producerEpoch: bumps ? Math.min(MAX_EPOCH, from.producerEpoch + 1) : from.producerEpoch,
    lastProducerEpoch: bumps ? from.producerEpoch : from.lastProducerEpoch,
    nextProducerId,
    // An abort of nothing has no beginning of its own.
    startTimestampMs: from.state === TransactionState.ongoing ? from.startTimestampMs : nowMs,
    lastUpdateTimestampMs: nowMs,
    clientVersion,
  });
}

/** The markers are written; a new producer id takes over where the epochs ran out. */
export function completed(from: TransactionMetadata, nowMs: number): TransactionMetadata {
  const rotates = from.nextProducerId !== NO_PRODUCER_ID;
  return transition(from, {
    state:
      from.state === TransactionState.prepareCommit
        ? TransactionState.completeCommit
        : TransactionState.completeAbort,
    producerId: rotates ? from.nextProducerId : from.producerId,
    producerEpoch: rotates ? 0 : from.producerEpoch,
    partitions: NO_PARTITIONS,
    lastUpdateTimestampMs: nowMs,
  });
}

/** Whether every one of these partitions is part of the transaction. */
export function includesAll(partitions: PartitionSet, asked: readonly TopicPartition[]): boolean {
  return asked.every(({ topic, partition }) => partitions.get(topic)?.has(partition) === true);
}

function union(partitions: PartitionSet, added: readonly TopicPartition[]): PartitionSet {
  const result = new Map(partitions);
  const copied = new Set<string>();
  for (const { topic, partition } of added) {
    if (!copied.has(topic)) {
      result.set(topic, new Set(result.get(topic)));
      copied.add(topic);
    }
    (result.get(topic) as Set<number>).add(partition);
  }
  return result;
}
