import {
  ApiKeys,
  expireDelegationTokenRequest,
  expireDelegationTokenResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { ExpireDelegationTokenRequest, ExpireDelegationTokenResponse } from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** ExpireDelegationToken (KIP-48) on a listener that authenticates nobody, where Kafka ends no token either. */
export function expireDelegationTokenHandler(): ApiHandler<
  ExpireDelegationTokenRequest,
  ExpireDelegationTokenResponse
> {
  return {
    apiKey: ApiKeys.ExpireDelegationToken,
    minVersion: 1,
    maxVersion: 2,
    request: expireDelegationTokenRequest,
    response: expireDelegationTokenResponse,
    handle: () => refusal(ErrorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED),
    errorResponse: (_request, errorCode) => refusal(errorCode),
  };
}

function refusal(errorCode: number): ExpireDelegationTokenResponse {
  return { errorCode, expiryTimestampMs: -1, throttleTimeMs: 0 };
}
