import {
  ApiKeys,
  describeAclsRequest,
  describeAclsResponse,
  ErrorCodes,
  errorMessage,
} from '@ottla/protocol';
import type { DescribeAclsRequest, DescribeAclsResponse } from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** DescribeAcls of a cluster without an authorizer, which has no access rules. */
export function describeAclsHandler(): ApiHandler<DescribeAclsRequest, DescribeAclsResponse> {
  return {
    apiKey: ApiKeys.DescribeAcls,
    minVersion: 1,
    maxVersion: 3,
    request: describeAclsRequest,
    response: describeAclsResponse,
    handle: () => refusal(ErrorCodes.SECURITY_DISABLED, 'No Authorizer is configured on the broker'),
    errorResponse: (_request, errorCode) => refusal(errorCode, errorMessage(errorCode)),
  };
}

function refusal(errorCode: number, message: string | null): DescribeAclsResponse {
  return { throttleTimeMs: 0, errorCode, errorMessage: message, resources: [] };
}
