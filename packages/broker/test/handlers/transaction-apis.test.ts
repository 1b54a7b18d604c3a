import {
  ApiKeys,
  decodeCoordinatorValue,
  decodeMessage,
  decodeRecords,
  type DecodedRecord,
  readBatchSummary,
  transactionLogKey,
  transactionLogValue,
} from '@ottla/protocol';
import { TRANSACTION_REQUESTS } from '../transcripts/transaction-requests.ts';
import { isBufferJson, transcriptSuite } from '../transcripts/transcript-suite.ts';

/** Fields that hold the time of the run. */
const TIMES = new Set(['transactionStartTimeMs', 'lastTimestamp']);

/** Lists that Kafka gives in the order of its hash tables, and what their entries are known by. */
const ID_OF = new Map([
  ['resultsByPartition', 'partitionIndex'],
  ['activeProducers', 'producerId'],
]);

function sortedBy(list: readonly unknown[], field: string): unknown[] {
  const idOf = (item: unknown): number => Number((item as Record<string, unknown>)[field]);
  return list.toSorted((left, right) => idOf(left) - idOf(right));
}

/** As JSON, without what differs from run to run. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      if (Array.isArray(value) && ID_OF.has(key)) return sortedBy(value, ID_OF.get(key) as string);
      if (TIMES.has(key) && Number(value) > 0) return 'TIME';
      return isBufferJson(value) ? batchesOf(Buffer.from(value.data)) : value;
    }),
  ) as unknown;
}

/** The batches one by one; markers and the coordinators' records take their times from the clock. */
function batchesOf(records: Buffer): unknown[] {
  const batches: unknown[] = [];
  for (let position = 0; position + 12 <= records.length;) {
    const size = 12 + records.readInt32BE(position + 8);
    if (position + size > records.length) break;
    const { baseOffset, producerId, producerEpoch, baseSequence, isTransactional, isControl } =
      readBatchSummary(records, position);
    batches.push({
      baseOffset,
      producer: [producerId, producerEpoch, baseSequence],
      isTransactional,
      isControl,
      records: decodeRecords(records, position, { maxDecompressedBytes: 1_000_000 }).map(recordOf),
    });
    position += size;
  }
  return batches;
}

function recordOf({ key, value }: DecodedRecord): unknown {
  if (key === null || value === null || key.length < 5) return [key?.toString('hex'), value?.toString('hex')];
  const state = decodeCoordinatorValue(transactionLogValue, value);
  return [
    decodeMessage(transactionLogKey, 0, key, 2).transactionalId,
    value.readInt16BE(0),
    {
      ...state,
      transactionLastUpdateTimestampMs: 'TIME',
      transactionStartTimestampMs: Math.sign(state.transactionStartTimestampMs),
      transactionPartitions: state.transactionPartitions?.map(({ topic, partitionIds }) => ({
        topic,
        partitionIds: partitionIds.toSorted((left, right) => left - right),
      })),
    },
  ];
}

const PAUSES_MS = new Map<number, number>([
  [ApiKeys.CreateTopics, 1000],
  [ApiKeys.FindCoordinator, 1500],
  [ApiKeys.EndTxn, 150],
  [ApiKeys.InitProducerId, 50],
]);

transcriptSuite(
  {
    file: 'transactions-kafka-4.3.1.json',
    requests: TRANSACTION_REQUESTS,
    titleLength: 200,
    pauseAfterMs: ({ apiKey }) => PAUSES_MS.get(apiKey) ?? 0,
    // A coordinator that is not ready, and a transaction whose markers are on their way.
    isTemporary: (response) =>
      /"(errorCode|partitionErrorCode)":(14|15|51)\b|"Prepare/.test(JSON.stringify(response)),
    normalise: normalised,
  },
  { 'transactions are answered as by Kafka 4.3.1': {} },
);
