import {
  ApiKeys,
  createDelegationTokenRequest,
  createDelegationTokenResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { CreateDelegationTokenRequest, CreateDelegationTokenResponse } from '@ottla/protocol';
import type { ApiHandler, RequestContext } from './handler.ts';

/**
 * CreateDelegationToken (KIP-48, KIP-373) on a listener that authenticates nobody: as Kafka does, it is refused, and the
 * answer names whom the token would have been for.
 */
export function createDelegationTokenHandler(): ApiHandler<
  CreateDelegationTokenRequest,
  CreateDelegationTokenResponse
> {
  return {
    apiKey: ApiKeys.CreateDelegationToken,
    minVersion: 1,
    maxVersion: 3,
    request: createDelegationTokenRequest,
    response: createDelegationTokenResponse,
    handle: (request, context) => refusal(request, ErrorCodes.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED, context),
    errorResponse: refusal,
  };
}

function refusal(
  request: CreateDelegationTokenRequest,
  errorCode: number,
  { apiVersion, connection }: RequestContext,
): CreateDelegationTokenResponse {
  const colon = connection.principal.indexOf(':');
  const requesterType = connection.principal.slice(0, colon);
  const requesterName = connection.principal.slice(colon + 1);
  const { ownerPrincipalType, ownerPrincipalName } = request;
  const hasOwner = Boolean(ownerPrincipalType) && Boolean(ownerPrincipalName);
  return {
    errorCode,
    principalType: hasOwner ? (ownerPrincipalType ?? '') : requesterType,
    principalName: hasOwner ? (ownerPrincipalName ?? '') : requesterName,
    tokenRequesterPrincipalType: apiVersion < 3 ? '' : requesterType,
    tokenRequesterPrincipalName: apiVersion < 3 ? '' : requesterName,
    issueTimestampMs: -1,
    expiryTimestampMs: -1,
    maxTimestampMs: -1,
    tokenId: '',
    hmac: Buffer.alloc(0),
    throttleTimeMs: 0,
  };
}
