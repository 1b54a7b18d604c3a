import { ApiKeys, deleteShareGroupStateRequest, deleteShareGroupStateResponse } from '@ottla/protocol';
import type { DeleteShareGroupStateRequest, DeleteShareGroupStateResponse } from '@ottla/protocol';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { forEachSharePartition, shareStateErrors } from './share-state-results.ts';

/** DeleteShareGroupState, version 0 (KIP-932): asked by the leaders of partitions and by group coordinators. */
export function deleteShareGroupStateHandler(deps: {
  readonly states: ShareCoordinator;
}): ApiHandler<DeleteShareGroupStateRequest, DeleteShareGroupStateResponse> {
  return {
    apiKey: ApiKeys.DeleteShareGroupState,
    minVersion: 0,
    maxVersion: 0,
    request: deleteShareGroupStateRequest,
    response: deleteShareGroupStateResponse,

    async handle(request) {
      const results = await forEachSharePartition(request, async (key, _partition) => {
        const result = await deps.states.delete(key);
        return { partition: key.partition, ...result };
      });
      return { results };
    },

    errorResponse: (request, errorCode) => ({ results: shareStateErrors(request, errorCode) }),
  };
}
