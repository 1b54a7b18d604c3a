import { KafkaError } from './kafka-error.ts';

/** Facts about the connection that failed. */
export interface ConnectionErrorOptions {
  readonly host: string;
  readonly port: number;
  readonly cause?: unknown;
  /** What to look at, for people. */
  readonly hint?: string;
  readonly retriable?: boolean;
}

/** A broker cannot be reached, or the connection to it was lost: Kafka's NETWORK_EXCEPTION. Requests that were in flight may have been served. */
export class ConnectionError extends KafkaError {
  readonly host: string;
  readonly port: number;
  readonly hint: string | undefined;

  constructor(message: string, options: ConnectionErrorOptions) {
    const text = options.hint === undefined ? message : `${message}: ${options.hint}`;
    super('NETWORK_EXCEPTION', text, { cause: options.cause, retriable: options.retriable ?? true });
    this.host = options.host;
    this.port = options.port;
    this.hint = options.hint;
  }
}

/** No answer in time. The operation may have happened or may still happen. */
export class TimeoutError extends KafkaError {
  readonly timeoutMs: number;

  constructor(message: string, timeoutMs: number, cause?: unknown) {
    super('REQUEST_TIMED_OUT', message, { cause });
    this.timeoutMs = timeoutMs;
  }
}

/** The broker refuses the credentials or the mechanism, or could not prove who it is. Trying again does not help. */
export class AuthenticationError extends KafkaError {
  constructor(
    message: string,
    options: {
      readonly cause?: unknown;
      readonly name?: 'UNSUPPORTED_SASL_MECHANISM' | 'ILLEGAL_SASL_STATE' | 'SASL_AUTHENTICATION_FAILED';
    } = {},
  ) {
    super(options.name ?? 'SASL_AUTHENTICATION_FAILED', message, { cause: options.cause, fatal: true });
  }
}

/** A broker and this client have no version of an API in common, or not one that can carry what was asked. */
export class UnsupportedApiVersionError extends KafkaError {
  constructor(message: string, cause?: unknown) {
    super('UNSUPPORTED_VERSION', message, { cause });
  }
}

/**
 * The other side does not speak Kafka's protocol, or speaks it wrongly. The connection is closed. Retriable on a connection that has
 * served requests before: something on the way may have got between.
 */
export class BrokenProtocolError extends KafkaError {
  constructor(message: string, options: { readonly cause?: unknown; readonly retriable?: boolean } = {}) {
    super('PROTOCOL_BROKEN', message, { cause: options.cause, retriable: options.retriable ?? false });
  }
}

/** The handle was closed before or during the call. */
export class ClosedError extends KafkaError {
  constructor(message: string) {
    super('CLIENT_CLOSED', message, { retriable: false });
  }
}

/** An option has a value that it cannot have; names the option, the value and the remedy. */
export class OptionError extends KafkaError {
  constructor(message: string, cause?: unknown) {
    super('INVALID_OPTION', message, { cause, retriable: false });
  }
}

/** A key or value cannot be turned into bytes, or bytes into what the topic declares. */
export class SerdeError extends KafkaError {
  constructor(message: string, cause?: unknown) {
    super('SERDE_FAILED', message, { cause, retriable: false });
  }
}
