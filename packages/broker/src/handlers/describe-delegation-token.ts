import {
  ApiKeys,
  describeDelegationTokenRequest,
  describeDelegationTokenResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { DescribeDelegationTokenRequest, DescribeDelegationTokenResponse } from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** DescribeDelegationToken (KIP-48) on a listener that authenticates nobody: tokens are not shown there. */
export function describeDelegationTokenHandler(): ApiHandler<
  DescribeDelegationTokenRequest,
  DescribeDelegationTokenResponse
> {
  return {
    apiKey: ApiKeys.DescribeDelegationToken,
    minVersion: 1,
    maxVersion: 3,
    request: describeDelegationTokenRequest,
    response: describeDelegationTokenResponse,
    handle: () => refusal(ErrorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED),
    errorResponse: (_request, errorCode) => refusal(errorCode),
  };
}

function refusal(errorCode: number): DescribeDelegationTokenResponse {
  return { errorCode, tokens: [], throttleTimeMs: 0 };
}
