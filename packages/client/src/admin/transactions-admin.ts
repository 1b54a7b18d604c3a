import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { brokerError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { outcomes, withPlaces, type PartitionFailure } from './offsets-admin.ts';
import { only, type PerItem, byTopic } from './per-item.ts';

/** A transactional id in a list. */
export interface TransactionListing {
  readonly transactionalId: string;
  readonly producerId: number;
  /** `Ongoing`, `PrepareCommit`, `CompleteAbort`, `Empty`, ... */
  readonly state: string;
}

/** A transactional id as its coordinator knows it. */
export interface TransactionDescription extends TransactionListing {
  /** Node id. */
  readonly coordinator: number;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  /** Since the epoch; undefined when none is open. */
  readonly startTimeMs: number | undefined;
  readonly partitions: readonly TopicPartition[];
}

/** Only transactions to which all of these apply. */
export interface ListTransactionsOptions extends CallLimits {
  readonly states?: readonly string[];
  readonly producerIds?: readonly number[];
  /** Open for longer than this (KIP-994). */
  readonly durationMs?: number;
  /** RE2 expression that the whole id matches (KIP-1152). */
  readonly transactionalIdPattern?: string;
}

/** A producer that wrote to a partition. */
export interface ProducerState {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestampMs: number;
  readonly coordinatorEpoch: number | undefined;
  /** First offset of its open transaction; undefined when none is open. */
  readonly currentTransactionStartOffset: number | undefined;
}

/** The producers that a partition remembers. */
export type PartitionProducers = TopicPartition & {
  readonly producers: readonly ProducerState[];
  readonly error: null;
};

/** Transactions and the producers behind them. */
export class TransactionsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Transactions that the brokers coordinate. Throws the error of the first broker that fails. */
  async list(options: ListTransactionsOptions = {}): Promise<TransactionListing[]> {
    const { brokers } = await this.#requests.cluster.refreshMetadata({}, options);
    const body = {
      stateFilters: options.states ?? [],
      producerIdFilters: options.producerIds ?? [],
      ...(options.durationMs !== undefined && { durationFilter: options.durationMs }),
      ...(options.transactionalIdPattern !== undefined && {
        transactionalIdPattern: options.transactionalIdPattern,
      }),
    };
    const lists = await Promise.all(
      [...brokers.keys()].map((nodeId) =>
        this.#requests.ask(nodeId, { api: apis.listTransactions, body }, options, (answer) => {
          throwIfError(answer.errorCode, null, `transactions of broker ${nodeId}`);
          return answer.transactionStates.map(({ transactionalId, producerId, transactionState }) => ({
            transactionalId,
            producerId,
            state: transactionState,
          }));
        }),
      ),
    );
    return lists.flat();
  }

  /** Describes a transaction. Throws TRANSACTIONAL_ID_NOT_FOUND. */
  describe(transactionalId: string, options?: CallLimits): Promise<TransactionDescription>;
  /** Describes several, each with an outcome of its own. */
  describe(
    transactionalIds: readonly string[],
    options?: CallLimits,
  ): Promise<PerItem<TransactionDescription>>;
  async describe(
    transactionalIds: string | readonly string[],
    options: CallLimits = {},
  ): Promise<TransactionDescription | PerItem<TransactionDescription>> {
    const ids = typeof transactionalIds === 'string' ? [transactionalIds] : transactionalIds;
    const limits = { ...options, what: 'Describing transactions' };
    const results = await this.#requests.toCoordinators<TransactionDescription>(
      'transaction',
      ids,
      limits,
      async (nodeId, group, attempt) => {
        const body = { transactionalIds: group };
        const answer = await this.#requests.send(nodeId, { api: apis.describeTransactions, body }, attempt);
        return answer.transactionStates.map((each) => [
          each.transactionalId,
          each.errorCode === ErrorCodes.NONE
            ? {
                transactionalId: each.transactionalId,
                coordinator: nodeId,
                producerId: each.producerId,
                producerEpoch: each.producerEpoch,
                state: each.transactionState,
                timeoutMs: each.transactionTimeoutMs,
                startTimeMs: each.transactionStartTimeMs < 0 ? undefined : each.transactionStartTimeMs,
                partitions: each.topics.flatMap(({ topic, partitions }) =>
                  partitions.map((partition) => ({ topic, partition })),
                ),
              }
            : brokerError(each.errorCode, null, `transactional id "${each.transactionalId}"`),
        ]);
      },
    );
    return typeof transactionalIds === 'string' ? only(results) : results;
  }

  /** Aborts a transaction that hangs in a partition, as `describeProducers` shows it: writes the abort marker. */
  async abort(
    transaction: TopicPartition & {
      readonly producerId: number;
      readonly producerEpoch: number;
      /** -1 when the broker did not say. */
      readonly coordinatorEpoch: number;
    },
    options: CallLimits = {},
  ): Promise<void> {
    const { topic, partition, producerId, producerEpoch, coordinatorEpoch } = transaction;
    const body = {
      markers: [
        {
          producerId,
          producerEpoch,
          coordinatorEpoch: Math.max(0, coordinatorEpoch),
          transactionResult: false,
          topics: [{ name: topic, partitionIndexes: [partition] }],
        },
      ],
    };
    const results = await this.#requests.toLeaders(
      'Aborting a transaction',
      [transaction],
      options,
      async (nodeId, group, attempt) => {
        const answer = await this.#requests.send(nodeId, { api: apis.writeTxnMarkers, body }, attempt);
        const topics = answer.markers.flatMap((marker) => marker.topics);
        return outcomes(group, topics, ({ errorCode }, what): undefined | KafkaError =>
          errorOf(errorCode, null, what),
        );
      },
    );
    only(results);
  }

  /**
   * Fences producers: whoever writes with these transactional ids now can no longer; open transactions are aborted.
   * Each with an outcome of its own: the new producer id and epoch.
   */
  fenceProducers(
    transactionalIds: readonly string[],
    options: CallLimits = {},
  ): Promise<PerItem<{ readonly producerId: number; readonly producerEpoch: number }>> {
    const limits = { ...options, what: 'Fencing producers', oneByOne: true };
    return this.#requests.toCoordinators(
      'transaction',
      transactionalIds,
      limits,
      async (nodeId, [id], attempt) => {
        // As Kafka's Admin does: a timeout so short that the transaction it may open does not stay.
        const body = { transactionalId: id!, transactionTimeoutMs: 1 };
        const answer = await this.#requests.send(nodeId, { api: apis.initProducerId, body }, attempt);
        const { errorCode, producerId, producerEpoch } = answer;
        if (errorCode !== ErrorCodes.NONE)
          return [[id!, brokerError(errorCode, null, `transactional id "${id}"`)]];
        return [[id!, { producerId, producerEpoch }]];
      },
    );
  }

  /** Ends an open transaction of an id whose producer is gone for good (KIP-939), by fencing it. */
  async forceTerminate(transactionalId: string, options: CallLimits = {}): Promise<void> {
    only(await this.fenceProducers([transactionalId], options));
  }

  /** Producers that are active in partitions: what a hanging transaction is found by. Partitions that fail carry their error. */
  async describeProducers(
    partitions: readonly TopicPartition[],
    options: CallLimits = {},
  ): Promise<(PartitionProducers | PartitionFailure)[]> {
    const results = await this.#requests.toLeaders(
      'Describing producers',
      partitions,
      options,
      async (nodeId, group, attempt) => {
        const topics = byTopic(group, (name, members) => ({
          name,
          partitionIndexes: members.map(({ partition }) => partition),
        }));
        const answer = await this.#requests.send(
          nodeId,
          { api: apis.describeProducers, body: { topics } },
          attempt,
        );
        return outcomes(group, answer.topics, (each, what) => {
          if (each.errorCode !== ErrorCodes.NONE) return brokerError(each.errorCode, each.errorMessage, what);
          return { producers: each.activeProducers.map(producerOf), error: null };
        });
      },
    );
    return withPlaces(results);
  }
}

function producerOf(producer: {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly lastSequence: number;
  readonly lastTimestamp: number;
  readonly coordinatorEpoch: number;
  readonly currentTxnStartOffset: number;
}): ProducerState {
  return {
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    lastSequence: producer.lastSequence,
    lastTimestampMs: producer.lastTimestamp,
    coordinatorEpoch: producer.coordinatorEpoch < 0 ? undefined : producer.coordinatorEpoch,
    currentTransactionStartOffset:
      producer.currentTxnStartOffset < 0 ? undefined : producer.currentTxnStartOffset,
  };
}
