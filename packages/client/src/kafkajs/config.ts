import type { ClientOptions } from '../options/client-options.ts';
import type { SaslMechanism } from '../network/sasl/sasl-mechanism.ts';
import type { SaslOptions } from '../network/sasl/sasl-options.ts';
import type { TlsOptions } from '../network/tls-options.ts';
import type { logLevel } from './constants.ts';
import { KafkaJSNonRetriableError, KafkaJSNotImplemented } from './errors.ts';
import type { logCreator } from './logger.ts';

/** How kafkajs retries; see `clientOptions` for what it becomes. */
export interface RetryOptions {
  readonly maxRetryTime?: number;
  readonly initialRetryTime?: number;
  readonly factor?: number;
  readonly multiplier?: number;
  readonly retries?: number;
  readonly restartOnFailure?: (error: Error) => Promise<boolean>;
}

export type SASLOptions =
  | { readonly mechanism: 'plain'; readonly username: string; readonly password: string }
  | {
      readonly mechanism: 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'oauthbearer';
      readonly oauthBearerProvider: () => Promise<{ readonly value: string }>;
    };

/** The configuration of kafkajs's `Kafka`. */
export interface KafkaConfig {
  readonly brokers: readonly string[] | (() => readonly string[] | Promise<readonly string[]>);
  readonly ssl?: boolean | TlsOptions;
  readonly sasl?: SASLOptions | SaslMechanism;
  readonly clientId?: string;
  readonly connectionTimeout?: number;
  readonly authenticationTimeout?: number;
  readonly reauthenticationThreshold?: number;
  readonly requestTimeout?: number;
  readonly enforceRequestTimeout?: boolean;
  readonly retry?: RetryOptions;
  readonly logLevel?: logLevel;
  readonly logCreator?: logCreator;
  readonly socketFactory?: unknown;
}

/** kafkajs's defaults where they differ from Kafka's. */
const CONNECTION_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_RETRY_TIME_MS = 30_000;
const INITIAL_RETRY_TIME_MS = 300;

/**
 * The client's options for a kafkajs configuration with resolved brokers. kafkajs counts attempts, the client counts time: an operation
 * is tried again for `retries` waits that grow from `initialRetryTime` by `multiplier` up to `maxRetryTime`, and one request on top.
 */
export function clientOptions(config: KafkaConfig, brokers: readonly string[]): ClientOptions {
  if (brokers.length === 0) throw new KafkaJSNonRetriableError('Failed to connect: brokers is an empty list');
  if (config.socketFactory !== undefined) {
    throw new KafkaJSNotImplemented('socketFactory does not exist here: remove it, or use the ssl option');
  }
  const requestTimeoutMs = config.requestTimeout ?? REQUEST_TIMEOUT_MS;
  const initialRetryMs = config.retry?.initialRetryTime ?? INITIAL_RETRY_TIME_MS;
  const maxRetryMs = Math.max(initialRetryMs, config.retry?.maxRetryTime ?? MAX_RETRY_TIME_MS);
  const connectionMs = config.connectionTimeout ?? CONNECTION_TIMEOUT_MS;
  return {
    bootstrap: brokers,
    clientId: config.clientId ?? 'kafkajs',
    requestTimeoutMs,
    connectionSetupTimeoutMs: connectionMs,
    connectionSetupTimeoutMaxMs: Math.max(connectionMs, 30_000),
    defaultApiTimeoutMs: Math.max(requestTimeoutMs, totalRetryMs(config.retry ?? {}) + requestTimeoutMs),
    retryBackoffMs: initialRetryMs,
    retryBackoffMaxMs: maxRetryMs,
    tls: config.ssl,
    sasl: saslOptions(config.sasl),
  };
}

/** How long kafkajs would wait in all between its attempts, in milliseconds. */
function totalRetryMs({ retries = 5, initialRetryTime, maxRetryTime, multiplier = 2 }: RetryOptions): number {
  let waitMs = initialRetryTime ?? INITIAL_RETRY_TIME_MS;
  let totalMs = 0;
  for (let attempt = 0; attempt < Math.min(retries, 100); attempt++) {
    totalMs += waitMs;
    waitMs = Math.min(maxRetryTime ?? MAX_RETRY_TIME_MS, waitMs * multiplier);
  }
  return totalMs;
}

function saslOptions(sasl: KafkaConfig['sasl']): SaslOptions | undefined {
  if (sasl === undefined || 'start' in sasl) return sasl;
  switch (sasl.mechanism) {
    case 'plain':
      return { mechanism: 'PLAIN', username: sasl.username, password: sasl.password };
    case 'scram-sha-256':
      return { mechanism: 'SCRAM-SHA-256', username: sasl.username, password: sasl.password };
    case 'scram-sha-512':
      return { mechanism: 'SCRAM-SHA-512', username: sasl.username, password: sasl.password };
    case 'oauthbearer':
      return { mechanism: 'OAUTHBEARER', token: async () => (await sasl.oauthBearerProvider()).value };
    default:
      throw new KafkaJSNotImplemented(
        `SASL mechanism "${(sasl as { mechanism: string }).mechanism}" does not exist here: pass a SaslMechanism of your own`,
      );
  }
}
