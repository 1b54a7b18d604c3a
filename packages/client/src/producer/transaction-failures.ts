import { BrokenProtocolError, ClosedError, AuthenticationError } from '../errors/client-errors.ts';
import { KafkaError } from '../errors/kafka-error.ts';

/** What a failure means to a transaction: abort it, give the producer up, or ask again since nobody knows. */
export type Severity = 'abortable' | 'fatal' | 'unknown';

/** Answers to Produce after which the producer cannot go on; Java's `maybeTransitionToErrorState`. */
const FATAL_TO_PRODUCE: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'PRODUCER_FENCED',
  'UNSUPPORTED_VERSION',
  'INVALID_PRODUCER_ID_MAPPING',
]);

/** Answers of a coordinator that say the same. Another producer with the id, or one that the coordinator has forgotten. */
const FATAL_AT_COORDINATOR: ReadonlySet<string> = new Set([
  ...FATAL_TO_PRODUCE,
  'INVALID_PRODUCER_EPOCH',
  'INVALID_TXN_STATE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

/** A record of the transaction has failed. */
export function severityOfRecord(error: KafkaError): Severity {
  return FATAL_TO_PRODUCE.has(error.name) || error instanceof AuthenticationError ? 'fatal' : 'abortable';
}

/** A coordinator has refused to make something part of the transaction. */
export function severityAtCoordinator(error: KafkaError): Severity {
  return FATAL_AT_COORDINATOR.has(error.name) || error instanceof AuthenticationError ? 'fatal' : 'abortable';
}

/** The end of the transaction has failed: only what Java lists can still be aborted, and what was not answered may have happened. */
export function severityOfEnd(error: KafkaError, isCommit: boolean): Severity {
  if (error.retriable || error instanceof BrokenProtocolError || error instanceof ClosedError)
    return 'unknown';
  if (error.name === 'UNKNOWN_PRODUCER_ID') return 'abortable';
  return isCommit && error.name === 'TRANSACTION_ABORTABLE' ? 'abortable' : 'fatal';
}

/** A coordinator says INVALID_PRODUCER_EPOCH where it means that another producer has taken over. */
export function fencedIfSo(error: KafkaError): KafkaError {
  if (error.name !== 'INVALID_PRODUCER_EPOCH') return error;
  return new KafkaError('PRODUCER_FENCED', 'Another producer with the same transactionalId has taken over', {
    cause: error,
  });
}
