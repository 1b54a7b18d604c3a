import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../runtime/coordinator-error.ts';
import {
  EPOCH_BUMP_VERSION,
  isEpochExhausted,
  isPrepared,
  NO_PRODUCER_ID,
  prepared,
  TransactionState,
  type TransactionMetadata,
} from './transaction-state.ts';
import type { Current } from './transaction-store.ts';
import type { EndCommand } from './transaction-types.ts';

/** What an EndTxn leads to. */
export type EndResult =
  | 'needs-producer-id'
  /** A repetition: done before. */
  | { readonly type: 'done'; readonly metadata: TransactionMetadata }
  | { readonly type: 'decided'; readonly metadata: TransactionMetadata };

/**
 * EndTxn: decides the open transaction. Before transactions of version 2 a repeated request is known by the state alone;
 * since then each end raises the epoch, so a repetition is the request of the epoch before (KIP-890), and a producer may
 * abort without having written anything.
 * @throws CoordinatorError INVALID_PRODUCER_ID_MAPPING, PRODUCER_FENCED, CONCURRENT_TRANSACTIONS, INVALID_TXN_STATE
 */
export function endTransaction(current: Current, command: EndCommand, nowMs: number): EndResult {
  if (current === 'absent') throw new CoordinatorError(ErrorCodes.INVALID_PRODUCER_ID_MAPPING);
  if (current === 'in-transition') throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  const bumps = command.clientVersion >= EPOCH_BUMP_VERSION;
  // The producer may have its next identity already, by which it is not judged before the completion.
  if (bumps && isPrepared(current)) throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  const isRepeated = bumps ? checkIdentity(current, command) : checkStrictIdentity(current, command);
  const { state } = current;
  if (state === TransactionState.ongoing) return decide(current, command, nowMs);
  if (isPrepared(current)) throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  if (isRepeated && state !== TransactionState.empty) {
    requireSameEnd(current, command);
    return { type: 'done', metadata: current };
  }
  if (!bumps || command.committed) throw new CoordinatorError(ErrorCodes.INVALID_TXN_STATE);
  return decide(current, command, nowMs);
}

/** Version 1: the epoch has to be the current one, and any end that is over may be asked for again. */
function checkStrictIdentity(current: TransactionMetadata, command: EndCommand): boolean {
  if (current.producerId !== command.producerId)
    throw new CoordinatorError(ErrorCodes.INVALID_PRODUCER_ID_MAPPING);
  if (current.producerEpoch !== command.producerEpoch) throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
  return true;
}

/** Version 2; true when the request repeats one that has been carried out. */
function checkIdentity(current: TransactionMetadata, command: EndCommand): boolean {
  const { producerId, producerEpoch } = command;
  const repeatsAcrossIds =
    current.previousProducerId === producerId &&
    isEpochExhausted(producerEpoch) &&
    current.producerEpoch === 0;
  const isNextEpoch = current.producerEpoch === producerEpoch + 1;
  if (current.producerId !== producerId && !repeatsAcrossIds)
    throw new CoordinatorError(ErrorCodes.INVALID_PRODUCER_ID_MAPPING);
  const isOpen = current.state === TransactionState.ongoing || current.state === TransactionState.empty;
  const isSame = current.producerId === producerId && current.producerEpoch === producerEpoch;
  const isValid = isSame || (!isOpen && (isNextEpoch || repeatsAcrossIds));
  if (!isValid) throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
  return !isOpen && (isNextEpoch || repeatsAcrossIds);
}

function requireSameEnd({ state }: TransactionMetadata, { committed }: EndCommand): void {
  if ((state === TransactionState.completeCommit) !== committed)
    throw new CoordinatorError(ErrorCodes.INVALID_TXN_STATE);
}

function decide(current: TransactionMetadata, command: EndCommand, nowMs: number): EndResult {
  const { committed, clientVersion, newProducerId } = command;
  const rotates = clientVersion >= EPOCH_BUMP_VERSION && isEpochExhausted(current.producerEpoch);
  if (rotates && newProducerId === null) return 'needs-producer-id';
  const nextProducerId = rotates ? (newProducerId ?? NO_PRODUCER_ID) : NO_PRODUCER_ID;
  return {
    type: 'decided',
    metadata: prepared(current, { committed, clientVersion, nextProducerId, nowMs }),
  };
}
