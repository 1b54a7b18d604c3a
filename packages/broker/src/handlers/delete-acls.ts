import { ApiKeys, deleteAclsRequest, deleteAclsResponse, ErrorCodes, errorMessage } from '@ottla/protocol';
import type { DeleteAclsRequest, DeleteAclsResponse } from '@ottla/protocol';
import { NO_AUTHORIZER } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';

/** DeleteAcls of a cluster without an authorizer: each filter is refused. */
export function deleteAclsHandler(): ApiHandler<DeleteAclsRequest, DeleteAclsResponse> {
  return {
    apiKey: ApiKeys.DeleteAcls,
    minVersion: 1,
    maxVersion: 3,
    request: deleteAclsRequest,
    response: deleteAclsResponse,
    handle: (request) => refusals(request, ErrorCodes.SECURITY_DISABLED, NO_AUTHORIZER),
    errorResponse: (request, errorCode) => refusals(request, errorCode, errorMessage(errorCode)),
  };
}

function refusals(
  { filters }: DeleteAclsRequest,
  errorCode: number,
  message: string | null,
): DeleteAclsResponse {
  const filterResults = filters.map(() => ({ errorCode, errorMessage: message, matchingAcls: [] }));
  return { throttleTimeMs: 0, filterResults };
}
