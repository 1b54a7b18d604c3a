/**
 * Command sequences whose replies Apache Kafka 4.3.1 has recorded in `transcripts.json`. `transcripts.test.ts` plays them
 * to Ottla and compares.
 *
 * In requests `@group` (with any suffix) is a group of the scenario's own, `@t1` the id of topic `t1` (3 partitions) and
 * `#1`, `#2`, ... the member ids in the order in which the broker made them.
 */
export type Step =
  /** Sends a request on a connection and waits for the reply. */
  | { readonly call: Request; readonly on?: string }
  /** Sends a request; its reply is taken by a later `receive`. */
  | { readonly send: Request; readonly on: string }
  | { readonly receive: string }
  /** Lets time pass, in milliseconds. */
  | { readonly wait: number };

/** API name, version, body as in Kafka's JSON form; absent fields take their defaults. */
export type Request = readonly [api: string, version: number, body: Readonly<Record<string, unknown>>];

export interface Scenario {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A consumer protocol subscription (version 1) to these topics, without user data. */
export function subscription(...topics: readonly string[]): string {
  const parts = [Buffer.from([0, 1]), int32(topics.length)];
  for (const topic of topics) parts.push(Buffer.from([0, topic.length]), Buffer.from(topic));
  return Buffer.concat([...parts, int32(-1), int32(0)]).toString('base64');
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

const T1 = subscription('t1');
const bytes = (text: string): string => Buffer.from(text).toString('base64');

function join(fields: Readonly<Record<string, unknown>>, version = 9): Request {
  return [
    'JoinGroup',
    version,
    {
      groupId: '@group',
      sessionTimeoutMs: 30_000,
      ...(version > 0 && { rebalanceTimeoutMs: 30_000 }),
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: T1 }],
      ...fields,
    },
  ];
}

function sync(fields: Readonly<Record<string, unknown>>, version = 5): Request {
  const mandatory = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {};
  return ['SyncGroup', version, { groupId: '@group', generationId: 1, ...mandatory, ...fields }];
}

function heartbeat(fields: Readonly<Record<string, unknown>>, version = 4): Request {
  return ['Heartbeat', version, { groupId: '@group', generationId: 1, ...fields }];
}

function leave(fields: Readonly<Record<string, unknown>>, version = 5): Request {
  return ['LeaveGroup', version, { groupId: '@group', ...fields }];
}

function commit(fields: Readonly<Record<string, unknown>>, version = 9): Request {
  const partitions = [
    {
      partitionIndex: 0,
      committedOffset: 5,
      ...(version >= 6 && { committedLeaderEpoch: 2 }),
      committedMetadata: 'm',
    },
  ];
  return ['OffsetCommit', version, { groupId: '@group', topics: [{ name: 't1', partitions }], ...fields }];
}

function fetchAll(version = 9): Request {
  if (version < 8) return ['OffsetFetch', version, { groupId: '@group', topics: null }];
  return ['OffsetFetch', version, { groups: [{ groupId: '@group', topics: null }] }];
}

const describe = (version = 6, groupId = '@group'): Request => [
  'DescribeGroups',
  version,
  { groups: [groupId] },
];
const call = (request: Request, on = 'a'): Step => ({ call: request, on });

/** One member in generation 1, stable, on connection `a`. */
const ONE_STABLE_MEMBER: readonly Step[] = [
  call(join({})),
  call(join({ memberId: '#1' })),
  call(sync({ memberId: '#1', assignments: [{ memberId: '#1', assignment: bytes('all') }] })),
];

/** Two members in generation 2, stable: `#1` leads on `a`, `#2` follows on `b`. */
const TWO_STABLE_MEMBERS: readonly Step[] = [
  ...ONE_STABLE_MEMBER,
  call(join({}), 'b'),
  { send: join({ memberId: '#2' }), on: 'b' },
  call(heartbeat({ memberId: '#1' })),
  call(describe()),
  call(join({ memberId: '#1' })),
  { receive: 'b' },
  { send: sync({ memberId: '#2', generationId: 2 }), on: 'b' },
  call(describe()),
  call(
    sync({
      memberId: '#1',
      generationId: 2,
      assignments: [
        { memberId: '#1', assignment: bytes('one') },
        { memberId: '#2', assignment: bytes('two') },
      ],
    }),
  ),
  { receive: 'b' },
];

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'find-coordinator',
    steps: [
      ...range(0, 3).map((version) => call(['FindCoordinator', version, { key: '@group' }])),
      ...range(4, 6).map((version) =>
        call(['FindCoordinator', version, { coordinatorKeys: ['@group', ''] }]),
      ),
      call(['FindCoordinator', 3, { key: '@group', keyType: 2 }]),
      call(['FindCoordinator', 5, { coordinatorKeys: ['@group'], keyType: 2 }]),
    ],
  },
  {
    name: 'one-member-at-every-join-version',
    steps: range(0, 9).flatMap((version) => {
      const groupId = `@group-${version}`;
      const first = call(join({ groupId }, version));
      const members = `#${version + 1}`;
      return [
        first,
        ...(version >= 4 ? [call(join({ groupId, memberId: members }, version))] : []),
        call(
          sync(
            { groupId, memberId: members, assignments: [{ memberId: members, assignment: bytes('x') }] },
            Math.min(version, 5),
          ),
        ),
        call(heartbeat({ groupId, memberId: members }, Math.min(version, 4))),
        call([
          'DescribeGroups',
          Math.min(version, 6),
          { groups: [groupId], ...(version >= 3 && { includeAuthorizedOperations: true }) },
        ]),
        call(
          leave(
            version < 3 ? { groupId, memberId: members } : { groupId, members: [{ memberId: members }] },
            Math.min(version, 5),
          ),
        ),
        call(['DescribeGroups', Math.min(version, 6), { groups: [groupId] }]),
      ];
    }),
  },
  {
    name: 'empty-group-id',
    steps: [
      call(join({ groupId: '' }, 5)),
      call(join({ groupId: '', memberId: 'x' })),
      call(sync({ groupId: '', memberId: 'x' })),
      call(heartbeat({ groupId: '', memberId: 'x' })),
      call(leave({ groupId: '', members: [{ memberId: 'x' }] })),
      call([
        'OffsetDelete',
        0,
        { groupId: '', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
      call(['DeleteGroups', 2, { groupsNames: [''] }]),
      call(describe(6, '')),
      call(describe(5, '')),
    ],
  },
  {
    name: 'unknown-group',
    steps: [
      call(join({ memberId: 'x' }, 6)),
      call(join({ memberId: 'x' }, 7)),
      call(sync({ memberId: 'x' })),
      call(sync({ memberId: 'x', protocolType: null })),
      call(heartbeat({ memberId: 'x' })),
      call(leave({ memberId: 'x' }, 2)),
      call(leave({ members: [{ memberId: 'x' }, { memberId: '', groupInstanceId: 'i' }] })),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: 'x' }, 8)),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: 'x' }, 9)),
      ...range(1, 7).map((version) =>
        call([
          'OffsetFetch',
          version,
          { groupId: '@group', topics: [{ name: 't1', partitionIndexes: [0, 7] }] },
        ]),
      ),
      call(fetchAll(2)),
      call(fetchAll(8)),
      call([
        'OffsetDelete',
        0,
        { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
      call(['DeleteGroups', 2, { groupsNames: ['@group', '@group'] }]),
      call(describe(5)),
      call(describe(6)),
    ],
  },
  {
    name: 'join-refusals',
    steps: [
      call(join({ sessionTimeoutMs: 10 })),
      call(join({ sessionTimeoutMs: 2_000_000, memberId: 'x' }, 6)),
      call(join({ protocolType: '' })),
      call(join({ protocols: [] })),
      call(join({ protocols: [] }, 3)),
      ...ONE_STABLE_MEMBER,
      call(join({ protocolType: 'connect' })),
      call(join({ protocols: [{ name: 'other', metadata: T1 }] }, 4)),
      call(join({ memberId: '#1', protocols: [{ name: 'other', metadata: T1 }] })),
      call(join({ memberId: 'nobody' })),
      call(join({ memberId: 'nobody' }, 5)),
      call(join({ memberId: '#1', groupInstanceId: 'i' })),
      call(sync({ memberId: 'nobody' })),
      call(sync({ memberId: '#1', generationId: 2 })),
      call(sync({ memberId: '#1', protocolName: 'other' })),
      call(sync({ memberId: '#1', protocolType: 'connect' })),
      call(sync({ memberId: '#1' })),
      call(heartbeat({ memberId: '#1', generationId: 0 })),
      call(heartbeat({ memberId: '#1', groupInstanceId: 'i' })),
    ],
  },
  {
    name: 'two-members',
    steps: [
      ...TWO_STABLE_MEMBERS,
      call(describe()),
      call(join({ memberId: '#2' }), 'b'),
      call(sync({ memberId: '#2', generationId: 2 }), 'b'),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#2' }), 'b'),
      call(commit({ generationIdOrMemberEpoch: 2, memberId: '#2' }), 'b'),
      call(commit({ generationIdOrMemberEpoch: -1, memberId: '#2' }), 'b'),
      call(commit({}), 'b'),
      call(fetchAll()),
      // The leader leaves: the follower rejoins and leads.
      call(leave({ members: [{ memberId: '#1', reason: 'done' }, { memberId: 'nobody' }] })),
      call(heartbeat({ memberId: '#2', generationId: 2 }), 'b'),
      call(commit({ generationIdOrMemberEpoch: 2, memberId: '#2' }), 'b'),
      call(sync({ memberId: '#2', generationId: 2 }), 'b'),
      call(join({ memberId: '#2' }), 'b'),
      call(commit({ generationIdOrMemberEpoch: 3, memberId: '#2' }), 'b'),
      call(join({ memberId: '#2' }), 'b'),
      call(heartbeat({ memberId: '#2', generationId: 3 }), 'b'),
      call(sync({ memberId: '#2', generationId: 3 }), 'b'),
      call(leave({ members: [{ memberId: '#2' }] }), 'b'),
      call(describe()),
      call(fetchAll()),
      call(commit({ generationIdOrMemberEpoch: 3, memberId: '#2' }), 'b'),
      call(commit({ generationIdOrMemberEpoch: -1 }), 'b'),
      call(join({ memberId: '#2' }), 'b'),
    ],
  },
  {
    name: 'rebalance-cancels-waiting-sync',
    steps: [
      ...TWO_STABLE_MEMBERS,
      { send: join({ memberId: '#1' }), on: 'a' },
      call(join({ memberId: '#2' }), 'b'),
      { receive: 'a' },
      { send: sync({ memberId: '#2', generationId: 3 }), on: 'b' },
      call(join({}), 'c'),
      { send: join({ memberId: '#3' }), on: 'c' },
      { receive: 'b' },
      call(heartbeat({ memberId: '#1', generationId: 3 })),
      call(sync({ memberId: '#1', generationId: 3, assignments: [] })),
      { send: join({ memberId: '#1' }), on: 'a' },
      call(join({ memberId: '#2' }), 'b'),
      { receive: 'a' },
      { receive: 'c' },
    ],
  },
  {
    name: 'pending-members',
    steps: [
      call(join({}, 4)),
      // Kafka hands out the id before it has written the group.
      { wait: 300 },
      call(describe()),
      call(['ListGroups', 5, { statesFilter: ['Dead'] }]),
      call(heartbeat({ memberId: '#1', generationId: 0 })),
      call(sync({ memberId: '#1', generationId: 0 })),
      call(leave({ members: [{ memberId: '#1' }] })),
      call(join({ memberId: '#1' }, 4)),
      call(join({}, 4)),
      call(join({ memberId: '#2', groupInstanceId: 'i' }, 5)),
      call(['DeleteGroups', 0, { groupsNames: ['@group'] }]),
      call(join({ memberId: '#2' }, 4)),
    ],
  },
  {
    name: 'static-members',
    steps: [
      call(join({ groupInstanceId: 'i1' })),
      call(
        sync({
          memberId: '#1',
          groupInstanceId: 'i1',
          assignments: [{ memberId: '#1', assignment: bytes('s') }],
        }),
      ),
      call(describe()),
      // Back without its id: a new one, the assignment holds, no new generation.
      call(join({ groupInstanceId: 'i1' })),
      call(heartbeat({ memberId: '#1', groupInstanceId: 'i1' })),
      call(heartbeat({ memberId: '#1' })),
      call(heartbeat({ memberId: '#2', groupInstanceId: 'i1' })),
      call(sync({ memberId: '#2', groupInstanceId: 'i1' })),
      call(join({ groupInstanceId: 'i1' }, 8)),
      call(join({ memberId: '#2', groupInstanceId: 'i1' })),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#2', groupInstanceId: 'i1' })),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#3', groupInstanceId: 'i2' })),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#3', groupInstanceId: 'i1' })),
      call(
        leave({
          members: [
            { memberId: '#1', groupInstanceId: 'i1' },
            { memberId: '', groupInstanceId: 'i9' },
          ],
        }),
      ),
      call(leave({ members: [{ memberId: '', groupInstanceId: 'i1' }] })),
      call(describe()),
    ],
  },
  {
    name: 'static-member-fences-itself-while-it-waits',
    steps: [
      ...ONE_STABLE_MEMBER,
      { send: join({ groupInstanceId: 'i1' }), on: 'b' },
      { wait: 300 },
      { send: join({ groupInstanceId: 'i1' }), on: 'c' },
      { wait: 300 },
      { receive: 'b' },
      call(join({ memberId: '#1' })),
      { receive: 'c' },
    ],
  },
  {
    name: 'simple-group',
    steps: [
      ...range(2, 9).map((version) => call(commit({}, version))),
      call(
        commit(
          {
            topics: [
              {
                topicId: '@t1',
                partitions: [{ partitionIndex: 1, committedOffset: 7, committedMetadata: null }],
              },
            ],
          },
          10,
        ),
      ),
      call(
        commit(
          {
            topics: [
              {
                topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
                partitions: [{ partitionIndex: 1, committedOffset: 7, committedMetadata: null }],
              },
            ],
          },
          10,
        ),
      ),
      call(
        commit({
          topics: [
            {
              name: 't1',
              partitions: [
                { partitionIndex: 0, committedOffset: 9, committedMetadata: 'x'.repeat(4097) },
                { partitionIndex: 9, committedOffset: 9, committedMetadata: '' },
                { partitionIndex: 2, committedOffset: 9, committedMetadata: 'x'.repeat(4096) },
              ],
            },
            { name: 'nope', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] },
          ],
        }),
      ),
      call(commit({ memberId: 'ghost' })),
      call(commit({ memberId: 'ghost', groupInstanceId: 'i' })),
      call(commit({ memberId: 'ghost', generationIdOrMemberEpoch: 0 })),
      call(describe()),
      call(['ListGroups', 5, { statesFilter: ['nonsense'] }]),
      call(['ListGroups', 5, { typesFilter: ['nonsense'] }]),
      ...range(1, 7).map((version) =>
        call([
          'OffsetFetch',
          version,
          {
            groupId: '@group',
            topics: [
              { name: 't1', partitionIndexes: [1, 0, 5] },
              { name: 'nope', partitionIndexes: [0] },
            ],
          },
        ]),
      ),
      call([
        'OffsetFetch',
        7,
        { groupId: '@group', topics: [{ name: 't1', partitionIndexes: [1] }], requireStable: true },
      ]),
      call([
        'OffsetFetch',
        8,
        {
          groups: [
            { groupId: '@group', topics: [{ name: 't1', partitionIndexes: [0, 1] }] },
            { groupId: '@group-other', topics: [{ name: 't1', partitionIndexes: [0] }] },
            { groupId: '', topics: [{ name: 't1', partitionIndexes: [0] }] },
          ],
        },
      ]),
      call([
        'OffsetFetch',
        9,
        {
          groups: [
            {
              groupId: '@group',
              memberId: 'ghost',
              memberEpoch: 3,
              topics: [{ name: 't1', partitionIndexes: [0] }],
            },
          ],
        },
      ]),
      call([
        'OffsetFetch',
        10,
        {
          groups: [
            {
              groupId: '@group',
              topics: [
                { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitionIndexes: [0, 1] },
                { topicId: '@t1', partitionIndexes: [0, 1, 5] },
              ],
            },
          ],
          requireStable: true,
        },
      ]),
      call(['OffsetFetch', 10, { groups: [{ groupId: '@group', topics: [] }] }]),
      call([
        'OffsetDelete',
        0,
        {
          groupId: '@group',
          topics: [
            { name: 't1', partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }] },
            { name: 'nope', partitions: [{ partitionIndex: 0 }] },
          ],
        },
      ]),
      call([
        'OffsetFetch',
        9,
        { groups: [{ groupId: '@group', topics: [{ name: 't1', partitionIndexes: [0] }] }] },
      ]),
      call(['DeleteGroups', 1, { groupsNames: ['@group'] }]),
      call(describe()),
      call(fetchAll()),
    ],
  },
  {
    name: 'offsets-of-members',
    steps: [
      ...ONE_STABLE_MEMBER,
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#1' })),
      call([
        'OffsetDelete',
        0,
        { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
      call(['DeleteGroups', 2, { groupsNames: ['@group'] }]),
      call(leave({ memberId: '#1' }, 0)),
      call([
        'OffsetDelete',
        0,
        { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
      call(fetchAll()),
      call(['DeleteGroups', 2, { groupsNames: ['@group'] }]),
      call(['DeleteGroups', 2, { groupsNames: ['@group'] }]),
    ],
  },
  {
    name: 'other-protocol-type',
    steps: [
      call(join({ protocolType: 'connect', protocols: [{ name: 'v1', metadata: bytes('?') }] }, 3)),
      call(sync({ memberId: '#1', protocolType: 'connect', protocolName: 'v1' })),
      call(describe()),
      call([
        'OffsetDelete',
        0,
        { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
      call(leave({ members: [] })),
      call(leave({ memberId: '#1' }, 1)),
      call(describe()),
    ],
  },
  {
    name: 'unreadable-subscription',
    steps: [
      call(join({ protocols: [{ name: 'range', metadata: bytes('!') }] }, 3)),
      call(sync({ memberId: '#1' })),
      call(commit({ generationIdOrMemberEpoch: 1, memberId: '#1' })),
      call([
        'OffsetDelete',
        0,
        { groupId: '@group', topics: [{ name: 't1', partitions: [{ partitionIndex: 0 }] }] },
      ]),
    ],
  },
  {
    name: 'protocol-votes',
    steps: [
      { send: join({ protocols: ['a', 'b', 'c'].map((name) => ({ name, metadata: T1 })) }, 3), on: 'a' },
      { receive: 'a' },
      { send: join({ protocols: ['c', 'b'].map((name) => ({ name, metadata: T1 })) }, 3), on: 'b' },
      { wait: 300 },
      call(join({ memberId: '#1', protocols: ['b', 'c'].map((name) => ({ name, metadata: T1 })) }, 3)),
      { receive: 'b' },
    ],
  },
  {
    name: 'session-ends',
    steps: [
      call(join({ sessionTimeoutMs: 300, rebalanceTimeoutMs: 500 })),
      call(join({ memberId: '#1', sessionTimeoutMs: 300, rebalanceTimeoutMs: 500 })),
      call(sync({ memberId: '#1', assignments: [{ memberId: '#1', assignment: bytes('x') }] })),
      { wait: 150 },
      call(heartbeat({ memberId: '#1' })),
      { wait: 200 },
      call(describe()),
      { wait: 600 },
      call(describe()),
      call(heartbeat({ memberId: '#1' })),
    ],
  },
  {
    name: 'absent-member-is-left-out',
    steps: [
      call(join({ rebalanceTimeoutMs: 400 })),
      call(join({ memberId: '#1', rebalanceTimeoutMs: 400 })),
      call(sync({ memberId: '#1' })),
      call(join({ rebalanceTimeoutMs: 400 }), 'b'),
      { send: join({ memberId: '#2', rebalanceTimeoutMs: 400 }), on: 'b' },
      { wait: 1000 },
      { receive: 'b' },
      call(describe(), 'c'),
      call(heartbeat({ memberId: '#1' })),
      // It does not sync in time either.
      { wait: 1000 },
      call(describe(), 'c'),
    ],
  },
];
