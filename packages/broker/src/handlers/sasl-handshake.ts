import {
  ApiKeys,
  ErrorCodes,
  type SaslHandshakeRequest,
  saslHandshakeRequest,
  type SaslHandshakeResponse,
  saslHandshakeResponse,
} from '@ottla/protocol';
import type { ApiHandler } from './handler.ts';

/** SaslHandshake 0 and 1 on a listener without SASL: it comes too late or to the wrong port, and Kafka says so. */
export function saslHandshakeHandler(): ApiHandler<SaslHandshakeRequest, SaslHandshakeResponse> {
  return {
    apiKey: ApiKeys.SaslHandshake,
    minVersion: 0,
    maxVersion: 1,
    request: saslHandshakeRequest,
    response: saslHandshakeResponse,
    handle: () => ({ errorCode: ErrorCodes.ILLEGAL_SASL_STATE, mechanisms: [] }),
    errorResponse: (_request, errorCode) => ({ errorCode, mechanisms: [] }),
  };
}
