import { ApiKeys, addRaftVoterRequest, addRaftVoterResponse, errorMessage } from '@ottla/protocol';
import type { AddRaftVoterRequest, AddRaftVoterResponse } from '@ottla/protocol';
import { addVoter, type Quorum } from '../controller/change-voters.ts';
import type { ApiHandler } from './handler.ts';

/** AddRaftVoter (KIP-853): refused, since a single node replicates its metadata log to nobody. */
export function addRaftVoterHandler(deps: {
  readonly quorum: () => Quorum;
}): ApiHandler<AddRaftVoterRequest, AddRaftVoterResponse> {
  return {
    apiKey: ApiKeys.AddRaftVoter,
    minVersion: 0,
    maxVersion: 1,
    request: addRaftVoterRequest,
    response: addRaftVoterResponse,
    handle: ({ clusterId, voterId, voterDirectoryId, listeners }) => ({
      throttleTimeMs: 0,
      ...addVoter(deps.quorum(), {
        clusterId,
        voterId,
        directoryId: voterDirectoryId,
        endpoints: listeners,
      }),
    }),
    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
    }),
  };
}
