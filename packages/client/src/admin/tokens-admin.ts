import type { CallLimits } from '../cluster/limits.ts';
import { throwIfError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests } from './admin-requests.ts';

/** A delegation token (KIP-48). `hmac` is the secret. Times are milliseconds since the epoch. */
export interface DelegationToken {
  readonly tokenId: string;
  readonly hmac: Buffer;
  /** `User:alice`. */
  readonly owner: string;
  readonly requester: string;
  readonly renewers: readonly string[];
  readonly issueTimestampMs: number;
  readonly expiryTimestampMs: number;
  readonly maxTimestampMs: number;
}

interface Principal {
  readonly principalType: string;
  readonly principalName: string;
}

/** Delegation tokens: for clients that should not have a user's own credentials. */
export class TokensAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Creates a token for the user who is logged in, or for `owner` where that is allowed. Principals are written `User:alice`. */
  create(
    options: CallLimits & {
      readonly owner?: string;
      readonly renewers?: readonly string[];
      /** Default: the broker's `delegation.token.max.lifetime.ms`. */
      readonly maxLifetimeMs?: number;
    } = {},
  ): Promise<DelegationToken> {
    const owner = options.owner === undefined ? undefined : principal(options.owner);
    const renewers = options.renewers ?? [];
    const body = (version: number) => ({
      ...(version >= 3 && {
        ownerPrincipalType: owner?.principalType ?? null,
        ownerPrincipalName: owner?.principalName ?? null,
      }),
      renewers: renewers.map(principal),
      maxLifetimeMs: options.maxLifetimeMs ?? -1,
    });
    // Version 3 brought owners (KIP-373).
    const request = { api: apis.createDelegationToken, body, minVersion: owner === undefined ? 1 : 3 };
    return this.#requests.ask('controller', request, options, (answer) => {
      throwIfError(answer.errorCode);
      return {
        tokenId: answer.tokenId,
        hmac: answer.hmac,
        owner: nameOf(answer),
        requester: nameOf({
          principalType: answer.tokenRequesterPrincipalType,
          principalName: answer.tokenRequesterPrincipalName,
        }),
        renewers,
        issueTimestampMs: answer.issueTimestampMs,
        expiryTimestampMs: answer.expiryTimestampMs,
        maxTimestampMs: answer.maxTimestampMs,
      };
    });
  }

  /** Prolongs a token and returns its new expiry; by default by the broker's `delegation.token.expiry.time.ms`. */
  renew(hmac: Buffer, options: CallLimits & { readonly renewPeriodMs?: number } = {}): Promise<number> {
    const body = { hmac, renewPeriodMs: options.renewPeriodMs ?? -1 };
    return this.#requests.ask('controller', { api: apis.renewDelegationToken, body }, options, (answer) => {
      throwIfError(answer.errorCode);
      return answer.expiryTimestampMs;
    });
  }

  /** Ends a token, at once by default, and returns its new expiry. */
  expire(hmac: Buffer, options: CallLimits & { readonly expiryPeriodMs?: number } = {}): Promise<number> {
    const body = { hmac, expiryTimePeriodMs: options.expiryPeriodMs ?? -1 };
    return this.#requests.ask('controller', { api: apis.expireDelegationToken, body }, options, (answer) => {
      throwIfError(answer.errorCode);
      return answer.expiryTimestampMs;
    });
  }

  /** Tokens of these owners (default: all that may be seen). */
  describe(options: CallLimits & { readonly owners?: readonly string[] } = {}): Promise<DelegationToken[]> {
    const body = { owners: options.owners?.map(principal) ?? null };
    return this.#requests.ask('any', { api: apis.describeDelegationToken, body }, options, (answer) => {
      throwIfError(answer.errorCode);
      return answer.tokens.map((token) => ({
        tokenId: token.tokenId,
        hmac: token.hmac,
        owner: nameOf(token),
        requester: nameOf({
          principalType: token.tokenRequesterPrincipalType,
          principalName: token.tokenRequesterPrincipalName,
        }),
        renewers: token.renewers.map(nameOf),
        issueTimestampMs: token.issueTimestamp,
        expiryTimestampMs: token.expiryTimestamp,
        maxTimestampMs: token.maxTimestamp,
      }));
    });
  }
}

function principal(text: string): Principal {
  const colon = text.indexOf(':');
  return colon < 0
    ? { principalType: 'User', principalName: text }
    : { principalType: text.slice(0, colon), principalName: text.slice(colon + 1) };
}

function nameOf({ principalType, principalName }: Principal): string {
  return principalType === '' ? '' : `${principalType}:${principalName}`;
}
