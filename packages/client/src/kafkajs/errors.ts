import { AuthenticationError, ConnectionError, TimeoutError } from '../errors/client-errors.ts';
import { KafkaError } from '../errors/kafka-error.ts';

/** Base of every error of the compatibility entry point, as kafkajs has it. */
export class KafkaJSError extends Error {
  override readonly name: string = 'KafkaJSError';
  readonly retriable: boolean;
  readonly helpUrl: string | undefined;

  constructor(error: Error | string, metadata: { retriable?: boolean; cause?: unknown } = {}) {
    const cause = metadata.cause ?? (error instanceof Error ? error : undefined);
    super(error instanceof Error ? error.message : error, cause === undefined ? undefined : { cause });
    this.retriable = metadata.retriable ?? true;
  }
}

/** Trying again does not help. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = 'KafkaJSNonRetriableError';

  constructor(error: Error | string, metadata: { cause?: unknown } = {}) {
    super(error, { ...metadata, retriable: false });
  }
}

/** A broker answered with an error: `type` is Kafka's name of it, `code` its number. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = 'KafkaJSProtocolError';
  readonly type: string;
  readonly code: number;

  constructor(error: Error | string, metadata: { retriable?: boolean; type?: string; code?: number } = {}) {
    super(error, metadata);
    this.type = metadata.type ?? 'UNKNOWN';
    this.code = metadata.code ?? -1;
  }
}

/** Several things were asked for and some of them failed. */
export class KafkaJSAggregateError extends Error {
  override readonly name = 'KafkaJSAggregateError';
  readonly errors: readonly (Error | string)[];

  constructor(message: Error | string, errors: readonly (Error | string)[]) {
    super(message instanceof Error ? message.message : message);
    this.errors = errors;
  }
}

/** The client has tried as long as it was told to. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSNumberOfRetriesExceeded';
}

/** A broker cannot be reached; `broker` is its `host:port`. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name = 'KafkaJSConnectionError';
  readonly broker: string;

  constructor(error: Error | string, metadata: { broker?: string } = {}) {
    super(error);
    this.broker = metadata.broker ?? '';
  }
}

/** A broker did not answer in time. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name = 'KafkaJSRequestTimeoutError';
}

/** The broker refuses the credentials or the mechanism. */
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSSASLAuthenticationError';
}

/** Some groups could not be deleted; `groups` says which and why. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name = 'KafkaJSDeleteGroupsError';
  readonly groups: readonly { groupId: string; errorCode: number; error: KafkaJSError }[];

  constructor(
    error: Error | string,
    groups: readonly { groupId: string; errorCode: number; error: KafkaJSError }[],
  ) {
    super(error);
    this.groups = groups;
  }
}

/** What does not exist in this entry point; the message says what to use instead. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override readonly name = 'KafkaJSNotImplemented';
}

/** The error as a kafkajs program knows it. */
export function asKafkaJSError(error: unknown): Error {
  if (error instanceof KafkaJSError || error instanceof KafkaJSAggregateError) return error;
  if (error instanceof AuthenticationError) return new KafkaJSSASLAuthenticationError(error);
  if (error instanceof ConnectionError) {
    return new KafkaJSConnectionError(error, { broker: `${error.host}:${error.port}` });
  }
  if (error instanceof TimeoutError) return new KafkaJSRequestTimeoutError(error);
  if (error instanceof KafkaError) {
    const { retriable, name, code } = error;
    return code >= 0
      ? new KafkaJSProtocolError(error, { retriable, type: name, code })
      : new KafkaJSNonRetriableError(error);
  }
  return error instanceof Error ? error : new KafkaJSError(String(error));
}

/** Runs a call of the client and gives its failures the names that kafkajs has for them. */
export async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw asKafkaJSError(error);
  }
}
