import { int32, subscription, type Request, type Scenario, type Step } from '../scenarios.ts';

/**
 * Command sequences of consumer groups whose replies Apache Kafka 4.3.1 has recorded in `transcripts.json`, in the notation of
 * `../scenarios.ts`.
 */
type Fields = Readonly<Record<string, unknown>>;

function heartbeat(memberId: string, memberEpoch: number, fields: Fields = {}, version = 1): Step {
  return {
    call: ['ConsumerGroupHeartbeat', version, { groupId: '@group', memberId, memberEpoch, ...fields }],
  };
}

/** A full first heartbeat for topic `t1`. */
function join(memberId: string, fields: Fields = {}): Step {
  return heartbeat(memberId, 0, {
    rebalanceTimeoutMs: 30_000,
    subscribedTopicNames: ['t1'],
    topicPartitions: [],
    ...fields,
  });
}

/** What a member owns of `t1`. */
function owns(...partitions: readonly number[]): Fields {
  return { topicPartitions: partitions.length === 0 ? [] : [{ topicId: '@t1', partitions }] };
}

const describe: Step = { call: ['ConsumerGroupDescribe', 1, { groupIds: ['@group'] }] };
const describeOld: Step = { call: ['ConsumerGroupDescribe', 0, { groupIds: ['@group', ''] }] };
const describeNone: Step = { call: ['ConsumerGroupDescribe', 0, { groupIds: ['@group-none'] }] };

function call(request: Request): Step {
  return { call: request };
}

function commit(memberId: string, epoch: number, version = 9, partitions: readonly number[] = [0]): Step {
  return call([
    'OffsetCommit',
    version,
    {
      groupId: '@group',
      memberId,
      generationIdOrMemberEpoch: epoch,
      topics: [
        {
          ...(version >= 10 ? { topicId: '@t1' } : { name: 't1' }),
          partitions: partitions.map((partitionIndex) => ({
            partitionIndex,
            committedOffset: 7,
            committedMetadata: '',
          })),
        },
      ],
    },
  ]);
}

function fetch(memberId: string | null, memberEpoch: number): Step {
  return call([
    'OffsetFetch',
    9,
    {
      groups: [{ groupId: '@group', memberId, memberEpoch, topics: [{ name: 't1', partitionIndexes: [0] }] }],
      requireStable: false,
    },
  ]);
}

const deleteGroup = call(['DeleteGroups', 2, { groupsNames: ['@group'] }]);
const deleteOffsets = call([
  'OffsetDelete',
  0,
  { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
]);

const T1 = subscription('t1');
const protocols = [{ name: 'range', metadata: T1 }];

function classicJoin(memberId: string, fields: Fields = {}): Step {
  return call([
    'JoinGroup',
    9,
    {
      groupId: '@group',
      memberId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols,
      ...fields,
    },
  ]);
}

function classicSync(memberId: string, generationId: number, fields: Fields = {}): Step {
  return call([
    'SyncGroup',
    5,
    {
      groupId: '@group',
      memberId,
      generationId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
      ...fields,
    },
  ]);
}

function classicHeartbeat(memberId: string, generationId: number): Step {
  return call(['Heartbeat', 4, { groupId: '@group', memberId, generationId }]);
}

/** An embedded assignment (version 1) of these partitions of `t1`. */
function assignment(...partitions: readonly number[]): string {
  const topic = Buffer.concat([Buffer.from([0, 2]), Buffer.from('t1')]);
  const parts = [Buffer.from([0, 1]), int32(1), topic, int32(partitions.length), ...partitions.map(int32)];
  return Buffer.concat([...parts, int32(-1)]).toString('base64');
}

/** One classic member, alone in generation 1 with all of `t1`. */
const classicGroup: readonly Step[] = [
  classicJoin(''),
  classicJoin('#1'),
  classicSync('#1', 1, { assignments: [{ memberId: '#1', assignment: assignment(0, 1, 2) }] }),
];

export const CONSUMER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'a member joins alone, says nothing new, says everything, and leaves',
    steps: [
      join('m1'),
      heartbeat('m1', 2),
      heartbeat('m1', 2, { rebalanceTimeoutMs: 30_000, subscribedTopicNames: ['t1'], ...owns(0, 1, 2) }),
      describe,
      describeOld,
      describeNone,
      call(['DescribeGroups', 6, { groups: ['@group'] }]),
      heartbeat('m1', -1),
      describe,
      heartbeat('m1', 2),
    ],
  },
  {
    name: 'a second member gets its part once the first has given it up',
    steps: [
      join('m1'),
      join('m2'),
      describe,
      heartbeat('m1', 2, owns(0, 1, 2)),
      describe,
      heartbeat('m2', 3),
      heartbeat('m1', 2, owns(0, 1)),
      heartbeat('m2', 3),
      describe,
      heartbeat('m2', -1),
      heartbeat('m1', 3, owns(0, 1)),
      describe,
    ],
  },
  {
    name: 'three members, of which the first leaves',
    steps: [
      join('m1'),
      join('m2'),
      join('m3'),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m1', 2, owns(0)),
      heartbeat('m2', 3),
      heartbeat('m3', 4),
      heartbeat('m1', -1),
      heartbeat('m2', 4),
      heartbeat('m3', 4),
      describe,
    ],
  },
  {
    name: 'requests that make no sense',
    steps: [
      heartbeat('', 1),
      heartbeat('', 0, { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t1'], topicPartitions: [] }),
      join('m1', { groupId: '' }),
      join('m1', { instanceId: ' ' }),
      join('m1', { rackId: '' }),
      join('m1', { rebalanceTimeoutMs: -1 }),
      join('m1', { topicPartitions: null }),
      join('m1', owns(0)),
      join('m1', { subscribedTopicNames: null }),
      heartbeat('m1', -2),
      heartbeat('m1', -3),
      join('m1', { serverAssignor: 'sticky' }),
      join('m1', { subscribedTopicNames: null, subscribedTopicRegex: '(' }),
      describe,
    ],
  },
  {
    name: 'members that are not known, and epochs that are not theirs',
    steps: [
      heartbeat('m1', 1),
      heartbeat('m1', -1),
      join('m1'),
      heartbeat('m2', 1),
      heartbeat('m2', -1),
      heartbeat('m1', 3),
      heartbeat('m1', 1),
      join('m2'),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m1', 2, owns(0, 1)),
      heartbeat('m1', 2, owns(0, 1)),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m1', 2),
      join('m1'),
    ],
  },
  {
    name: 'static members: held, released for a while, replaced, fenced',
    steps: [
      join('m1', { instanceId: 'i1' }),
      join('m2', { instanceId: 'i1' }),
      heartbeat('m1', -2, { instanceId: 'i2' }),
      heartbeat('m2', -2, { instanceId: 'i1' }),
      heartbeat('m1', -2, { instanceId: 'i1' }),
      describe,
      join('m3', { instanceId: 'i1' }),
      heartbeat('m1', 2, { instanceId: 'i1' }),
      heartbeat('m3', 2, { instanceId: 'i1' }),
      describe,
      heartbeat('m3', -1, { instanceId: 'i1' }),
      describe,
    ],
  },
  {
    name: 'a member subscribes to other topics, and to none',
    steps: [
      join('m1', { subscribedTopicNames: ['t1', '@group-missing'] }),
      heartbeat('m1', 2, { subscribedTopicNames: ['@group-missing'] }),
      describe,
      heartbeat('m1', 2, owns()),
      heartbeat('m1', 3, { subscribedTopicNames: ['t1'] }),
      heartbeat('m1', 4, { subscribedTopicNames: [] }),
      heartbeat('m1', 4, owns()),
      describe,
    ],
  },
  {
    name: 'a regular expression is resolved after the heartbeat that brings it',
    steps: [
      join('m1', { subscribedTopicNames: null, subscribedTopicRegex: 't1|@group-.*' }),
      { wait: 300 },
      heartbeat('m1', 1),
      describe,
      heartbeat('m1', 2, { subscribedTopicRegex: '' }),
      heartbeat('m1', 2, owns()),
      describe,
    ],
  },
  {
    name: 'offsets of members, with their epochs',
    steps: [
      commit('m1', 2),
      commit('', -1),
      join('m1'),
      commit('m1', 2, 8),
      commit('m1', 2),
      commit('m1', 2, 10),
      commit('m1', 3),
      commit('m2', 2),
      commit('', -1),
      fetch('m1', 2),
      fetch('m1', 1),
      fetch('m2', 2),
      fetch(null, -1),
      join('m2'),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m1', 2, owns(0, 1)),
      commit('m1', 2, 9, [0, 1]),
      commit('m1', 2, 9, [2]),
      deleteOffsets,
      deleteGroup,
      heartbeat('m1', -1),
      heartbeat('m2', -1),
      deleteOffsets,
      fetch(null, -1),
      deleteGroup,
      describe,
    ],
  },
  {
    name: 'a session that ends, and a member that gives nothing up',
    steps: [
      join('m1', { rebalanceTimeoutMs: 700 }),
      { wait: 2000 },
      join('m2'),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m2', 3),
      { wait: 1200 },
      heartbeat('m1', 2),
      heartbeat('m2', 3),
      describe,
      { wait: 3600 },
      heartbeat('m2', 4),
      describe,
    ],
  },
  {
    name: 'assignors: the one most members prefer, the first one else',
    steps: [
      join('m1', { serverAssignor: 'range' }),
      describe,
      join('m2', { serverAssignor: 'uniform' }),
      join('m3', { serverAssignor: 'uniform' }),
      describe,
    ],
  },
  {
    name: 'a classic group becomes a consumer group, and a classic group again',
    steps: [
      ...classicGroup,
      join('m1'),
      describe,
      classicHeartbeat('#1', 1),
      classicSync('#1', 1),
      classicJoin('#1'),
      classicSync('#1', 1),
      heartbeat('m1', 2),
      classicHeartbeat('#1', 1),
      classicJoin('#1', { protocols: [{ name: 'range', metadata: subscription('t1') }] }),
      describe,
      heartbeat('m1', 2),
      commit('#1', 1, 8),
      heartbeat('m1', -1),
      describe,
      classicHeartbeat('#1', 3),
      call(['DescribeGroups', 6, { groups: ['@group'] }]),
    ],
  },
  {
    name: 'a classic group that cannot become a consumer group',
    steps: [
      classicJoin('', { protocolType: 'connect' }),
      classicJoin('#1', { protocolType: 'connect' }),
      join('m1'),
      heartbeat('m1', 1),
    ],
  },
  {
    name: 'classic members join a consumer group',
    steps: [
      join('m1'),
      classicJoin('', { protocolType: 'connect' }),
      classicJoin('', { groupInstanceId: 'i1' }),
      describe,
      classicHeartbeat('m1', 2),
      heartbeat('m1', 2, owns(0, 1, 2)),
      heartbeat('m1', 2, owns(0, 1)),
      call([
        'LeaveGroup',
        5,
        { groupId: '@group', members: [{ memberId: '', groupInstanceId: 'i1' }, { memberId: 'm9' }] },
      ]),
      heartbeat('m1', 3, owns(0, 1)),
    ],
  },
  {
    name: 'an empty consumer group becomes a classic group',
    steps: [
      join('m1'),
      heartbeat('m1', -1),
      classicJoin('nobody'),
      classicJoin(''),
      classicJoin('#1'),
      describe,
    ],
  },
  {
    name: 'an empty classic group becomes a consumer group, with its offsets',
    steps: [
      commit('', -1),
      join('m1'),
      describe,
      fetch('m1', 2),
      call(['DescribeGroups', 6, { groups: ['@group'] }]),
    ],
  },
];
