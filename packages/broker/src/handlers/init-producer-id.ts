import {
  ApiKeys,
  ErrorCodes,
  type InitProducerIdRequest,
  initProducerIdRequest,
  type InitProducerIdResponse,
  initProducerIdResponse,
} from '@ottla/protocol';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import type { ProducerIdentity } from '../coordinator/transaction/transaction-types.ts';
import type { ProducerIdSource } from '../replica/producer-id-source.ts';
import type { ApiHandler } from './handler.ts';
import { fencedErrorFor } from './transaction-errors.ts';

const NO_PRODUCER_ID = -1;
const NO_PRODUCER_EPOCH = -1;
/** The first version whose clients know PRODUCER_FENCED. */
const FENCED_VERSION = 4;

/**
 * InitProducerId 0 to 5 (3: the identity that the producer believes to have, KIP-360; 4: PRODUCER_FENCED). Without a
 * transactional id every call gets a new id with epoch 0; with one it goes to the transaction coordinator.
 */
export function initProducerIdHandler(deps: {
  readonly producerIds: ProducerIdSource;
  readonly transactions: TransactionCoordinator;
}): ApiHandler<InitProducerIdRequest, InitProducerIdResponse> {
  return {
    apiKey: ApiKeys.InitProducerId,
    minVersion: 0,
    maxVersion: 5,
    request: initProducerIdRequest,
    response: initProducerIdResponse,

    async handle(request, { apiVersion }) {
      const { transactionalId, producerId, producerEpoch } = request;
      const isNew = producerId === NO_PRODUCER_ID;
      // The two say together which incarnation goes on; one without the other means nothing.
      if (isNew !== (producerEpoch === NO_PRODUCER_EPOCH)) return refusal(ErrorCodes.INVALID_REQUEST);
      if (transactionalId === null) {
        const id = await deps.producerIds.next();
        if (id === null) return refusal(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS);
        return success({ producerId: id, producerEpoch: 0 });
      }
      try {
        return success(
          await deps.transactions.initProducerId({
            transactionalId,
            timeoutMs: request.transactionTimeoutMs,
            expected: isNew ? null : { producerId, producerEpoch },
          }),
        );
      } catch (failure) {
        return refusal(fencedErrorFor(errorCodeOf(failure), apiVersion >= FENCED_VERSION));
      }
    },

    errorResponse(_request, errorCode) {
      return refusal(errorCode);
    },
  };
}

function success(identity: ProducerIdentity): InitProducerIdResponse {
  return { ...refusal(ErrorCodes.NONE), ...identity };
}

function refusal(errorCode: number): InitProducerIdResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    producerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    ongoingTxnProducerId: -1,
    ongoingTxnProducerEpoch: -1,
  };
}
