import {
  ApiKeys,
  ErrorCodes,
  type SaslAuthenticateRequest,
  saslAuthenticateRequest,
  type SaslAuthenticateResponse,
  saslAuthenticateResponse,
} from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** SaslAuthenticate 0 to 2 on a listener without SASL. */
export function saslAuthenticateHandler(): ApiHandler<SaslAuthenticateRequest, SaslAuthenticateResponse> {
  return {
    apiKey: ApiKeys.SaslAuthenticate,
    minVersion: 0,
    maxVersion: 2,
    request: saslAuthenticateRequest,
    response: saslAuthenticateResponse,
    handle: () =>
      refusal(
        ErrorCodes.ILLEGAL_SASL_STATE,
        'This listener takes no SASL authentication; use a SASL listener or none at all',
      ),
    errorResponse: (_request, errorCode) => refusal(errorCode, null),
  };
}

function refusal(errorCode: number, errorMessage: string | null): SaslAuthenticateResponse {
  return { errorCode, errorMessage, authBytes: Buffer.alloc(0), sessionLifetimeMs: 0 };
}
