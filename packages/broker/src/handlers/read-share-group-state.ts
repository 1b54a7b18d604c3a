import { ApiKeys, readShareGroupStateRequest, readShareGroupStateResponse } from '@ottla/protocol';
import type { ReadShareGroupStateRequest, ReadShareGroupStateResponse } from '@ottla/protocol';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { forEachSharePartition, shareStateErrors } from './share-state-results.ts';

/** ReadShareGroupState, version 0 (KIP-932): asked by the leaders of partitions and by group coordinators. */
export function readShareGroupStateHandler(deps: {
  readonly states: ShareCoordinator;
}): ApiHandler<ReadShareGroupStateRequest, ReadShareGroupStateResponse> {
  return {
    apiKey: ApiKeys.ReadShareGroupState,
    minVersion: 0,
    maxVersion: 0,
    request: readShareGroupStateRequest,
    response: readShareGroupStateResponse,

    async handle(request) {
      const results = await forEachSharePartition(request, async (key, { leaderEpoch }) => {
        const result = await deps.states.read(key, leaderEpoch);
        return { partition: key.partition, ...result, stateBatches: [...result.stateBatches] };
      });
      return { results };
    },

    errorResponse: (request, errorCode) => ({
      results: shareStateErrors(request, errorCode, { stateEpoch: 0, startOffset: 0, stateBatches: [] }),
    }),
  };
}
