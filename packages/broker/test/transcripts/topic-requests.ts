import { ApiKeys } from '@ottla/protocol';

/** One request of the transcript: API, version, body with defaults left out; `$id:NAME` stands for a topic's id. */
export interface TranscriptRequest {
  readonly apiKey: number;
  readonly version: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const { Metadata, CreateTopics, DeleteTopics, CreatePartitions, DescribeCluster } = ApiKeys;
const { DescribeTopicPartitions, ListPartitionReassignments } = ApiKeys;

const LONG_NAME = 'n'.repeat(249);

function topic(name: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...fields };
}

function create(version: number, topics: unknown[], validateOnly = false): TranscriptRequest {
  return { apiKey: CreateTopics, version, body: { topics, timeoutMs: 10_000, validateOnly } };
}

function metadata(version: number, names: readonly string[] | null, fields: object = {}): TranscriptRequest {
  const topics = names === null ? null : names.map((name) => ({ name }));
  // Before version 4 a client cannot say that it wants no topic to be created by asking for it.
  const noCreation = version < 4 ? {} : { allowAutoTopicCreation: false };
  return { apiKey: Metadata, version, body: { topics, ...noCreation, ...fields } };
}

function assigned(...brokerIds: number[][]): Record<string, unknown> {
  const assignments = brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids }));
  return { numPartitions: -1, replicationFactor: -1, assignments };
}

function createRequests(): TranscriptRequest[] {
  const config = (name: string, value: string | null): Record<string, unknown> => ({
    configs: [{ name, value }],
  });
  return [
    ...[2, 3, 4, 5, 6, 7].map((version) => create(version, [topic(`v${version}`, { numPartitions: 2 })])),
    create(7, [topic('defaults', { numPartitions: -1, replicationFactor: -1 })]),
    create(7, [topic('dry-run', { numPartitions: 3 })], true),
    create(7, [topic('v7'), topic('fresh'), topic('twice'), topic('twice')]),
    create(7, [topic('__cluster_metadata'), topic('__other_internal')]),
    create(
      7,
      ['', '.', '..', '../x', 'a b', 'ä', `${LONG_NAME}n`, LONG_NAME].map((name) => topic(name)),
    ),
    create(7, [topic('with.dots_and-under')]),
    create(7, [topic('with_dots.and-under'), topic('with.dots_and.under')]),
    create(7, [topic('p.q'), topic('p_q')]),
    create(7, [topic('zero', { numPartitions: 0 }), topic('negative', { numPartitions: -2 })]),
    create(7, [topic('rf0', { replicationFactor: 0 }), topic('rf-2', { replicationFactor: -2 })]),
    create(7, [topic('rf3', { replicationFactor: 3 }), topic('rf3-dry', { replicationFactor: 3 })]),
    create(7, [topic('huge', { numPartitions: 10_001 })]),
    create(7, [topic('manual', assigned([1], [1]))]),
    create(7, [topic('manual-both', { ...assigned([1]), numPartitions: 1 })]),
    create(7, [topic('manual-rf', { ...assigned([1]), replicationFactor: 1 })]),
    create(7, [topic('manual-unknown', assigned([7])), topic('manual-twice', assigned([1, 1]))]),
    create(7, [topic('manual-none', assigned([])), topic('manual-mixed', assigned([1], [1, 7]))]),
    create(7, [
      topic('manual-gap', { ...assigned([1]), assignments: [{ partitionIndex: 1, brokerIds: [1] }] }),
    ]),
    create(7, [
      topic('manual-same', {
        ...assigned(),
        assignments: [
          { partitionIndex: 0, brokerIds: [1] },
          { partitionIndex: 0, brokerIds: [1] },
        ],
      }),
    ]),
    create(7, [
      topic('configured', config('retention.ms', '5000')),
      topic('null-config', config('retention.ms', null)),
    ]),
    create(7, [
      topic('bad-config', config('retention.ms', 'soon')),
      topic('odd-config', config('no.such.key', '1')),
    ]),
    create(7, [
      topic('low-config', config('segment.bytes', '1')),
      topic('policy', config('cleanup.policy', 'keep')),
    ]),
    create(4, [topic('v4-defaults', { numPartitions: -1, replicationFactor: -1 })]),
    create(7, []),
  ];
}

function metadataRequests(): TranscriptRequest[] {
  const versions = Array.from({ length: 14 }, (_, version) => version);
  return [
    metadata(13, null),
    ...versions.map((version) =>
      metadata(version, ['v7', 'manual', 'a b', ...(version < 4 ? [] : ['missing'])]),
    ),
    ...[1, 4, 9, 13].map((version) => metadata(version, [])),
    metadata(9, ['v7', 'v7']),
    metadata(8, ['v7'], { includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }),
    metadata(10, ['v7'], {
      includeClusterAuthorizedOperations: true,
      includeTopicAuthorizedOperations: true,
    }),
    metadata(13, ['v7', 'missing'], { includeTopicAuthorizedOperations: true }),
    { apiKey: Metadata, version: 12, body: { topics: [{ topicId: '$id:v7', name: null }] } },
    { apiKey: Metadata, version: 13, body: { topics: [{ topicId: 'AbCdEfGhIjKlMnOpQrStUA', name: null }] } },
    {
      apiKey: Metadata,
      version: 13,
      body: {
        topics: [{ topicId: '$id:v7', name: null }, { topicId: '$id:v6', name: null }, { name: 'v5' }],
      },
    },
    { apiKey: Metadata, version: 11, body: { topics: [{ topicId: '$id:v7', name: null }] } },
    { apiKey: Metadata, version: 10, body: { topics: [{ topicId: '$id:v7', name: 'v7' }] } },
  ];
}

function describeRequests(): TranscriptRequest[] {
  const describe = (
    names: readonly string[],
    limit: number,
    cursor: object | null = null,
  ): TranscriptRequest => ({
    apiKey: DescribeTopicPartitions,
    version: 0,
    body: { topics: names.map((name) => ({ name })), responsePartitionLimit: limit, cursor },
  });
  const cluster = (version: number, fields: object): TranscriptRequest => ({
    apiKey: DescribeCluster,
    version,
    body: { includeClusterAuthorizedOperations: false, ...fields },
  });
  return [
    describe(['v7', 'v6', 'missing', 'a b'], 100),
    describe(['v7', 'v6', 'v5'], 3),
    describe(['v7', 'v6', 'v5'], 3, { topicName: 'v6', partitionIndex: 1 }),
    describe(['v7', 'v6'], 2),
    describe(['v7', 'v6'], 0),
    describe(['v7'], 10, { topicName: 'v7', partitionIndex: 5 }),
    describe(['v7'], 10, { topicName: 'v8', partitionIndex: 0 }),
    describe(['v7'], 10, { topicName: 'v7', partitionIndex: -1 }),
    describe(['v7', 'missing'], 10, { topicName: 'missing', partitionIndex: 0 }),
    ...[0, 1, 2].map((version) => cluster(version, { includeClusterAuthorizedOperations: true })),
    cluster(0, {}),
    cluster(1, { endpointType: 2 }),
    cluster(1, { endpointType: 3 }),
    cluster(2, { includeFencedBrokers: true }),
    { apiKey: ListPartitionReassignments, version: 0, body: { topics: null, timeoutMs: 1000 } },
    {
      apiKey: ListPartitionReassignments,
      version: 0,
      body: {
        topics: [
          { name: 'v7', partitionIndexes: [0, 9] },
          { name: 'missing', partitionIndexes: [0] },
        ],
      },
    },
  ];
}

function partitionRequests(): TranscriptRequest[] {
  const grow = (version: number, topics: unknown[], validateOnly = false): TranscriptRequest => ({
    apiKey: CreatePartitions,
    version,
    body: { topics, timeoutMs: 10_000, validateOnly },
  });
  const to = (name: string, count: number, assignments: number[][] | null = null): object => ({
    name,
    count,
    assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
  });
  return [
    ...[0, 1, 2, 3].map((version) => grow(version, [to('v7', version + 3)])),
    grow(3, [to('v7', 6)]),
    grow(3, [to('v7', 5)]),
    grow(3, [to('v7', 0)]),
    grow(3, [to('v7', -1)]),
    grow(3, [to('missing', 3)]),
    grow(3, [to('v6', 9)], true),
    grow(3, [to('v6', 3), to('v6', 4), to('v5', 3)]),
    grow(3, [to('v4', 3, [[1]])]),
    grow(3, [to('v4', 5, [[1]])]),
    grow(3, [to('v4', 4, [[7]])]),
    grow(3, [to('v4', 4, [[1, 1]])]),
    grow(3, [to('v4', 4, [[]])]),
    metadata(9, ['v7', 'v6', 'v5', 'v4']),
  ];
}

function deleteRequests(): TranscriptRequest[] {
  const byName = (version: number, ...topicNames: string[]): TranscriptRequest => ({
    apiKey: DeleteTopics,
    version,
    body:
      version < 6
        ? { topicNames, timeoutMs: 10_000 }
        : { topics: topicNames.map((name) => ({ name })), timeoutMs: 10_000 },
  });
  const remove = (...topics: object[]): TranscriptRequest => ({
    apiKey: DeleteTopics,
    version: 6,
    body: { topics, timeoutMs: 10_000 },
  });
  return [
    byName(1, 'v2', 'missing'),
    byName(3, 'v3', 'missing'),
    byName(4, 'p.q', 'p.q', 'missing'),
    byName(5, 'p_q', 'missing'),
    byName(6, 'fresh', 'missing'),
    remove({ name: null, topicId: '$id:v4' }),
    remove({ name: null, topicId: 'AbCdEfGhIjKlMnOpQrStUA' }),
    remove({ name: null }),
    remove({ name: 'v5', topicId: '$id:v5' }),
    remove({ name: 'v5' }, { name: null, topicId: '$id:v5' }),
    remove({ name: null, topicId: '$id:v6' }, { name: null, topicId: '$id:v6' }),
    remove({ name: 'v6' }, { name: 'v6' }, { name: 'manual' }),
    metadata(9, ['v2', 'v4', 'v5', 'v6', 'manual']),
    create(7, [topic('v2')]),
  ];
}

/** Everything about topics, in an order in which each request finds what those before it left. */
export const TOPIC_REQUESTS: readonly TranscriptRequest[] = [
  ...createRequests(),
  ...metadataRequests(),
  ...describeRequests(),
  ...partitionRequests(),
  ...deleteRequests(),
];
