import { ErrorCodes, errorMessage, errorName, isRetriable, type ErrorName } from '@ottla/protocol';

/** Names of failures that only a client knows, beside Kafka's own. */
export type ClientErrorName =
  | 'CLIENT_CLOSED'
  | 'BUFFER_EXHAUSTED'
  | 'SERDE_FAILED'
  | 'INVALID_OPTION'
  | 'PROTOCOL_BROKEN'
  | 'NO_OFFSET_FOR_PARTITION'
  | 'LOG_TRUNCATED';

export interface KafkaErrorOptions {
  /** What failed underneath: a socket's error, a broker's answer. */
  readonly cause?: unknown;
  /** Whether the same call may succeed later; by default what Kafka says of the code. */
  readonly retriable?: boolean;
  readonly fatal?: boolean;
}

/** Codes after which a producer cannot go on: another one has taken its place, or its transactional id is refused. */
const FATAL_CODES: ReadonlySet<number> = new Set([
  ErrorCodes.PRODUCER_FENCED,
  ErrorCodes.INVALID_PRODUCER_EPOCH,
  ErrorCodes.FENCED_INSTANCE_ID,
  ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
  ErrorCodes.CLUSTER_AUTHORIZATION_FAILED,
  ErrorCodes.UNSUPPORTED_VERSION,
  ErrorCodes.UNSUPPORTED_FOR_MESSAGE_FORMAT,
  ErrorCodes.SASL_AUTHENTICATION_FAILED,
]);

/**
 * Every failure of this package. `name` is Kafka's name of the error (`UNKNOWN_TOPIC_OR_PARTITION`), `code` its number.
 *
 * @example
 * try {
 *   await admin.topics.create(orders);
 * } catch (error) {
 *   if (!isKafkaError(error, 'TOPIC_ALREADY_EXISTS')) throw error;
 * }
 */
export class KafkaError extends Error {
  override readonly name: ErrorName | ClientErrorName;
  /** Kafka's number of the error; -1 for failures that have none. */
  readonly code: number;
  /** Whether the same call may succeed when it is made again. The client has already done so within its timeout. */
  readonly retriable: boolean;
  /** Whether the producer or member that got it has to be closed. */
  readonly fatal: boolean;
  /**
   * For a record that was not acknowledged: whether it may be stored all the same, since an attempt was not answered or was answered in a
   * way that leaves it open. False: it is not stored, and sending it again makes no second one.
   */
  mayBeStored = false;

  constructor(name: ErrorName | ClientErrorName, message: string, options: KafkaErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = name;
    this.code = name in ErrorCodes ? ErrorCodes[name as ErrorName] : -1;
    this.retriable = options.retriable ?? isRetriable(this.code);
    this.fatal = options.fatal ?? FATAL_CODES.has(this.code);
  }
}

/** Whether `error` is of this package and, when names are given, one of them. */
export function isKafkaError(
  error: unknown,
  ...names: readonly (ErrorName | ClientErrorName)[]
): error is KafkaError {
  return error instanceof KafkaError && (names.length === 0 || names.includes(error.name));
}

/** Whether trying again may help: a KafkaError that says so. */
export function isRetriableError(error: unknown): boolean {
  return error instanceof KafkaError && error.retriable;
}

/** No right to do it: one of Kafka's `..._AUTHORIZATION_FAILED`. */
export class AuthorizationError extends KafkaError {}

/**
 * The error that a broker answered with. `detail` is the broker's own text, `what` says which item it is about,
 * for example `topic "orders"`.
 */
export function brokerError(code: number, detail: string | null = null, what = ''): KafkaError {
  const name = errorName(code);
  const text = detail !== null && detail !== '' ? detail : (errorMessage(code) ?? name);
  const message = what === '' ? text : `${text.replace(/\.$/, '')} (${what})`;
  if (name.endsWith('_AUTHORIZATION_FAILED')) return new AuthorizationError(name, message);
  return new KafkaError(name, message);
}

/** The broker's error; undefined when the code is NONE. */
export function errorOf(code: number, detail: string | null = null, what = ''): KafkaError | undefined {
  return code === ErrorCodes.NONE ? undefined : brokerError(code, detail, what);
}

/** Throws the broker's error unless the code is NONE. */
export function throwIfError(code: number, detail: string | null = null, what = ''): void {
  if (code !== ErrorCodes.NONE) throw brokerError(code, detail, what);
}
