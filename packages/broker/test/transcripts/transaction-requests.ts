import { ApiKeys, type BatchInput, encodeBatch } from '@ottla/protocol';
import type { TranscriptRequest } from './topic-requests.ts';

const { CreateTopics, FindCoordinator, InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn } = ApiKeys;
const { EndTxn, WriteTxnMarkers, TxnOffsetCommit, OffsetFetch, Produce, Fetch, ListOffsets } = ApiKeys;
const { DescribeProducers, DescribeTransactions, ListTransactions } = ApiKeys;

/** Close to the times of the markers: records of other times would begin new segments. */
const TIMESTAMP = Date.now();
const TIMEOUT_MS = 60_000;

/** A producer as its requests name it. The ids are those of a new cluster, which hands them out from 0 on. */
interface Identity {
  readonly id: string;
  readonly producerId: number;
  readonly epoch: number;
}

function createTopic(name: string): TranscriptRequest {
  const topics = [{ name, numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }];
  return { apiKey: CreateTopics, version: 7, body: { topics, timeoutMs: 10_000 } };
}

function init(
  transactionalId: string | null,
  expected: { producerId?: number; producerEpoch?: number } = {},
  options: { version?: number; timeoutMs?: number } = {},
): TranscriptRequest {
  const { version = 5, timeoutMs = TIMEOUT_MS } = options;
  return {
    apiKey: InitProducerId,
    version,
    body: { transactionalId, transactionTimeoutMs: timeoutMs, ...expected },
  };
}

function addPartitions(
  { id, producerId, epoch }: Identity,
  partitions: readonly number[] = [0],
  options: { version?: number; topic?: string } = {},
): TranscriptRequest {
  const { version = 3, topic = 't' } = options;
  const topics = [{ name: topic, partitions: [...partitions] }];
  return {
    apiKey: AddPartitionsToTxn,
    version,
    body: {
      v3AndBelowTransactionalId: id,
      v3AndBelowProducerId: producerId,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: topics,
    },
  };
}

/** The broker's own form of AddPartitionsToTxn. */
function batchedAdd(
  producers: readonly Identity[],
  options: { version?: number; verifyOnly?: boolean; partitions?: readonly number[]; topic?: string } = {},
): TranscriptRequest {
  const { version = 5, verifyOnly = false, partitions = [0], topic = 't' } = options;
  const transactions = producers.map(({ id, producerId, epoch }) => ({
    transactionalId: id,
    producerId,
    producerEpoch: epoch,
    verifyOnly,
    topics: [{ name: topic, partitions: [...partitions] }],
  }));
  return { apiKey: AddPartitionsToTxn, version, body: { transactions } };
}

function endTxn({ id, producerId, epoch }: Identity, committed: boolean, version = 4): TranscriptRequest {
  return {
    apiKey: EndTxn,
    version,
    body: { transactionalId: id, producerId, producerEpoch: epoch, committed },
  };
}

function batch(options: Partial<BatchInput> = {}, count = 1): Buffer {
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`value ${index}`),
    timestamp: TIMESTAMP + index,
    headers: [],
  }));
  return encodeBatch({ records, ...options });
}

function produce(
  { id, producerId, epoch }: Identity,
  baseSequence: number,
  options: { version?: number; partition?: number; isControl?: boolean; isTransactional?: boolean } = {},
): TranscriptRequest {
  const { version = 11, partition = 0, isControl = false, isTransactional = true } = options;
  const records = batch({ producerId, producerEpoch: epoch, baseSequence, isTransactional, isControl });
  const topicData = [{ name: 't', partitionData: [{ index: partition, records }] }];
  return { apiKey: Produce, version, body: { transactionalId: id, acks: -1, timeoutMs: 5000, topicData } };
}

function addOffsets({ id, producerId, epoch }: Identity, groupId: string, version = 3): TranscriptRequest {
  return {
    apiKey: AddOffsetsToTxn,
    version,
    body: { transactionalId: id, producerId, producerEpoch: epoch, groupId },
  };
}

function commitOffset(
  { id, producerId, epoch }: Identity,
  groupId: string,
  options: { version?: number; topic?: string; partition?: number; offset?: number } & Record<
    string,
    unknown
  > = {},
): TranscriptRequest {
  const { version = 4, topic = 't', partition = 0, offset = 5, ...fields } = options;
  const partitions = [
    { partitionIndex: partition, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: 'm' },
  ];
  return {
    apiKey: TxnOffsetCommit,
    version,
    body: {
      transactionalId: id,
      groupId,
      producerId,
      producerEpoch: epoch,
      topics: [{ name: topic, partitions }],
      ...fields,
    },
  };
}

function fetchOffset(groupId: string, requireStable: boolean): TranscriptRequest {
  const groups = [{ groupId, memberId: null, topics: [{ name: 't', partitionIndexes: [0, 1] }] }];
  return { apiKey: OffsetFetch, version: 9, body: { groups, requireStable } };
}

function fetch(
  isolationLevel: number,
  fields: { partition?: number; fetchOffset?: number } = {},
): TranscriptRequest {
  const { partition = 0, fetchOffset = 0 } = fields;
  const topics = [{ topic: 't', partitions: [{ partition, fetchOffset, partitionMaxBytes: 100_000 }] }];
  return { apiKey: Fetch, version: 12, body: { maxWaitMs: 0, minBytes: 1, isolationLevel, topics } };
}

function end(isolationLevel: number, partition = 0): TranscriptRequest {
  const topics = [{ name: 't', partitions: [{ partitionIndex: partition, timestamp: -1 }] }];
  return { apiKey: ListOffsets, version: 8, body: { replicaId: -1, isolationLevel, topics } };
}

function writeMarkers(
  { producerId, epoch }: Identity,
  options: {
    version?: number;
    commit?: boolean;
    topic?: string;
    partitions?: readonly number[];
    coordinatorEpoch?: number;
    transactionVersion?: number;
  } = {},
): TranscriptRequest {
  const { version = 1, commit = false, topic = 't', partitions = [0], coordinatorEpoch = 0 } = options;
  const marker = {
    producerId,
    producerEpoch: epoch,
    transactionResult: commit,
    topics: [{ name: topic, partitionIndexes: [...partitions] }],
    coordinatorEpoch,
    ...(options.transactionVersion !== undefined && { transactionVersion: options.transactionVersion }),
  };
  return { apiKey: WriteTxnMarkers, version, body: { markers: [marker] } };
}

function producers(topic: string, partitions: readonly number[] = [0, 1]): TranscriptRequest {
  const topics = [{ name: topic, partitionIndexes: [...partitions] }];
  return { apiKey: DescribeProducers, version: 0, body: { topics } };
}

function describeTxns(...transactionalIds: string[]): TranscriptRequest {
  return { apiKey: DescribeTransactions, version: 0, body: { transactionalIds } };
}

function list(version: number, filters: Record<string, unknown> = {}): TranscriptRequest {
  return {
    apiKey: ListTransactions,
    version,
    body: { stateFilters: [], producerIdFilters: [], ...filters },
  };
}

/** What stands in the partition of `__transaction_state` that an id belongs to, from an offset on. */
function stateLog(partition: number): TranscriptRequest {
  const topics = [
    { topic: '__transaction_state', partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 100_000 }] },
  ];
  return { apiKey: Fetch, version: 12, body: { maxWaitMs: 0, minBytes: 1, topics } };
}

const at = (id: string, producerId: number, epoch: number): Identity => ({ id, producerId, epoch });

/** Transactions as clients before KIP-890 run them: partitions and offsets are added first, the epoch stays. */
function version1(): TranscriptRequest[] {
  const a = at('a', 0, 0);
  const stale = at('a', 0, -1);
  const other = at('a', 77, 0);
  return [
    init('a', {}, { timeoutMs: 900_001 }),
    init('a', {}, { timeoutMs: 0 }),
    init('a', {}, { timeoutMs: -1 }),
    init('', {}),
    init('a', { producerId: 5 }),
    init('a'),
    describeTxns('a', 'absent', ''),
    produce(a, 0),
    produce(a, 0, { version: 10 }),
    addPartitions(at('absent', 0, 0)),
    addPartitions(at('', 0, 0)),
    addPartitions(other),
    ...[0, 1, 2, 3].map((version) => addPartitions(stale, [0], { version })),
    addPartitions(a, [0, 7]),
    addPartitions(a, [0], { topic: 'absent' }),
    addPartitions(a, [0, 99], { topic: '__transaction_state' }),
    ...[0, 1, 2, 3].map((version) => addPartitions(a, [0], { version })),
    produce(a, 0),
    produce(a, 1, { version: 3 }),
    produce(a, 0, { partition: 1 }),
    produce(a, 0, { partition: 1, version: 10 }),
    produce(a, 2, { isControl: true }),
    produce(a, 2, { isTransactional: false }),
    describeTxns('a'),
    producers('t'),
    producers('absent'),
    producers('t', [9]),
    ...[0, 1].map((isolation) => fetch(isolation)),
    ...[0, 1].map((isolation) => end(isolation)),
    ...[0, 1, 2].map((version) => list(version)),
    endTxn(other, true),
    endTxn(stale, true),
    endTxn(stale, true, 1),
    endTxn(at('absent', 0, 0), true),
    endTxn(at('', 0, 0), true),
    endTxn(a, true),
    endTxn(a, true),
    endTxn(a, false),
    describeTxns('a'),
    producers('t', [0]),
    ...[0, 1].map((isolation) => fetch(isolation)),
    ...[0, 1].map((isolation) => end(isolation)),
    addPartitions(a, [0, 1]),
    produce(a, 2),
    produce(a, 0, { partition: 1 }),
    fetch(1, { fetchOffset: 2 }),
    endTxn(a, false, 0),
    endTxn(a, true, 0),
    endTxn(a, false, 2),
    endTxn(a, false, 3),
    ...[0, 1].map((partition) => fetch(1, { partition })),
    ...[0, 1].map((partition) => end(1, partition)),
    addPartitions(a),
    produce(a, 3),
    init('a'),
    produce(a, 4),
    endTxn(a, true),
    endTxn(a, true, 1),
    addPartitions(a),
    addPartitions(a, [0], { version: 1 }),
    init('a'),
    describeTxns('a'),
    ...[0, 1].map((isolation) => fetch(isolation)),
    producers('t'),
  ];
}

/** InitProducerId with an expected identity (KIP-360), fencing, and producers that share nothing but the id. */
function expectedIdentities(): TranscriptRequest[] {
  return [
    init('b'),
    init('b', { producerId: 1, producerEpoch: 0 }),
    init('b', { producerId: 1, producerEpoch: 0 }),
    init('b', { producerId: 1, producerEpoch: 1 }),
    init('b', { producerId: 1, producerEpoch: 0 }),
    init('b', { producerId: 1, producerEpoch: 0 }, { version: 3 }),
    init('b', { producerId: 9, producerEpoch: 0 }),
    init('b', { producerId: 1, producerEpoch: 5 }),
    init('c', { producerId: 9, producerEpoch: 4 }),
    init(null),
    ...[0, 1, 2, 3, 4].map((version) => init('b', {}, { version })),
    endTxn(at('b', 1, 7), true),
    endTxn(at('b', 1, 7), false),
    endTxn(at('b', 1, 7), true, 5),
    describeTxns('b'),
    list(0, { producerIdFilters: [1] }),
    list(0, { stateFilters: ['Empty', 'Nonsense'] }),
    list(1, { durationFilter: 100_000 }),
    list(2, { transactionalIdPattern: 'b|c' }),
    list(2, { transactionalIdPattern: '.' }),
    list(2, { transactionalIdPattern: '' }),
    list(2, { transactionalIdPattern: '[' }),
  ];
}

/** Transactions of version 2: the produce request adds the partition, each end raises the epoch. */
function version2(): TranscriptRequest[] {
  const d = (epoch: number): Identity => at('d', 4, epoch);
  return [
    init('d'),
    produce(d(0), 0, { version: 12, partition: 1 }),
    produce(d(0), 1, { version: 12, partition: 1 }),
    describeTxns('d'),
    endTxn(d(0), true, 5),
    endTxn(d(0), true, 5),
    endTxn(d(0), false, 5),
    describeTxns('d'),
    produce(d(0), 2, { version: 12, partition: 1 }),
    produce(d(0), 0, { version: 12, partition: 0 }),
    produce(d(1), 0, { version: 12, partition: 1 }),
    endTxn(d(2), false, 5),
    endTxn(d(1), false, 5),
    endTxn(d(1), false, 5),
    endTxn(d(1), true, 5),
    endTxn(d(2), true, 5),
    endTxn(d(2), false, 5),
    endTxn(d(3), false, 5),
    endTxn(d(3), true, 5),
    describeTxns('d'),
    producers('t', [1]),
    produce(d(4), 0, { version: 12, partition: 1 }),
    init('d', { producerId: 4, producerEpoch: 4 }),
    describeTxns('d'),
    produce(d(4), 1, { version: 12, partition: 1 }),
    produce(d(5), 0, { version: 12, partition: 1 }),
    produce(d(6), 0, { version: 12, partition: 1 }),
    init('d'),
    describeTxns('d'),
    endTxn(d(5), true, 5),
    producers('t', [1]),
    fetch(1, { partition: 1 }),
    fetch(0, { partition: 1 }),
    produce(at('d', 99, 0), 0, { version: 12, partition: 0 }),
    produce(at('absent', 4, 0), 0, { version: 12, partition: 0 }),
    produce(d(7), 0, { version: 12, partition: 7 }),
  ];
}

/** The form in which brokers ask each other. */
function batched(): TranscriptRequest[] {
  const e = at('e', 5, 0);
  return [
    init('e'),
    batchedAdd([e, at('absent', 0, 0)], { verifyOnly: true }),
    batchedAdd([e], { version: 4, verifyOnly: true }),
    batchedAdd([e], { version: 4 }),
    batchedAdd([e], { verifyOnly: true, partitions: [0, 1] }),
    batchedAdd([e], { version: 4, verifyOnly: true, partitions: [0, 1] }),
    batchedAdd([at('e', 5, 3), at('e2', 5, 3)], { verifyOnly: true }),
    batchedAdd([at('e', 6, 0)], { verifyOnly: true }),
    batchedAdd([e], { partitions: [0, 8] }),
    batchedAdd([at('', 0, 0)]),
    batchedAdd([at('', 0, 0)], { verifyOnly: true }),
    endTxn(e, false),
    batchedAdd([e], { verifyOnly: true }),
  ];
}

/** Offsets of consumer groups inside of transactions. */
function offsets(): TranscriptRequest[] {
  const f = at('f', 6, 0);
  const v2 = (epoch: number): Identity => at('g', 7, epoch);
  return [
    init('f'),
    commitOffset(f, 'group'),
    addOffsets(at('f', 6, 3), 'group', 1),
    addOffsets(at('f', 6, 3), 'group'),
    addOffsets(at('f', 9, 0), 'group'),
    addOffsets(at('absent', 6, 0), 'group'),
    ...[0, 1, 2, 3, 4].map((version) => addOffsets(f, 'group', version)),
    ...[0, 1, 2, 3, 4].map((version) => commitOffset(f, 'group', { version, offset: version })),
    commitOffset(f, 'group', { topic: 'absent' }),
    commitOffset(f, 'group', { partition: 9 }),
    commitOffset(f, 'group', { generationIdOrMemberEpoch: 3, memberId: 'x' }),
    commitOffset(f, 'group', { version: 2 }),
    commitOffset(at('f', 6, 3), 'group'),
    commitOffset(f, ''),
    ...[false, true].map((requireStable) => fetchOffset('group', requireStable)),
    describeTxns('f'),
    endTxn(f, true),
    describeTxns('f'),
    ...[false, true].map((requireStable) => fetchOffset('group', requireStable)),
    commitOffset(f, 'group', { offset: 9 }),
    addOffsets(f, 'group'),
    commitOffset(f, 'group', { offset: 8 }),
    endTxn(f, false),
    describeTxns('f'),
    ...[false, true].map((requireStable) => fetchOffset('group', requireStable)),
    init('g'),
    commitOffset(v2(0), 'group2', { version: 5, offset: 11 }),
    fetchOffset('group2', true),
    endTxn(v2(0), true, 5),
    describeTxns('g'),
    fetchOffset('group2', true),
    commitOffset(v2(0), 'group2', { version: 5, offset: 12 }),
    commitOffset(v2(1), 'group2', { version: 5, offset: 13 }),
    endTxn(v2(1), false, 5),
    describeTxns('g'),
    fetchOffset('group2', true),
  ];
}

/** Markers written by an administrator, as for a transaction that hangs. */
function markers(): TranscriptRequest[] {
  const h = at('h', 8, 0);
  return [
    init('h'),
    addPartitions(h),
    produce(h, 0),
    end(1),
    writeMarkers(h, { version: 2, transactionVersion: 2 }),
    end(1),
    writeMarkers(h, { topic: 'absent' }),
    writeMarkers(h, { partitions: [0, 9] }),
    end(1),
    producers('t', [0]),
    writeMarkers(at('h', 8, -1)),
    writeMarkers(at('h', 8, 3), { version: 2, transactionVersion: 2 }),
    writeMarkers(at('h', 8, 3), { version: 2, transactionVersion: 2 }),
    writeMarkers(at('h', 8, 3), { version: 2, transactionVersion: 0 }),
    writeMarkers(at('h', 8, 2), { version: 2, transactionVersion: 2 }),
    end(0),
    writeMarkers(at('x', 4711, 0), { commit: true }),
    { apiKey: WriteTxnMarkers, version: 1, body: { markers: [] } },
    writeMarkers(at('h', 8, 4), { coordinatorEpoch: -1 }),
    producers('t', [0]),
  ];
}

/** Transactions from all sides, in an order in which each answer depends only on what came before. */
export const TRANSACTION_REQUESTS: readonly TranscriptRequest[] = [
  createTopic('t'),
  ...[0, 1, 2, 3].map((version) => ({
    apiKey: FindCoordinator,
    version,
    body: { key: 'a', keyType: 0 },
  })),
  ...[1, 2, 3].map((version) => ({ apiKey: FindCoordinator, version, body: { key: 'a', keyType: 1 } })),
  ...[4, 5, 6].map((version) => ({
    apiKey: FindCoordinator,
    version,
    body: { coordinatorKeys: ['a', 'b', ''], keyType: 1 },
  })),
  ...version1(),
  ...expectedIdentities(),
  ...version2(),
  ...batched(),
  ...offsets(),
  ...markers(),
  ...[47, 48, 49, 0, 1, 2, 3].map(stateLog),
];
