import {
  ApiKeys,
  initializeShareGroupStateRequest,
  initializeShareGroupStateResponse,
} from '@ottla/protocol';
import type { InitializeShareGroupStateRequest, InitializeShareGroupStateResponse } from '@ottla/protocol';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { forEachSharePartition, shareStateErrors } from './share-state-results.ts';

/** InitializeShareGroupState, version 0 (KIP-932): asked by the leaders of partitions and by group coordinators. */
export function initializeShareGroupStateHandler(deps: {
  readonly states: ShareCoordinator;
}): ApiHandler<InitializeShareGroupStateRequest, InitializeShareGroupStateResponse> {
  return {
    apiKey: ApiKeys.InitializeShareGroupState,
    minVersion: 0,
    maxVersion: 0,
    request: initializeShareGroupStateRequest,
    response: initializeShareGroupStateResponse,

    async handle(request) {
      const results = await forEachSharePartition(request, async (key, { stateEpoch, startOffset }) => {
        const result = await deps.states.initialize({ ...key, stateEpoch, startOffset });
        return { partition: key.partition, ...result };
      });
      return { results };
    },

    errorResponse: (request, errorCode) => ({ results: shareStateErrors(request, errorCode) }),
  };
}
