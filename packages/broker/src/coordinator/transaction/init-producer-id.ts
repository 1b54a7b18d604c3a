import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../runtime/coordinator-error.ts';
import {
  EPOCH_BUMP_VERSION,
  initialised,
  isEpochExhausted,
  isPrepared,
  newTransaction,
  NO_PRODUCER_EPOCH,
  NO_PRODUCER_ID,
  prepared,
  TransactionState,
  type TransactionMetadata,
} from './transaction-state.ts';
import type { Current } from './transaction-store.ts';
import type { InitCommand, ProducerIdentity } from './transaction-types.ts';

/** What an InitProducerId leads to. */
export type InitResult =
  | 'needs-producer-id'
  /** The producer's new identity. */
  | { readonly type: 'initialised'; readonly metadata: TransactionMetadata }
  /** An open transaction stands in the way: it is aborted, and the producer asks again. */
  | { readonly type: 'fenced'; readonly metadata: TransactionMetadata };

/**
 * InitProducerId: fences whoever used the transactional id before, by a new epoch or, after the last one, a new producer
 * id. A producer that goes on after an error says who it was (KIP-360), and is refused when it was fenced meanwhile.
 * @throws CoordinatorError CONCURRENT_TRANSACTIONS, PRODUCER_FENCED
 */
export function initProducerId(current: Current, command: InitCommand, options: InitOptions): InitResult {
  const { transactionalId, timeoutMs, expected, newProducerId } = command;
  if (current === 'in-transition' || (current !== 'absent' && isPrepared(current)))
    throw new CoordinatorError(ErrorCodes.CONCURRENT_TRANSACTIONS);
  if (current === 'absent' && newProducerId === null) return 'needs-producer-id';
  const from =
    current === 'absent'
      ? newTransaction(
          transactionalId,
          { producerId: newProducerId ?? NO_PRODUCER_ID, timeoutMs },
          options.nowMs,
        )
      : current;
  if (expected !== null && !isKnownIdentity(from, expected))
    throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
  if (from.state === TransactionState.ongoing)
    return { type: 'fenced', metadata: fencingAbort(from, options) };
  const rotates =
    isEpochExhausted(from.producerEpoch) &&
    (expected === null || expected.producerEpoch === from.producerEpoch);
  if (!rotates) {
    const epochs = nextEpochs(from, expected);
    const metadata = initialised(from, { producerId: from.producerId, ...epochs, timeoutMs }, options.nowMs);
    return { type: 'initialised', metadata };
  }
  if (newProducerId === null) return 'needs-producer-id';
  const lastProducerEpoch = expected === null ? NO_PRODUCER_EPOCH : from.producerEpoch;
  const identity = { producerId: newProducerId, producerEpoch: 0, lastProducerEpoch, timeoutMs };
  return { type: 'initialised', metadata: initialised(from, identity, options.nowMs) };
}

/** What the coordinator adds to a command of its own. */
export interface InitOptions {
  readonly nowMs: number;
  /** The finalized level of `transaction.version`. */
  readonly serverVersion: number;
}

/**
 * The coordinator's own abort of an open transaction, with an epoch that its producer does not have. That epoch is never
 * given to anybody, so one more may be used than producers get.
 */
export function fencingAbort(
  from: TransactionMetadata,
  { nowMs, serverVersion }: InitOptions,
): TransactionMetadata {
  const ending = {
    committed: false,
    clientVersion: EPOCH_BUMP_VERSION,
    nextProducerId: NO_PRODUCER_ID,
    nowMs,
  };
  return { ...prepared(from, ending), clientVersion: serverVersion };
}

function isKnownIdentity(
  from: TransactionMetadata,
  { producerId, producerEpoch }: ProducerIdentity,
): boolean {
  // Just created: the producer comes back after its id has expired, and gets a new one.
  if (from.producerEpoch === NO_PRODUCER_EPOCH || producerId === from.producerId) return true;
  return producerId === from.previousProducerId && isEpochExhausted(producerEpoch);
}

function nextEpochs(
  { producerEpoch, lastProducerEpoch }: TransactionMetadata,
  expected: ProducerIdentity | null,
): { producerEpoch: number; lastProducerEpoch: number } {
  if (isEpochExhausted(producerEpoch) && expected !== null && expected.producerEpoch !== lastProducerEpoch)
    throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
  if (expected === null) return { producerEpoch: producerEpoch + 1, lastProducerEpoch: NO_PRODUCER_EPOCH };
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerEpoch === producerEpoch)
    return { producerEpoch: producerEpoch + 1, lastProducerEpoch: producerEpoch };
  // The answer to the same request was lost: the producer has its new epoch already.
  if (expected.producerEpoch === lastProducerEpoch) return { producerEpoch, lastProducerEpoch };
  throw new CoordinatorError(ErrorCodes.PRODUCER_FENCED);
}
