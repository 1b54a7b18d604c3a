import {
  coordinatorRecordType,
  decodeCoordinatorValue,
  decodeMessage,
  encodeCoordinatorKey,
  encodeCoordinatorValue,
  transactionLogKey,
  transactionLogValue,
  type TransactionLogValue,
} from '@ottla/protocol';
import type { RecordSerde } from '../runtime/state-machine.ts';
import {
  NO_PRODUCER_EPOCH,
  TransactionState,
  type PartitionSet,
  type TransactionMetadata,
  type TransactionStateId,
} from './transaction-state.ts';

/** A record of `__transaction_state`; null: the transactional id is gone. */
export interface TransactionRecord {
  readonly transactionalId: string;
  readonly metadata: TransactionMetadata | null;
}

/** The value version of the feature level: with version 0 of transactions the records have no tagged fields. */
const FLEXIBLE_VERSION = 1;

/** Keys and values of `__transaction_state` as Kafka writes them at a level of the feature `transaction.version`. */
export function transactionRecordSerde(transactionVersion: () => number): RecordSerde<TransactionRecord> {
  return {
    encode({ transactionalId, metadata }) {
      const version = transactionVersion() >= FLEXIBLE_VERSION ? FLEXIBLE_VERSION : 0;
      return {
        key: encodeCoordinatorKey(transactionLogKey, { transactionalId }),
        value:
          metadata === null ? null : encodeCoordinatorValue(transactionLogValue, version, toValue(metadata)),
      };
    },

    decode(key, value) {
      if (coordinatorRecordType(key) !== transactionLogKey.apiKey) return null;
      const { transactionalId } = decodeMessage(transactionLogKey, 0, key, 2);
      if (value === null) return { transactionalId, metadata: null };
      const decoded = decodeCoordinatorValue(transactionLogValue, value);
      return { transactionalId, metadata: toMetadata(transactionalId, decoded) };
    },
  };
}

function toValue(metadata: TransactionMetadata): TransactionLogValue {
  return {
    producerId: metadata.producerId,
    previousProducerId: metadata.previousProducerId,
    nextProducerId: metadata.nextProducerId,
    producerEpoch: metadata.producerEpoch,
    nextProducerEpoch: NO_PRODUCER_EPOCH,
    transactionTimeoutMs: metadata.timeoutMs,
    transactionStatus: metadata.state,
    transactionPartitions:
      metadata.state === TransactionState.empty
        ? null
        : Array.from(metadata.partitions, ([topic, ids]) => ({ topic, partitionIds: [...ids] })),
    transactionLastUpdateTimestampMs: metadata.lastUpdateTimestampMs,
    transactionStartTimestampMs: metadata.startTimestampMs,
    clientTransactionVersion: metadata.clientVersion,
  };
}

function toMetadata(transactionalId: string, value: TransactionLogValue): TransactionMetadata {
  const partitions: PartitionSet = new Map(
    (value.transactionPartitions ?? []).map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]),
  );
  return {
    transactionalId,
    producerId: value.producerId,
    previousProducerId: value.previousProducerId,
    nextProducerId: value.nextProducerId,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: value.transactionTimeoutMs,
    state: stateOf(transactionalId, value.transactionStatus),
    partitions,
    startTimestampMs: value.transactionStartTimestampMs,
    lastUpdateTimestampMs: value.transactionLastUpdateTimestampMs,
    clientVersion: value.clientTransactionVersion,
  };
}

function stateOf(transactionalId: string, status: number): TransactionStateId {
  if (status >= TransactionState.empty && status <= TransactionState.completeAbort)
    return status as TransactionStateId;
  throw new Error(
    `The record of transactional id "${transactionalId}" has the unknown state "${status}"; known are 0 to 5`,
  );
}
