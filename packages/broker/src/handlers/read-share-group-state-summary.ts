import {
  ApiKeys,
  readShareGroupStateSummaryRequest,
  readShareGroupStateSummaryResponse,
} from '@ottla/protocol';
import type { ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse } from '@ottla/protocol';
import type { ShareCoordinator } from '../coordinator/share/share-coordinator.ts';
import type { ApiHandler } from './handler.ts';
import { forEachSharePartition, shareStateErrors } from './share-state-results.ts';

/**
 * ReadShareGroupStateSummary (KIP-932), versions 0 and 1 (1 adds the count of finished deliveries, KIP-1226): asked by the leaders of
 * partitions and by group coordinators.
 */
export function readShareGroupStateSummaryHandler(deps: {
  readonly states: ShareCoordinator;
}): ApiHandler<ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse> {
  return {
    apiKey: ApiKeys.ReadShareGroupStateSummary,
    minVersion: 0,
    maxVersion: 1,
    request: readShareGroupStateSummaryRequest,
    response: readShareGroupStateSummaryResponse,

    async handle(request) {
      const results = await forEachSharePartition(request, async (key, { leaderEpoch }) => {
        const result = await deps.states.readSummary(key, leaderEpoch);
        return { partition: key.partition, ...result };
      });
      return { results };
    },

    errorResponse: (request, errorCode) => ({
      results: shareStateErrors(request, errorCode, {
        stateEpoch: 0,
        leaderEpoch: 0,
        startOffset: 0,
        deliveryCompleteCount: -1,
      }),
    }),
  };
}
