import {
  ApiKeys,
  type EndTxnRequest,
  endTxnRequest,
  type EndTxnResponse,
  endTxnResponse,
  ErrorCodes,
} from '@ottla/protocol';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-state.ts';
import type { ApiHandler } from './handler.ts';
import { fencedErrorFor } from './transaction-errors.ts';

/** The first versions whose clients know PRODUCER_FENCED, and that take over a new epoch with each end (KIP-890). */
const FENCED_VERSION = 2;
const EPOCH_BUMPING_VERSION = 5;

/** EndTxn 0 to 5 (2: PRODUCER_FENCED; 4: TRANSACTION_ABORTABLE; 5: the answer carries the producer's next identity). */
export function endTxnHandler(deps: {
  readonly transactions: TransactionCoordinator;
}): ApiHandler<EndTxnRequest, EndTxnResponse> {
  return {
    apiKey: ApiKeys.EndTxn,
    minVersion: 0,
    maxVersion: 5,
    request: endTxnRequest,
    response: endTxnResponse,

    async handle(request, { apiVersion }) {
      try {
        const identity = await deps.transactions.endTransaction({
          transactionalId: request.transactionalId,
          producerId: request.producerId,
          producerEpoch: request.producerEpoch,
          committed: request.committed,
          clientVersion: apiVersion >= EPOCH_BUMPING_VERSION ? EPOCH_BUMP_VERSION : 0,
        });
        return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, ...identity };
      } catch (failure) {
        return refusal(fencedErrorFor(errorCodeOf(failure), apiVersion >= FENCED_VERSION));
      }
    },

    errorResponse: (_request, errorCode) => refusal(errorCode),
  };
}

function refusal(errorCode: number): EndTxnResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 };
}
