import {
  ApiKeys,
  ErrorCodes,
  type InitProducerIdRequest,
  initProducerIdRequest,
  type InitProducerIdResponse,
  initProducerIdResponse,
} from '@ottla/protocol';
import type { ProducerIdSource } from '../replica/producer-id-source.ts';
import type { ApiHandler } from './handler.ts';

const NO_PRODUCER_ID = -1;
const NO_PRODUCER_EPOCH = -1;

/**
 * InitProducerId 0 to 5, for idempotent producers: every call gets a new id with epoch 0. A transactional id needs the
 * transaction coordinator, which does not exist yet; the answer is Kafka's for a coordinator that is not there.
 */
export function initProducerIdHandler(deps: {
  readonly producerIds: ProducerIdSource;
}): ApiHandler<InitProducerIdRequest, InitProducerIdResponse> {
  return {
    apiKey: ApiKeys.InitProducerId,
    minVersion: 0,
    maxVersion: 5,
    request: initProducerIdRequest,
    response: initProducerIdResponse,

    async handle({ transactionalId, producerId, producerEpoch }) {
      // The two say together which incarnation goes on; one without the other means nothing.
      if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH))
        return refusal(ErrorCodes.INVALID_REQUEST);
      if (transactionalId === '') return refusal(ErrorCodes.INVALID_REQUEST);
      if (transactionalId !== null) return refusal(ErrorCodes.COORDINATOR_NOT_AVAILABLE);
      const id = await deps.producerIds.next();
      return id === null ? refusal(ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS) : success(id);
    },

    errorResponse(_request, errorCode) {
      return refusal(errorCode);
    },
  };
}

function success(producerId: number): InitProducerIdResponse {
  return { ...refusal(ErrorCodes.NONE), producerId, producerEpoch: 0 };
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
