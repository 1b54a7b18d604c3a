import { ApiKeys, writeShareGroupStateRequest, writeShareGroupStateResponse } from '@ottla/protocol';
import type { WriteShareGroupStateRequest, WriteShareGroupStateResponse } from '@ottla/protocol';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { forEachSharePartition, shareStateErrors } from './share-state-results.ts';

/**
 * WriteShareGroupState (KIP-932), versions 0 and 1 (1 adds the count of finished deliveries, KIP-1226): asked by the leaders of
 * partitions and by group coordinators.
 */
export function writeShareGroupStateHandler(deps: {
  readonly states: ShareCoordinator;
}): ApiHandler<WriteShareGroupStateRequest, WriteShareGroupStateResponse> {
  return {
    apiKey: ApiKeys.WriteShareGroupState,
    minVersion: 0,
    maxVersion: 1,
    request: writeShareGroupStateRequest,
    response: writeShareGroupStateResponse,

    async handle(request) {
      const results = await forEachSharePartition(
        request,
        async (key, { partition: _partition, ...state }) => {
          const result = await deps.states.write({ ...key, ...state });
          return { partition: key.partition, ...result };
        },
      );
      return { results };
    },

    errorResponse: (request, errorCode) => ({ results: shareStateErrors(request, errorCode) }),
  };
}
