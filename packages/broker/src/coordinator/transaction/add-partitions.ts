import { ErrorCodes } from '@ottla/protocol';
import type { TopicPartition } from '../../replica/append.ts';
import { CoordinatorError } from '../runtime/coordinator-error.ts';
import {
  includesAll,
  isPrepared,
  TransactionState,
  withPartitions,
  type TransactionMetadata,
} from './transaction-state.ts';
import { currentState, type Current, type TransactionStore } from './transaction-store.ts';
import type { AddPartitionsCommand, ProducerIdentity } from './transaction-types.ts';

/**
 * AddPartitionsToTxn: the transaction with these partitions, or null when it has them already.
 * @throws CoordinatorError INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS
 */
export function addPartitions(
  current: Current,
  command: AddPartitionsCommand,
  nowMs: number,
): TransactionMetadata | null {
  if (current === 'in-transition') throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  const from = requireIdentity(current, command);
  if (isPrepared(from)) throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  const { partitions, clientVersion } = command;
  if (from.state === TransactionState.ongoing && includesAll(from.partitions, partitions)) return null;
  return withPartitions(from, partitions, { clientVersion, nowMs });
}

/** The error of each partition that a producer claims to be in its transaction (KIP-890), in the order asked. */
export function verifyPartitions(
  store: TransactionStore,
  claim: ProducerIdentity & {
    readonly transactionalId: string;
    readonly partitions: readonly TopicPartition[];
  },
): number[] {
  const { transactionalId, partitions } = claim;
  const pending = currentState(store, transactionalId);
  // What is on its way does not count yet; the log checks once more when it appends.
  const current = pending === 'in-transition' ? (store.get(transactionalId) ?? 'absent') : pending;
  const from = requireIdentity(current, claim);
  if (isPrepared(from)) throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  return partitions.map((partition) =>
    includesAll(from.partitions, [partition]) ? ErrorCodes.NONE : ErrorCodes.TRANSACTION_ABORTABLE,
  );
}

function requireIdentity(
  current: TransactionMetadata | 'absent',
  { producerId, producerEpoch }: ProducerIdentity,
): TransactionMetadata {
  if (current === 'absent' || current.producerId !== producerId)
    throw new CoordinatorError(ErrorCodes.INVALID_PRODUCER_ID_MAPPING);
  if (current.producerEpoch !== producerEpoch) throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
  return current;
}
