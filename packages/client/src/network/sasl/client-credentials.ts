import { NodeClock, type Clock } from '@ottla/platform';
import { AuthenticationError, ConnectionError, OptionError } from '../../errors/client-errors.ts';

/** Where and as whom to ask for tokens: the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4). */
export interface ClientCredentialsOptions {
  /** `sasl.oauthbearer.token.endpoint.url`; https, or http on this machine. */
  readonly tokenEndpoint: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string;
  /** For the token endpoint to answer. Default: 10 000. */
  readonly timeoutMs?: number;
  /** For tests. */
  readonly clock?: Clock;
}

/** A token is asked for anew when this part of its life is over. */
const RENEW_AT = 0.8;
/** For answers that do not say how long the token lives. */
const DEFAULT_LIFETIME_S = 60;

/**
 * Tokens for `sasl: { mechanism: 'OAUTHBEARER', token }` from an identity provider. A token is kept for all connections until it is due for renewal.
 * The function rejects with AuthenticationError when the provider refuses, with a ConnectionError that can be retried when it does not answer.
 * @throws OptionError for an endpoint that would send the secret in the clear
 *
 * @example
 * const token = clientCredentials({ tokenEndpoint: 'https://id.example/token', clientId: 'billing', clientSecret });
 * await using ottla = connect({ bootstrap, tls: true, sasl: { mechanism: 'OAUTHBEARER', token } });
 */
export function clientCredentials(options: ClientCredentialsOptions): () => Promise<string> {
  const clock = options.clock ?? new NodeClock();
  const endpoint = checkedEndpoint(options.tokenEndpoint);
  let kept: { readonly token: string; readonly renewAtMs: number } | null = null;
  let asking: Promise<string> | null = null;
  const ask = async (): Promise<string> => {
    const { token, lifetimeS } = await requestToken(endpoint, options);
    kept = { token, renewAtMs: clock.monotonicMs() + lifetimeS * 1_000 * RENEW_AT };
    return token;
  };
  return async () => {
    if (kept !== null && clock.monotonicMs() < kept.renewAtMs) return kept.token;
    // Connections that open together share one request.
    asking ??= ask().finally(() => (asking = null));
    return asking;
  };
}

function checkedEndpoint(text: string): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new OptionError(`The token endpoint "${text}" is no URL`, error);
  }
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLocal)) return url;
  throw new OptionError(`The token endpoint "${text}" must be https: the client's secret is sent to it`);
}

async function requestToken(
  endpoint: URL,
  options: ClientCredentialsOptions,
): Promise<{ readonly token: string; readonly lifetimeS: number }> {
  const credentials = Buffer.from(`${options.clientId}:${options.clientSecret}`, 'utf8').toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  if (options.scope !== undefined) body.set('scope', options.scope);
  const place = {
    host: endpoint.hostname,
    port: Number(endpoint.port) || (endpoint.protocol === 'https:' ? 443 : 80),
  };
  let status: number;
  let text: string;
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}`, accept: 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    });
    status = response.status;
    text = await response.text();
  } catch (error) {
    const reason = error instanceof Error ? String(error.cause ?? error.message) : String(error);
    throw new ConnectionError(`The token endpoint ${endpoint.origin} cannot be asked (${reason})`, {
      ...place,
      cause: error,
    });
  }
  if (status >= 500 || status === 429)
    throw new ConnectionError(`The token endpoint ${endpoint.origin} answers with ${status}`, place);
  if (status !== 200)
    throw new AuthenticationError(
      `The token endpoint ${endpoint.origin} refuses with ${status}: ${reasonIn(text)}`,
    );
  return readToken(text, endpoint);
}

/** `error` and `error_description` of RFC 6749; never the body as it is, which may echo what was sent. */
function reasonIn(text: string): string {
  const { error, error_description: description } = parseObject(text);
  return [error, description].filter((part) => typeof part === 'string').join(', ') || 'no reason given';
}

function readToken(text: string, endpoint: URL): { readonly token: string; readonly lifetimeS: number } {
  const { access_token: token, expires_in: lifetime } = parseObject(text);
  if (typeof token !== 'string' || token === '')
    throw new AuthenticationError(`The token endpoint ${endpoint.origin} answers without access_token`);
  const lifetimeS = Number(lifetime);
  return { token, lifetimeS: Number.isFinite(lifetimeS) && lifetimeS > 0 ? lifetimeS : DEFAULT_LIFETIME_S };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
