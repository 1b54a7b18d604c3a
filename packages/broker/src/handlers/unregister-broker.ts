import { ApiKeys, unregisterBrokerRequest, unregisterBrokerResponse, errorMessage } from '@ottla/protocol';
import type { UnregisterBrokerRequest, UnregisterBrokerResponse } from '@ottla/protocol';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from './handler.ts';

/** UnregisterBroker: takes a broker out of the cluster's metadata for good. */
export function unregisterBrokerHandler(deps: {
  readonly controller: Controller;
}): ApiHandler<UnregisterBrokerRequest, UnregisterBrokerResponse> {
  return {
    apiKey: ApiKeys.UnregisterBroker,
    minVersion: 0,
    maxVersion: 0,
    request: unregisterBrokerRequest,
    response: unregisterBrokerResponse,
    handle: async ({ brokerId }) => ({
      throttleTimeMs: 0,
      ...(await deps.controller.unregisterBroker(brokerId)),
    }),
    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
    }),
  };
}
