import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const { CreateTopics, DescribeConfigs, FindCoordinator, IncrementalAlterConfigs } = ApiKeys;
const { ListGroups, DeleteGroups, Metadata, StreamsGroupHeartbeat, StreamsGroupDescribe } = ApiKeys;

/** Resource types of configs. */
const TOPIC = 2;
const GROUP = 32;

const topic = (name: string, topicConfigs: Readonly<Record<string, string>> = {}): object => ({
  name,
  partitions: 0,
  replicationFactor: 0,
  topicConfigs: Object.entries(topicConfigs).map(([key, value]) => ({ key, value })),
});

const subtopology = (subtopologyId: string, fields: object): object => ({
  subtopologyId,
  sourceTopics: [],
  sourceTopicRegex: [],
  stateChangelogTopics: [],
  repartitionSinkTopics: [],
  repartitionSourceTopics: [],
  copartitionGroups: [],
  ...fields,
});

/** Words are sent on by their first letter, and counted. */
const COUNTS = [
  subtopology('0', { sourceTopics: ['words'], repartitionSinkTopics: ['counts-repartition'] }),
  subtopology('1', {
    repartitionSourceTopics: [
      topic('counts-repartition', { 'cleanup.policy': 'delete', 'retention.ms': '-1' }),
    ],
    stateChangelogTopics: [topic('counts-changelog', { 'cleanup.policy': 'compact' })],
  }),
];

const heartbeat = (memberId: string, memberEpoch: number, fields: object = {}): TranscriptRequest =>
  ask(StreamsGroupHeartbeat, 0, {
    groupId: 'counts',
    memberId,
    memberEpoch,
    endpointInformationEpoch: 0,
    ...fields,
  });

const NO_TASKS = { activeTasks: [], standbyTasks: [], warmupTasks: [] };

const join = (memberId: string, fields: object = {}): TranscriptRequest =>
  heartbeat(memberId, 0, {
    rebalanceTimeoutMs: 30_000,
    processId: `process-${memberId}`,
    clientTags: [],
    topology: { epoch: 0, subtopologies: COUNTS },
    ...NO_TASKS,
    ...fields,
  });

const has = (...tasks: readonly (readonly [subtopologyId: string, ...partitions: number[]])[]): object => ({
  ...NO_TASKS,
  activeTasks: tasks.map(([subtopologyId, ...partitions]) => ({ subtopologyId, partitions })),
});

const setConfigs = (groupId: string, configs: Readonly<Record<string, string>>): TranscriptRequest =>
  ask(IncrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: GROUP,
        resourceName: groupId,
        configs: Object.entries(configs).map(([name, value]) => ({ name, value, configOperation: 0 })),
      },
    ],
    validateOnly: false,
  });

const describeConfigs = (resourceType: number, resourceName: string, configurationKeys: string[]) =>
  ask(DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys }],
    includeSynonyms: false,
    includeDocumentation: false,
  });

const describe = (...groupIds: readonly string[]): TranscriptRequest =>
  ask(StreamsGroupDescribe, 0, { groupIds, includeAuthorizedOperations: true });

/** Asked for until the topics are there. */
const metadata = (...names: readonly string[]): TranscriptRequest =>
  ask(Metadata, 12, {
    topics: names.map((name) => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: false,
  });

const list = (filters: object): TranscriptRequest => ask(ListGroups, 5, filters);

const OWN_CONFIGS = {
  'streams.heartbeat.interval.ms': '6000',
  'streams.session.timeout.ms': '50000',
  'streams.num.standby.replicas': '1',
  'streams.initial.rebalance.delay.ms': '0',
  'streams.assignment.interval.ms': '0',
};

/** What a Kafka Streams application, its tools and somebody with mistakes ask a broker with an empty directory. */
export const STREAMS_REQUESTS: readonly TranscriptRequest[] = [
  ask(FindCoordinator, 6, { keyType: 0, coordinatorKeys: ['counts'] }),
  ask(CreateTopics, 7, {
    topics: [{ name: 'words', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  metadata('words'),

  // What may be set for a group.
  setConfigs('counts', OWN_CONFIGS),
  setConfigs('counts', { 'streams.num.standby.replicas': '3' }),
  setConfigs('counts', { 'streams.heartbeat.interval.ms': '100' }),
  setConfigs('counts', { 'streams.session.timeout.ms': '70000' }),
  setConfigs('counts', { 'streams.assignment.interval.ms': '-1' }),
  setConfigs('counts', { 'streams.nonsense': '1' }),
  describeConfigs(GROUP, 'counts', Object.keys(OWN_CONFIGS)),

  // Internal topics come by themselves.
  describe('counts'),
  join('m1'),
  metadata('counts-repartition', 'counts-changelog'),
  describeConfigs(TOPIC, 'counts-repartition', ['cleanup.policy', 'retention.ms']),
  describeConfigs(TOPIC, 'counts-changelog', ['cleanup.policy', 'retention.ms']),
  heartbeat('m1', 2),
  heartbeat('m1', 3, has(['0', 0, 1], ['1', 0, 1])),
  describe('counts', 'none'),

  // A second member has standbys, and gets tasks as they are given up.
  join('m2'),
  heartbeat('m1', 3, has(['0', 0, 1], ['1', 0, 1])),
  heartbeat('m1', 3, has(['0', 0], ['1', 0])),
  heartbeat('m2', 4, NO_TASKS),
  heartbeat('m1', 4),
  describe('counts'),

  // Without standbys, by a config that is changed meanwhile.
  setConfigs('counts', { 'streams.num.standby.replicas': '0' }),
  heartbeat('m1', 4),
  heartbeat('m2', 4),
  describe('counts'),

  list({ typesFilter: ['streams'], statesFilter: [] }),
  list({ typesFilter: ['Streams'], statesFilter: ['Empty'] }),
  list({ typesFilter: ['classic', 'consumer', 'share'], statesFilter: [] }),
  ask(DeleteGroups, 2, { groupsNames: ['counts'] }),

  heartbeat('m1', -1),
  heartbeat('m2', -1),
  describe('counts'),
  ask(DeleteGroups, 2, { groupsNames: ['counts'] }),
  describe('counts'),
  list({ typesFilter: [], statesFilter: [] }),
];
