import { ApiKeys, removeRaftVoterRequest, removeRaftVoterResponse, errorMessage } from '@ottla/protocol';
import type { RemoveRaftVoterRequest, RemoveRaftVoterResponse } from '@ottla/protocol';
import { removeVoter, type Quorum } from '../controller/change-voters.ts';
import type { ApiHandler } from './handler.ts';

/** RemoveRaftVoter (KIP-853): refused, since the last voter stays. */
export function removeRaftVoterHandler(deps: {
  readonly quorum: () => Quorum;
}): ApiHandler<RemoveRaftVoterRequest, RemoveRaftVoterResponse> {
  return {
    apiKey: ApiKeys.RemoveRaftVoter,
    minVersion: 0,
    maxVersion: 0,
    request: removeRaftVoterRequest,
    response: removeRaftVoterResponse,
    handle: ({ clusterId, voterId, voterDirectoryId }) => ({
      throttleTimeMs: 0,
      ...removeVoter(deps.quorum(), { clusterId, voterId, directoryId: voterDirectoryId }),
    }),
    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
    }),
  };
}
