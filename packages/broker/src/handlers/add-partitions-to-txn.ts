import {
  type AddPartitionsToTxnRequest,
  addPartitionsToTxnRequest,
  type AddPartitionsToTxnResponse,
  addPartitionsToTxnResponse,
  ApiKeys,
  ErrorCodes,
} from '@ottla/protocol';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import { EPOCH_BUMP_VERSION } from '../coordinator/transaction/transaction-state.ts';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import type { TopicPartition } from '../replica/append.ts';
import type { ApiHandler } from './handler.ts';
import { fencedErrorFor } from './transaction-errors.ts';
import { isInternalTopic } from '../controller/topic-names.ts';

type Transaction = AddPartitionsToTxnRequest['transactions'][number];
type Topics = Transaction['topics'];
type TopicResults = AddPartitionsToTxnResponse['resultsByTopicV3AndBelow'];

/** The first versions whose clients know PRODUCER_FENCED, and that brokers send in the name of several clients. */
const FENCED_VERSION = 2;
const BATCHED_VERSION = 4;

/**
 * AddPartitionsToTxn 0 to 5. Up to 3 a client adds partitions to its one transaction (2: PRODUCER_FENCED). 4 and 5 are the
 * brokers' own form (KIP-890): several transactions at once, each with partitions to add or only to be verified.
 */
export function addPartitionsToTxnHandler(deps: {
  readonly transactions: TransactionCoordinator;
  readonly metadata: MetadataStore;
}): ApiHandler<AddPartitionsToTxnRequest, AddPartitionsToTxnResponse> {
  return {
    apiKey: ApiKeys.AddPartitionsToTxn,
    minVersion: 0,
    maxVersion: 5,
    request: addPartitionsToTxnRequest,
    response: addPartitionsToTxnResponse,

    async handle(request, { apiVersion }) {
      const results = transactionsOf(request, apiVersion).map(async (transaction) => ({
        transactionalId: transaction.transactionalId,
        topicResults: await handleOne(transaction, apiVersion),
      }));
      return respond(await Promise.all(results), apiVersion);
    },

    errorResponse(request, errorCode, { apiVersion }) {
      const results = transactionsOf(request, apiVersion).map(({ transactionalId, topics }) => ({
        transactionalId,
        topicResults: everywhere(topics, errorCode),
      }));
      return apiVersion >= BATCHED_VERSION
        ? { ...respond([], apiVersion), errorCode }
        : respond(results, apiVersion);
    },
  };

  async function handleOne(transaction: Transaction, apiVersion: number): Promise<TopicResults> {
    const { topics, verifyOnly, transactionalId, producerId, producerEpoch } = transaction;
    const refused = refusedPartitions(topics, deps.metadata.current(), apiVersion < BATCHED_VERSION);
    if (refused !== null) return refused;
    const producer = { transactionalId, producerId, producerEpoch, partitions: partitionsOf(topics) };
    try {
      if (verifyOnly) {
        const codes = deps.transactions.verifyPartitions(producer);
        let next = 0;
        return resultsOf(topics, () => codes[next++] ?? ErrorCodes.NONE);
      }
      const clientVersion = apiVersion >= BATCHED_VERSION ? EPOCH_BUMP_VERSION : 0;
      await deps.transactions.addPartitions({ ...producer, clientVersion });
      return everywhere(topics, ErrorCodes.NONE);
    } catch (failure) {
      return everywhere(topics, fencedErrorFor(errorCodeOf(failure), apiVersion >= FENCED_VERSION));
    }
  }
}

function transactionsOf(request: AddPartitionsToTxnRequest, apiVersion: number): readonly Transaction[] {
  if (apiVersion >= BATCHED_VERSION) return request.transactions;
  return [
    {
      transactionalId: request.v3AndBelowTransactionalId,
      producerId: request.v3AndBelowProducerId,
      producerEpoch: request.v3AndBelowProducerEpoch,
      verifyOnly: false,
      topics: request.v3AndBelowTopics,
    },
  ];
}

/**
 * One partition that does not exist keeps the others out, too, and so does one of the coordinators' topics when a client
 * asks: only coordinators write there. Null when nothing is refused.
 */
function refusedPartitions(topics: Topics, image: MetadataImage, isClient: boolean): TopicResults | null {
  const errorOf = ({ topic, partition }: TopicPartition): number => {
    if (isClient && isInternalTopic(topic)) return ErrorCodes.TOPIC_AUTHORIZATION_FAILED;
    const exists = image.topics.byName.get(topic)?.partitions[partition] !== undefined;
    return exists ? ErrorCodes.NONE : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  };
  if (partitionsOf(topics).every((partition) => errorOf(partition) === ErrorCodes.NONE)) return null;
  return resultsOf(topics, (partition) => {
    const errorCode = errorOf(partition);
    return errorCode === ErrorCodes.NONE ? ErrorCodes.OPERATION_NOT_ATTEMPTED : errorCode;
  });
}

function partitionsOf(topics: Topics): TopicPartition[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => ({ topic: name, partition })),
  );
}

function everywhere(topics: Topics, errorCode: number): TopicResults {
  return resultsOf(topics, () => errorCode);
}

function resultsOf(topics: Topics, codeOf: (partition: TopicPartition) => number): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map((partition) => ({
      partitionIndex: partition,
      partitionErrorCode: codeOf({ topic: name, partition }),
    })),
  }));
}

function respond(
  results: AddPartitionsToTxnResponse['resultsByTransaction'],
  apiVersion: number,
): AddPartitionsToTxnResponse {
  const isBatched = apiVersion >= BATCHED_VERSION;
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCodes.NONE,
    resultsByTransaction: isBatched ? results : [],
    resultsByTopicV3AndBelow: isBatched ? [] : (results[0]?.topicResults ?? []),
  };
}
