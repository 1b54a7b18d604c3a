import { ErrorCodes, errorName } from '@ottla/protocol';

/** A command that a coordinator refuses, or could not carry out; the service turns it into the error response of its API. */
export class CoordinatorError extends Error {
  override readonly name = 'CoordinatorError';
  /** Kafka's error code. */
  readonly code: number;

  constructor(code: number, message?: string) {
    super(message ?? errorName(code));
    this.code = code;
  }
}

/** The error code of anything thrown: its own when it is a `CoordinatorError`, otherwise UNKNOWN_SERVER_ERROR. */
export function errorCodeOf(failure: unknown): number {
  return failure instanceof CoordinatorError ? failure.code : ErrorCodes.UNKNOWN_SERVER_ERROR;
}

/**
 * The error that group clients see for a failed write to the internal topic. They know what to do about a coordinator that
 * is not available or moved, but not about the errors of a produce request.
 */
export function groupErrorOfAppendError(code: number): number {
  switch (code) {
    case ErrorCodes.NETWORK_EXCEPTION:
      return ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS;
    case ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCodes.NOT_ENOUGH_REPLICAS:
    case ErrorCodes.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    case ErrorCodes.REQUEST_TIMED_OUT:
      return ErrorCodes.COORDINATOR_NOT_AVAILABLE;
    case ErrorCodes.NOT_LEADER_OR_FOLLOWER:
    case ErrorCodes.KAFKA_STORAGE_ERROR:
      return ErrorCodes.NOT_COORDINATOR;
    case ErrorCodes.MESSAGE_TOO_LARGE:
    case ErrorCodes.RECORD_LIST_TOO_LARGE:
    case ErrorCodes.INVALID_FETCH_SIZE:
      return ErrorCodes.UNKNOWN_SERVER_ERROR;
    default:
      return code;
  }
}

const REFUSED_BEFORE_APPEND: ReadonlySet<number> = new Set([
  ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCodes.NOT_ENOUGH_REPLICAS,
  ErrorCodes.NOT_LEADER_OR_FOLLOWER,
  ErrorCodes.MESSAGE_TOO_LARGE,
  ErrorCodes.RECORD_LIST_TOO_LARGE,
  ErrorCodes.INVALID_REQUEST,
  ErrorCodes.INVALID_RECORD,
  ErrorCodes.CORRUPT_MESSAGE,
  // A transaction that is over by now, or of a producer that has been replaced.
  ErrorCodes.INVALID_TXN_STATE,
  ErrorCodes.INVALID_PRODUCER_EPOCH,
  ErrorCodes.TRANSACTION_COORDINATOR_FENCED,
]);

/**
 * Whether a failed append certainly left nothing in the log. After any other failure (a timeout, a failed fdatasync) the
 * records may be there without having been applied, and the shard has to be loaded again.
 */
export function leftNothingBehind(appendErrorCode: number): boolean {
  return REFUSED_BEFORE_APPEND.has(appendErrorCode);
}
