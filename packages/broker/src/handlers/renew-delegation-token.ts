import {
  ApiKeys,
  renewDelegationTokenRequest,
  renewDelegationTokenResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { RenewDelegationTokenRequest, RenewDelegationTokenResponse } from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** RenewDelegationToken (KIP-48) on a listener that authenticates nobody, where Kafka prolongs no token either. */
export function renewDelegationTokenHandler(): ApiHandler<
  RenewDelegationTokenRequest,
  RenewDelegationTokenResponse
> {
  return {
    apiKey: ApiKeys.RenewDelegationToken,
    minVersion: 1,
    maxVersion: 2,
    request: renewDelegationTokenRequest,
    response: renewDelegationTokenResponse,
    handle: () => refusal(ErrorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED),
    errorResponse: (_request, errorCode) => refusal(errorCode),
  };
}

function refusal(errorCode: number): RenewDelegationTokenResponse {
  return { errorCode, expiryTimestampMs: -1, throttleTimeMs: 0 };
}
