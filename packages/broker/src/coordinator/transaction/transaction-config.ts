import type { BrokerConfig } from '../../config/broker-config.ts';

/** What the transaction coordinator reads of the broker's configuration; the comments name Kafka's keys and defaults. */
export interface TransactionConfig {
  /** `transaction.max.timeout.ms` (900000). */
  readonly maxTimeoutMs: number;
  /** `transactional.id.expiration.ms` (604800000). */
  readonly idExpirationMs: number;
  /** `transaction.remove.expired.transaction.cleanup.interval.ms` (3600000). */
  readonly idExpirationIntervalMs: number;
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms` (10000). */
  readonly abortTimedOutIntervalMs: number;
  /** `transaction.state.log.num.partitions` (50). */
  readonly topicPartitions: number;
  /** `add.partitions.to.txn.retry.backoff.ms` (20). */
  readonly addRetryBackoffMs: number;
  /** `add.partitions.to.txn.retry.backoff.max.ms` (100): how long a produce request waits for the end of the transaction before. */
  readonly addRetryBackoffMaxMs: number;
  /** `request.timeout.ms` (30000): the longest that a write may take. */
  readonly writeTimeoutMs: number;
}

/** Kafka's defaults. */
export const DEFAULT_TRANSACTION_CONFIG: TransactionConfig = {
  maxTimeoutMs: 900_000,
  idExpirationMs: 604_800_000,
  idExpirationIntervalMs: 3_600_000,
  abortTimedOutIntervalMs: 10_000,
  topicPartitions: 50,
  addRetryBackoffMs: 20,
  addRetryBackoffMaxMs: 100,
  writeTimeoutMs: 30_000,
};

/** The part of the broker's configuration that is the transaction coordinator's; none of it changes while the broker runs. */
export function transactionConfig(config: BrokerConfig): TransactionConfig {
  return {
    maxTimeoutMs: config.get('transaction.max.timeout.ms'),
    idExpirationMs: config.get('transactional.id.expiration.ms'),
    idExpirationIntervalMs: config.get('transaction.remove.expired.transaction.cleanup.interval.ms'),
    abortTimedOutIntervalMs: config.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    topicPartitions: config.get('transaction.state.log.num.partitions'),
    addRetryBackoffMs: config.get('add.partitions.to.txn.retry.backoff.ms'),
    addRetryBackoffMaxMs: config.get('add.partitions.to.txn.retry.backoff.max.ms'),
    writeTimeoutMs: config.get('request.timeout.ms'),
  };
}
