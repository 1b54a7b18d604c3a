import { ApiKeys, encodeBatch } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const { CreateTopics, Produce, IncrementalAlterConfigs, FindCoordinator, ListGroups, DeleteGroups } = ApiKeys;
const { ShareGroupHeartbeat, ShareGroupDescribe, ShareFetch, ShareAcknowledge } = ApiKeys;
const { InitializeShareGroupState, ReadShareGroupState, WriteShareGroupState } = ApiKeys;
const { DeleteShareGroupState, ReadShareGroupStateSummary, OffsetFetch } = ApiKeys;
const { DescribeShareGroupOffsets, AlterShareGroupOffsets, DeleteShareGroupOffsets } = ApiKeys;

const TOPIC = 'shared';
const TOPIC_ID = '$id:shared';
const UNKNOWN_ID = 'abcdefghijklmnopqrstuQ';
const GROUP = 'g';
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';
/** Fixed, so that batches are the same in every run. */
const TIMESTAMP = 1_700_000_000_000;

const heartbeat = (memberEpoch: number, fields: object = {}): TranscriptRequest =>
  ask(ShareGroupHeartbeat, 1, {
    groupId: GROUP,
    memberId: MEMBER,
    memberEpoch,
    subscribedTopicNames: memberEpoch === 0 ? [TOPIC] : null,
    ...fields,
  });

const produce = (count: number): TranscriptRequest => {
  const records = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: Buffer.from(`value ${index}`),
    timestamp: TIMESTAMP + index,
    headers: [],
  }));
  const partitionData = [{ index: 0, records: encodeBatch({ records }) }];
  const topicData = [{ name: TOPIC, partitionData }];
  return ask(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData });
};

type Batch = readonly [firstOffset: number, lastOffset: number, ...types: number[]];

const partitionOf = (batches: readonly Batch[], partitionIndex = 0): object => ({
  partitionIndex,
  acknowledgementBatches: batches.map(([firstOffset, lastOffset, ...acknowledgeTypes]) => ({
    firstOffset,
    lastOffset,
    acknowledgeTypes,
  })),
});

const topicOf = (batches: readonly Batch[], partitionIndex = 0): object => ({
  topicId: TOPIC_ID,
  partitions: [partitionOf(batches, partitionIndex)],
});

const fetch = (shareSessionEpoch: number, fields: object = {}, version = 2): TranscriptRequest =>
  ask(ShareFetch, version, {
    groupId: GROUP,
    memberId: MEMBER,
    shareSessionEpoch,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 100_000,
    maxRecords: 500,
    batchSize: 500,
    topics: [],
    ...fields,
  });

/** A fetch that waits, because a share partition that is asked for the first time has to read its state. */
const waitingFetch = (shareSessionEpoch: number, fields: object = {}, version = 2): TranscriptRequest =>
  fetch(shareSessionEpoch, { maxWaitMs: 3000, ...fields }, version);

const acknowledge = (
  shareSessionEpoch: number,
  batches: readonly Batch[],
  fields: object = {},
  version = 2,
): TranscriptRequest =>
  ask(ShareAcknowledge, version, {
    groupId: GROUP,
    memberId: MEMBER,
    shareSessionEpoch,
    topics: [topicOf(batches)],
    ...fields,
  });

const state = (apiKey: number, partition: object, fields: object = {}, version = 0): TranscriptRequest =>
  ask(apiKey, version, {
    groupId: 's',
    topics: [{ topicId: TOPIC_ID, partitions: [{ partition: 0, ...partition }] }],
    ...fields,
  });

const write = (partition: object, version = 1): TranscriptRequest =>
  state(
    WriteShareGroupState,
    { stateEpoch: 2, leaderEpoch: 5, startOffset: 0, stateBatches: [], ...partition },
    {},
    version,
  );

const stateBatch = (
  firstOffset: number,
  lastOffset: number,
  deliveryState: number,
  deliveryCount: number,
): object => ({
  firstOffset,
  lastOffset,
  deliveryState,
  deliveryCount,
});

const preparation: readonly TranscriptRequest[] = [
  ask(CreateTopics, 7, {
    topics: [
      {
        name: TOPIC,
        numPartitions: 2,
        replicationFactor: 1,
        assignments: [],
        configs: [{ name: 'retention.ms', value: '-1' }],
      },
    ],
    timeoutMs: 10_000,
    validateOnly: false,
  }),
  ask(IncrementalAlterConfigs, 1, {
    resources: [
      {
        resourceType: 32,
        resourceName: GROUP,
        configs: [
          { name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' },
          { name: 'share.assignment.interval.ms', configOperation: 0, value: '0' },
        ],
      },
    ],
    validateOnly: false,
  }),
  ask(FindCoordinator, 6, { keyType: 0, coordinatorKeys: [GROUP] }),
  ask(FindCoordinator, 6, { keyType: 2, coordinatorKeys: [`s:${UNKNOWN_ID}:0`] }),
  ask(FindCoordinator, 6, { keyType: 2, coordinatorKeys: ['nonsense'] }),
  ask(FindCoordinator, 6, { keyType: 2, coordinatorKeys: [`s:short:0`] }),
  ask(FindCoordinator, 5, { keyType: 2, coordinatorKeys: [`s:${UNKNOWN_ID}:0`] }),
  produce(10),
];

const states: readonly TranscriptRequest[] = [
  state(ReadShareGroupState, { leaderEpoch: 0 }),
  state(ReadShareGroupStateSummary, { leaderEpoch: 0 }),
  state(ReadShareGroupStateSummary, { leaderEpoch: 0 }, {}, 1),
  write({}),
  state(InitializeShareGroupState, { stateEpoch: 2, startOffset: 0 }),
  state(InitializeShareGroupState, { stateEpoch: 1, startOffset: 0 }),
  state(InitializeShareGroupState, { partition: -1, stateEpoch: 1, startOffset: 0 }),
  state(InitializeShareGroupState, { partition: 9, stateEpoch: 1, startOffset: 0 }),
  state(ReadShareGroupStateSummary, { leaderEpoch: 0 }, {}, 1),
  state(ReadShareGroupState, { leaderEpoch: 4 }),
  state(ReadShareGroupState, { leaderEpoch: 3 }),
  write({ leaderEpoch: 3 }),
  write({ stateEpoch: 1 }),
  write({ stateBatches: [stateBatch(0, 9, 0, 1)] }),
  write({ stateBatches: [stateBatch(3, 5, 2, 1), stateBatch(7, 12, 0, 2)], deliveryCompleteCount: 3 }),
  state(ReadShareGroupState, { leaderEpoch: 5 }),
  write({ startOffset: 4, stateBatches: [stateBatch(11, 15, 4, 2)] }, 0),
  state(ReadShareGroupState, { leaderEpoch: -1 }),
  state(ReadShareGroupStateSummary, { leaderEpoch: 5 }, {}, 1),
  write({ partition: 1 }),
  write({ partition: -1 }),
  state(DeleteShareGroupState, {}),
  state(DeleteShareGroupState, {}),
  state(DeleteShareGroupState, { partition: -1 }),
  state(DeleteShareGroupState, { partition: 9 }),
  state(ReadShareGroupState, { leaderEpoch: 5 }),
  state(ReadShareGroupState, {}, { groupId: '' }),
  state(ReadShareGroupState, {}, { topics: [] }),
  state(ReadShareGroupState, {}, { topics: [{ topicId: UNKNOWN_ID, partitions: [{ partition: 0 }] }] }),
];

const members: readonly TranscriptRequest[] = [
  heartbeat(0, { groupId: '' }),
  heartbeat(0, { memberId: '' }),
  heartbeat(0, { memberId: 'm'.repeat(37) }),
  heartbeat(0, { rackId: '' }),
  heartbeat(0, { subscribedTopicNames: null }),
  heartbeat(0, { subscribedTopicNames: [] }),
  heartbeat(-2),
  heartbeat(1),
  heartbeat(-1),
  heartbeat(0),
  // Asked for until the group's states are made.
  ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId: GROUP, topics: null }] }),
  heartbeat(0),
  heartbeat(1),
  heartbeat(7),
  heartbeat(1, { memberId: 'nobody' }),
  heartbeat(-1, { memberId: 'nobody' }),
  ask(ShareGroupDescribe, 1, { groupIds: [GROUP, 'unknown', ''], includeAuthorizedOperations: true }),
  ask(ListGroups, 5, { statesFilter: [], typesFilter: ['share'] }),
  ask(DeleteGroups, 2, { groupsNames: [GROUP] }),
  ask(AlterShareGroupOffsets, 0, {
    groupId: GROUP,
    topics: [{ topicName: TOPIC, partitions: [{ partitionIndex: 0, startOffset: 3 }] }],
  }),
  ask(DeleteShareGroupOffsets, 0, { groupId: GROUP, topics: [{ topicName: TOPIC }] }),
];

const bothPartitions = { topicId: TOPIC_ID, partitions: [partitionOf([], 0), partitionOf([], 1)] };

const fetching: readonly TranscriptRequest[] = [
  fetch(0, { groupId: null }),
  fetch(0, { memberId: null }),
  fetch(0, { memberId: '' }),
  fetch(3, { topics: [topicOf([])] }),
  fetch(-1),
  fetch(0, { topics: [topicOf([[0, 1, 1]])] }),
  fetch(0, { isRenewAck: true }),
  acknowledge(0, [[0, 0, 1]]),
  acknowledge(1, [[0, 0, 1]]),
  waitingFetch(0, { topics: [bothPartitions] }),
  fetch(1),
  fetch(1),
  acknowledge(2, [[0, 2, 1]]),
  acknowledge(3, [[0, 2, 1]]),
  acknowledge(4, [[3, 3, 2]]),
  acknowledge(5, [[4, 5, 3, 9]]),
  acknowledge(6, [[4, 5, 1, 1, 1]]),
  acknowledge(7, [[5, 4, 1]]),
  acknowledge(8, [
    [4, 6, 1],
    [6, 7, 1],
  ]),
  acknowledge(9, [[4, 5]]),
  acknowledge(10, [[4, 50, 1]]),
  acknowledge(11, [[50, 60, 1]]),
  acknowledge(12, [[4, 4, 1]], { memberId: 'AAAAAAAAAAAAAAAAAAAAAg' }),
  acknowledge(12, [[4, 5, 4]]),
  acknowledge(13, [[4, 5, 4]], { isRenewAck: true }),
  acknowledge(14, [[4, 4, 1]], { topics: [topicOf([[0, 0, 1]], 9)] }),
  acknowledge(15, [[4, 4, 1]], { topics: [{ topicId: UNKNOWN_ID, partitions: [partitionOf([[0, 0, 1]])] }] }),
  waitingFetch(16, { topics: [topicOf([[4, 5, 1, 3]])] }),
  fetch(17, { topics: [topicOf([[6, 6, 1]])] }, 1),
  fetch(18, { isRenewAck: true, maxBytes: 0, minBytes: 0, maxRecords: 0, topics: [topicOf([[7, 7, 4]])] }),
  produce(6),
  produce(6),
  waitingFetch(19, { shareAcquireMode: 1, maxRecords: 4 }),
  waitingFetch(20, { maxRecords: 1, batchSize: 1 }),
  fetch(21, { forgottenTopicsData: [{ topicId: UNKNOWN_ID, partitions: [0] }] }),
  ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId: GROUP, topics: null }] }),
  ask(DescribeShareGroupOffsets, 0, {
    groups: [
      { groupId: GROUP, topics: [{ topicName: TOPIC, partitions: [0, 9] }] },
      { groupId: 'unknown', topics: null },
      { groupId: '', topics: null },
    ],
  }),
  ask(DescribeShareGroupOffsets, 1, {
    groups: [{ groupId: GROUP, topics: [{ topicName: 'unknown', partitions: [0] }] }],
  }),
  fetch(-1),
  fetch(-1),
  waitingFetch(0, { topics: [topicOf([])] }),
  acknowledge(-1, [[8, 8, 1]]),
  acknowledge(-1, [[9, 9, 1]]),
];

/** A member that has left the group still has its session: what it holds can be acknowledged, as librdkafka does. */
const leaving: readonly TranscriptRequest[] = [
  waitingFetch(0, { topics: [topicOf([])] }),
  heartbeat(-1),
  acknowledge(1, [[7, 7, 1]]),
  acknowledge(-1, [[3, 3, 2]]),
];

const administration: readonly TranscriptRequest[] = [
  ask(ShareGroupDescribe, 1, { groupIds: [GROUP], includeAuthorizedOperations: false }),
  ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId: GROUP, topics: null }] }),
  ask(AlterShareGroupOffsets, 0, {
    groupId: GROUP,
    topics: [
      {
        topicName: TOPIC,
        partitions: [
          { partitionIndex: 0, startOffset: 3 },
          { partitionIndex: 9, startOffset: 3 },
        ],
      },
      { topicName: 'unknown', partitions: [{ partitionIndex: 0, startOffset: 3 }] },
    ],
  }),
  ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId: GROUP, topics: null }] }),
  ask(DescribeShareGroupOffsets, 1, {
    groups: [{ groupId: 'unknown', topics: [{ topicName: TOPIC, partitions: [0] }] }],
  }),
  ...[1, 7].map((version) =>
    ask(OffsetFetch, version, { groupId: GROUP, topics: [{ name: TOPIC, partitionIndexes: [0, 9] }] }),
  ),
  ask(OffsetFetch, 9, { groups: [{ groupId: GROUP, topics: null }] }),
  ask(AlterShareGroupOffsets, 0, { groupId: 'unknown', topics: [] }),
  ask(AlterShareGroupOffsets, 0, { groupId: '', topics: [] }),
  ask(DeleteShareGroupOffsets, 0, {
    groupId: GROUP,
    topics: [{ topicName: 'unknown' }, { topicName: TOPIC }],
  }),
  ask(DeleteShareGroupOffsets, 0, { groupId: GROUP, topics: [{ topicName: TOPIC }] }),
  ask(DeleteShareGroupOffsets, 0, { groupId: 'unknown', topics: [{ topicName: TOPIC }] }),
  ask(DeleteShareGroupOffsets, 0, { groupId: '', topics: [] }),
  ask(DescribeShareGroupOffsets, 1, { groups: [{ groupId: GROUP, topics: null }] }),
  // Offsets alone make a group; it has no target assignment yet.
  ask(AlterShareGroupOffsets, 0, {
    groupId: 'fresh',
    topics: [{ topicName: TOPIC, partitions: [{ partitionIndex: 0, startOffset: 3 }] }],
  }),
  ask(ShareGroupDescribe, 1, { groupIds: ['fresh'], includeAuthorizedOperations: false }),
  ask(DeleteGroups, 2, { groupsNames: ['fresh'] }),
  ask(DeleteGroups, 2, { groupsNames: [GROUP, 'unknown'] }),
  ask(ListGroups, 5, { statesFilter: [], typesFilter: [] }),
];

/** Share groups from the first heartbeat to their deletion, and what is wrong in between. */
export const SHARE_REQUESTS: readonly TranscriptRequest[] = [
  ...preparation,
  ...states,
  ...members,
  ...fetching,
  ...leaving,
  ...administration,
];
