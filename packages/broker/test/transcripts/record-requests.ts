import { ApiKeys, type BatchInput, encodeBatch } from '@ottla/protocol';
import type { TranscriptRequest } from './topic-requests.ts';

const { CreateTopics, Produce, Fetch, ListOffsets, OffsetForLeaderEpoch } = ApiKeys;
const { DeleteRecords, InitProducerId, SaslHandshake, DescribeLogDirs } = ApiKeys;

/** Fixed, so that answers with times are the same in every run. */
const TIMESTAMP = 1_700_000_000_000;
const UNKNOWN_ID = 'abcdefghijklmnopqrstuQ';

function batch(options: Partial<BatchInput> = {}, count = 1): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`value ${index}`),
    timestamp: TIMESTAMP + index,
    headers: [],
  }));
  return encodeBatch({ records, ...options });
}

function damaged(records: Buffer): Buffer {
  const copy = Buffer.from(records);
  copy[17]! ^= 1;
  return copy;
}

function withMagic(magic: number): Buffer {
  const copy = batch();
  copy[16] = magic;
  return copy;
}

interface ProduceOptions {
  readonly version?: number;
  readonly acks?: number;
  readonly topic?: string;
  readonly partition?: number;
  readonly transactionalId?: string;
  readonly timeoutMs?: number;
}

function produce(records: Buffer | null, options: ProduceOptions = {}): TranscriptRequest {
  const { version = 9, acks = -1, topic = 't', partition = 0, transactionalId = null } = options;
  const { timeoutMs = 5000 } = options;
  const name = version >= 13 ? { topicId: topic } : { name: topic };
  const topicData = [{ ...name, partitionData: [{ index: partition, records }] }];
  return { apiKey: Produce, version, body: { transactionalId, acks, timeoutMs, topicData } };
}

function fetch(
  partition: object,
  options: { version?: number; topic?: string } & Record<string, unknown> = {},
): TranscriptRequest {
  const { version = 12, topic = 't', ...fields } = options;
  const name = version >= 13 ? { topicId: topic } : { topic };
  const topics = [
    { ...name, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000, ...partition }] },
  ];
  return { apiKey: Fetch, version, body: { maxWaitMs: 0, minBytes: 1, topics, ...fields } };
}

function listOffsets(version: number, timestamp: number, partition: object = {}): TranscriptRequest {
  const partitions = [{ partitionIndex: 0, timestamp, ...partition }];
  return { apiKey: ListOffsets, version, body: { replicaId: -1, topics: [{ name: 't', partitions }] } };
}

/** The topic once for each list of partitions. */
function listOffsetsOf(...lists: readonly (readonly number[])[]): TranscriptRequest {
  const topics = lists.map((partitions) => ({
    name: 't',
    partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: -1 })),
  }));
  return { apiKey: ListOffsets, version: 11, body: { replicaId: -1, topics } };
}

function epochEnd(version: number, partition: object): TranscriptRequest {
  const partitions = [{ partition: 0, leaderEpoch: 0, ...partition }];
  return { apiKey: OffsetForLeaderEpoch, version, body: { topics: [{ topic: 't', partitions }] } };
}

function deleteRecords(
  offset: number,
  fields: { topic?: string; partition?: number; version?: number } = {},
): TranscriptRequest {
  const { topic = 't', partition = 0, version = 2 } = fields;
  const topics = [{ name: topic, partitions: [{ partitionIndex: partition, offset }] }];
  return { apiKey: DeleteRecords, version, body: { topics, timeoutMs: 5000 } };
}

function createTopic(name: string, configs: Readonly<Record<string, string>> = {}): TranscriptRequest {
  const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }));
  const topics = [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: list }];
  return { apiKey: CreateTopics, version: 7, body: { topics, timeoutMs: 10_000 } };
}

function produceRequests(): TranscriptRequest[] {
  const idempotent = (baseSequence: number, producerEpoch = 0): Partial<BatchInput> => ({
    producerId: 5,
    producerEpoch,
    baseSequence,
  });
  return [
    ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((version) => produce(batch({}, version), { version })),
    produce(batch(), { version: 13, topic: '$id:t' }),
    produce(batch(), { version: 13, topic: UNKNOWN_ID }),
    produce(batch(), { acks: 1, partition: 1 }),
    produce(batch(), { acks: 5 }),
    produce(batch(), { topic: 'absent' }),
    produce(batch(), { partition: 7 }),
    produce(Buffer.alloc(0)),
    produce(Buffer.alloc(61)),
    produce(batch().subarray(0, 40)),
    produce(Buffer.concat([batch(), batch()])),
    produce(Buffer.concat([batch(), Buffer.alloc(5)])),
    produce(damaged(batch())),
    ...[0, 1, 3].map((magic) => produce(withMagic(magic))),
    produce(batch({ isControl: true })),
    produce(batch({ compression: 'gzip' }, 20)),
    produce(batch({ compression: 'zstd' }, 20), { version: 6 }),
    produce(batch(idempotent(0), 3)),
    produce(batch(idempotent(0), 3)),
    produce(batch(idempotent(3), 2)),
    produce(batch(idempotent(9))),
    produce(batch(idempotent(5, 1))),
    produce(batch(idempotent(0, 1))),
    produce(batch(idempotent(5, 0))),
    produce(batch({ ...idempotent(1, 1), isTransactional: true })),
    produce(batch({ ...idempotent(0), producerId: 6, isTransactional: true }), { transactionalId: 'x' }),
    produce(batch({}, 200), { topic: 'small' }),
    produce(batch(), { topic: 'compacted' }),
    produce(batch({}, 2), { topic: 'appended', version: 3, acks: 1 }),
  ];
}

function fetchRequests(): TranscriptRequest[] {
  return [
    ...[4, 5, 6, 7, 8, 9, 10, 11, 12].map((version) => fetch({}, { version })),
    ...[13, 14, 15, 16, 17, 18].map((version) => fetch({}, { version, topic: '$id:t' })),
    fetch({}, { version: 13, topic: UNKNOWN_ID }),
    fetch({ partitionMaxBytes: 1 }),
    fetch({ partitionMaxBytes: 0 }),
    fetch({ fetchOffset: 4 }),
    fetch({ fetchOffset: 99_999 }),
    fetch({ fetchOffset: -1 }),
    fetch({ partition: 7 }),
    fetch({}, { topic: 'absent' }),
    fetch({}, { isolationLevel: 1 }),
    fetch({}, { maxBytes: 1 }),
    fetch({ currentLeaderEpoch: 0 }),
    fetch({ currentLeaderEpoch: 9 }),
    fetch({ currentLeaderEpoch: -2 }),
    fetch({ fetchOffset: 4, lastFetchedEpoch: 0 }),
    fetch({ fetchOffset: 4, lastFetchedEpoch: 3 }),
    fetch({}, { replicaId: 3 }),
    fetch({ currentLeaderEpoch: 0 }, { replicaId: 3 }),
    fetch({}, { sessionId: 77, sessionEpoch: 5 }),
    fetch({}, { sessionId: 77, sessionEpoch: -1 }),
  ];
}

function offsetRequests(): TranscriptRequest[] {
  const versions = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];
  return [
    ...versions.map((version) => listOffsets(version, -1)),
    ...versions.flatMap((version) =>
      [-2, -3, -4, -5, -6, -7].map((timestamp) => listOffsets(version, timestamp)),
    ),
    ...[0, TIMESTAMP, TIMESTAMP + 2, TIMESTAMP + 11, TIMESTAMP + 1000].map((timestamp) =>
      listOffsets(11, timestamp),
    ),
    ...[-1, -2, -3, TIMESTAMP].map((timestamp) => listOffsets(11, timestamp, { partitionIndex: 1 })),
    listOffsets(11, -1, { currentLeaderEpoch: 0 }),
    listOffsets(11, -1, { currentLeaderEpoch: 9 }),
    listOffsets(11, -1, { currentLeaderEpoch: -2 }),
    listOffsets(11, -1, { partitionIndex: 7 }),
    ...[2, 3, 4].map((version) => epochEnd(version, {})),
    epochEnd(4, { leaderEpoch: 5 }),
    epochEnd(4, { leaderEpoch: -1 }),
    epochEnd(4, { currentLeaderEpoch: 9 }),
    epochEnd(4, { partition: 7 }),
  ];
}

/** What clients do with records, in an order in which each answer depends only on what came before. */
export const RECORD_REQUESTS: readonly TranscriptRequest[] = [
  createTopic('t'),
  createTopic('small', { 'max.message.bytes': '500' }),
  createTopic('compacted', { 'cleanup.policy': 'compact' }),
  createTopic('kept', { 'cleanup.policy': '' }),
  createTopic('appended', { 'min.insync.replicas': '2' }),
  ...produceRequests(),
  ...fetchRequests(),
  ...offsetRequests(),
  ...[0, 1, 2].map((version) => deleteRecords(version + 2, { version })),
  deleteRecords(99_999),
  deleteRecords(-2),
  deleteRecords(0, { topic: 'absent' }),
  deleteRecords(0, { topic: 'compacted' }),
  deleteRecords(0, { topic: 'kept' }),
  deleteRecords(0, { partition: 7 }),
  fetch({ fetchOffset: 1 }),
  listOffsets(11, -2),
  deleteRecords(-1),
  listOffsets(11, -2),
  { apiKey: InitProducerId, version: 5, body: { transactionalId: '', transactionTimeoutMs: 1000 } },
  {
    apiKey: InitProducerId,
    version: 5,
    body: { transactionalId: null, transactionTimeoutMs: 1000, producerId: 5 },
  },
  ...[0, 1].map((version) => ({ apiKey: SaslHandshake, version, body: { mechanism: 'PLAIN' } })),
  { apiKey: DescribeLogDirs, version: 1, body: { topics: [{ topic: 't', partitions: [0] }] } },
  listOffsetsOf([0], [1, 0]),
  listOffsetsOf([1, 1, 0]),
  // The time-out bounds the wait for other replicas: one broker answers that the records are there.
  ...[0, -1, 1].map((timeoutMs) => produce(batch(), { timeoutMs })),
  // What acks=1 has acknowledged is there for whoever asks next.
  produce(batch(), { acks: 1 }),
  listOffsets(11, -1),
  produce(batch(), { acks: 1 }),
  fetch({ fetchOffset: 107 }, { maxWaitMs: 5000 }),
];
