import { ApiKeys, createAclsRequest, createAclsResponse, ErrorCodes, errorMessage } from '@ottla/protocol';
import type { CreateAclsRequest, CreateAclsResponse } from '@ottla/protocol';
import { NO_AUTHORIZER } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';

/** CreateAcls of a cluster without an authorizer: each rule is refused. */
export function createAclsHandler(): ApiHandler<CreateAclsRequest, CreateAclsResponse> {
  return {
    apiKey: ApiKeys.CreateAcls,
    minVersion: 1,
    maxVersion: 3,
    request: createAclsRequest,
    response: createAclsResponse,
    handle: (request) => refusals(request, ErrorCodes.SECURITY_DISABLED, NO_AUTHORIZER),
    errorResponse: (request, errorCode) => refusals(request, errorCode, errorMessage(errorCode)),
  };
}

function refusals(
  { creations }: CreateAclsRequest,
  errorCode: number,
  message: string | null,
): CreateAclsResponse {
  return { throttleTimeMs: 0, results: creations.map(() => ({ errorCode, errorMessage: message })) };
}
