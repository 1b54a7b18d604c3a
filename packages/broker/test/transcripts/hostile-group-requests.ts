import { ApiKeys } from '@ottla/protocol';
import type { TranscriptRequest } from './topic-requests.ts';

const { CreateTopics, FindCoordinator, InitProducerId, AddOffsetsToTxn, TxnOffsetCommit, EndTxn } = ApiKeys;
const { JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, OffsetFetch } = ApiKeys;
const { ConsumerGroupHeartbeat, ConsumerGroupDescribe, ShareGroupHeartbeat, StreamsGroupHeartbeat } = ApiKeys;
const { ListGroups, DescribeTransactions } = ApiKeys;

/** More than a record of the coordinators' topics may have (`message.max.bytes` is 1 MiB). */
const TOO_LARGE = 1_200_000;
/** Names that are too much together. */
const LARGE_LIST = Array.from({ length: 60 }, (_, i) => `${i}${'x'.repeat(20_000)}`);
/** As long as a text may be. */
const LONG_NAME = 'n'.repeat(32_767);
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';
const OTHER_MEMBER = 'BAAAAAAAAAAAAAAAAAAAAQ';

const ask = (apiKey: number, version: number, body: object): TranscriptRequest => ({
  apiKey,
  version,
  body: body as TranscriptRequest['body'],
});

/** A consumer's subscription to `t` with so many bytes of user data. */
function subscription(userDataBytes: number): Buffer {
  const head = Buffer.from([0, 1, 0, 0, 0, 1, 0, 1, 't'.charCodeAt(0), 0, 0, 0, 0]);
  const tail = Buffer.alloc(4);
  head.writeInt32BE(userDataBytes, 9);
  return Buffer.concat([head, Buffer.alloc(userDataBytes, 'u'), tail]);
}

function join(
  groupId: string,
  fields: { memberId?: string; userDataBytes?: number; version?: number } = {},
): TranscriptRequest {
  return ask(JoinGroup, fields.version ?? 3, {
    groupId,
    memberId: fields.memberId ?? '',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscription(fields.userDataBytes ?? 0) }],
  });
}

function sync(
  groupId: string,
  memberId: string,
  generationId: number,
  assignmentBytes: number,
): TranscriptRequest {
  const assignments = [{ memberId, assignment: Buffer.alloc(assignmentBytes, 'a') }];
  return ask(SyncGroup, 4, { groupId, memberId, generationId, assignments });
}

const heartbeat = (groupId: string, memberId: string, generationId: number): TranscriptRequest =>
  ask(Heartbeat, 4, { groupId, memberId, generationId });

const leave = (groupId: string, memberId: string): TranscriptRequest =>
  ask(LeaveGroup, 3, { groupId, members: [{ memberId }] });

const committed = (metadataBytes: number, count = 1): object[] => {
  const one = {
    partitionIndex: 0,
    committedOffset: 1,
    committedLeaderEpoch: -1,
    committedMetadata: 'm'.repeat(metadataBytes),
  };
  return [{ name: 't', partitions: Array.from({ length: count }, () => one) }];
};

function commit(groupId: string, topics: object[], member: object = {}): TranscriptRequest {
  return ask(OffsetCommit, 9, {
    groupId,
    memberId: '',
    groupInstanceId: null,
    generationIdOrMemberEpoch: -1,
    topics,
    ...member,
  });
}

const offsetsOf = (groupId: string): TranscriptRequest =>
  ask(OffsetFetch, 9, {
    groups: [{ groupId, memberId: null, memberEpoch: -1, topics: [{ name: 't', partitionIndexes: [0] }] }],
    requireStable: false,
  });

const groups = ask(ListGroups, 5, { statesFilter: [], typesFilter: [] });

const CLASSIC: readonly TranscriptRequest[] = [
  // Metadata that no record can hold: the join needs no record, the sync does.
  join('large-metadata', { userDataBytes: TOO_LARGE }),
  sync('large-metadata', '$member:0', 1, 10),
  heartbeat('large-metadata', '$member:0', 1),
  sync('large-metadata', '$member:0', 1, 10),
  leave('large-metadata', '$member:0'),
  // An assignment that no record can hold; the same member goes on with one that fits.
  join('large-assignment'),
  sync('large-assignment', '$member:1', 1, TOO_LARGE),
  heartbeat('large-assignment', '$member:1', 1),
  join('large-assignment', { memberId: '$member:1' }),
  sync('large-assignment', '$member:1', 2, 10),
  heartbeat('large-assignment', '$member:1', 2),
  // Epochs and members that are not theirs.
  heartbeat('large-assignment', '$member:1', 1),
  heartbeat('large-assignment', 'nobody', 2),
  sync('large-assignment', '$member:1', 1, 10),
  sync('large-assignment', 'nobody', 2, 10),
  commit('large-assignment', committed(1), { memberId: '$member:1', generationIdOrMemberEpoch: 1 }),
  commit('large-assignment', committed(1), { memberId: 'nobody', generationIdOrMemberEpoch: 2 }),
  commit('large-assignment', committed(4096), { memberId: '$member:1', generationIdOrMemberEpoch: 2 }),
  commit('large-assignment', committed(4097), { memberId: '$member:1', generationIdOrMemberEpoch: 2 }),
  leave('large-assignment', 'nobody'),
  leave('large-assignment', '$member:1'),
  // Many commits of one request, each small enough, together too large for a batch.
  commit('many-commits', committed(4096, 300)),
  offsetsOf('many-commits'),
  commit('many-commits', committed(4096, 200)),
  join(LONG_NAME, { version: 6 }),
  join(LONG_NAME, { version: 6, memberId: '$member:2' }),
  sync(LONG_NAME, '$member:2', 1, 10),
  heartbeat(LONG_NAME, 'nobody', 1),
  commit(LONG_NAME, committed(1)),
  offsetsOf(LONG_NAME),
  groups,
];

function consumer(groupId: string, memberEpoch: number, fields: object = {}): TranscriptRequest {
  return ask(ConsumerGroupHeartbeat, 1, {
    groupId,
    memberId: MEMBER,
    memberEpoch,
    instanceId: null,
    rackId: null,
    rebalanceTimeoutMs: 30_000,
    subscribedTopicNames: ['t'],
    subscribedTopicRegex: null,
    serverAssignor: null,
    topicPartitions: [],
    ...fields,
  });
}

const CONSUMER: readonly TranscriptRequest[] = [
  consumer('large', 0, { subscribedTopicNames: LARGE_LIST }),
  consumer('large', 0, { serverAssignor: LONG_NAME }),
  ask(ConsumerGroupDescribe, 1, { groupIds: ['large'] }),
  consumer(LONG_NAME, 0),
  consumer('large', 0),
  consumer('large', 2, { subscribedTopicNames: LARGE_LIST }),
  consumer('large', 2, { subscribedTopicNames: ['t'] }),
  consumer('large', 1, { topicPartitions: null }),
  consumer('large', 7, { topicPartitions: null }),
  consumer('large', 2, { memberId: OTHER_MEMBER }),
  commit('large', committed(4097), { memberId: MEMBER, generationIdOrMemberEpoch: 2 }),
  commit('large', committed(4096, 300), { memberId: MEMBER, generationIdOrMemberEpoch: 2 }),
  commit('large', committed(1), { memberId: MEMBER, generationIdOrMemberEpoch: 1 }),
  commit('large', committed(1), { memberId: 'nobody', generationIdOrMemberEpoch: 2 }),
  consumer('large', -1, { subscribedTopicNames: null, rebalanceTimeoutMs: -1, topicPartitions: null }),
  groups,
];

function share(groupId: string, memberEpoch: number, fields: object = {}): TranscriptRequest {
  return ask(ShareGroupHeartbeat, 1, {
    groupId,
    memberId: MEMBER,
    memberEpoch,
    subscribedTopicNames: ['t'],
    ...fields,
  });
}

const SHARE: readonly TranscriptRequest[] = [
  share('shared', 0, { subscribedTopicNames: LARGE_LIST }),
  share(LONG_NAME, 0),
  share('shared', 0),
  share('shared', 2, { subscribedTopicNames: LARGE_LIST }),
  share('shared', 9, { subscribedTopicNames: null }),
  share('shared', 2, { memberId: OTHER_MEMBER, subscribedTopicNames: null }),
  share('shared', -1, { subscribedTopicNames: null }),
  groups,
];

function streams(groupId: string, memberEpoch: number, fields: object = {}): TranscriptRequest {
  const subtopology = { subtopologyId: '0', sourceTopics: ['t'] };
  return ask(StreamsGroupHeartbeat, 0, {
    groupId,
    memberId: MEMBER,
    memberEpoch,
    endpointInformationEpoch: -1,
    rebalanceTimeoutMs: 30_000,
    topology: memberEpoch === 0 ? { epoch: 0, subtopologies: [subtopology] } : null,
    activeTasks: [],
    standbyTasks: [],
    warmupTasks: [],
    processId: 'process',
    clientTags: [],
    ...fields,
  });
}

const STREAMS: readonly TranscriptRequest[] = [
  streams('streamed', 0, { clientTags: LARGE_LIST.map((value, i) => ({ key: `k${i}`, value })) }),
  streams('streamed', 0, {
    topology: { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: LARGE_LIST }] },
  }),
  streams(LONG_NAME, 0),
  streams('streamed', 0),
  streams('streamed', 9),
  streams('streamed', 1, { memberId: OTHER_MEMBER }),
  streams('streamed', -1, { topology: null }),
  groups,
];

/** The second that the new cluster has given out. */
const PRODUCER = { transactionalId: 'id', producerId: 1, producerEpoch: 0 };

function commitInTransaction(groupId: string, topics: object[], member: object = {}): TranscriptRequest {
  return ask(TxnOffsetCommit, 4, {
    ...PRODUCER,
    groupId,
    generationId: -1,
    memberId: '',
    groupInstanceId: null,
    topics,
    ...member,
  });
}

const TRANSACTIONS: readonly TranscriptRequest[] = [
  ask(InitProducerId, 4, { transactionalId: LONG_NAME, transactionTimeoutMs: 60_000 }),
  ask(InitProducerId, 4, { transactionalId: 'id', transactionTimeoutMs: 60_000 }),
  ask(AddOffsetsToTxn, 3, { ...PRODUCER, groupId: 'offsets' }),
  commitInTransaction('offsets', committed(4097)),
  commitInTransaction('offsets', committed(4096, 300)),
  commitInTransaction('offsets', committed(1), { generationId: 5, memberId: 'nobody' }),
  commitInTransaction('offsets', committed(1)),
  ask(EndTxn, 4, { ...PRODUCER, committed: true }),
  ask(DescribeTransactions, 0, { transactionalIds: [LONG_NAME] }),
];

/** Recorded where a group of each kind has room for one member. */
const FULL: readonly TranscriptRequest[] = [
  join('full classic'),
  join('full classic'),
  consumer('full consumer', 0),
  consumer('full consumer', 0, { memberId: OTHER_MEMBER }),
  consumer('full consumer', 0),
  share('full share', 0),
  share('full share', 0, { memberId: OTHER_MEMBER }),
  share('full share', -1, { subscribedTopicNames: null }),
  share('full share', 0, { memberId: OTHER_MEMBER }),
  streams('full streams', 0),
  streams('full streams', 0, { memberId: OTHER_MEMBER }),
];

/** A coordinator is looked for before it is asked, so that its topic is made. */
const find = (keyType: number, key: string): TranscriptRequest =>
  ask(FindCoordinator, 4, { keyType, coordinatorKeys: [key] });

/** What is too large or too long for the coordinators' records, epochs that are over, and members that nobody knows. */
export const HOSTILE_GROUP_REQUESTS: readonly TranscriptRequest[] = [
  ask(CreateTopics, 7, {
    topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
  }),
  find(0, 'g'),
  find(1, 'id'),
  ...CLASSIC,
  ...CONSUMER,
  ...SHARE,
  ...STREAMS,
  ...TRANSACTIONS,
  ...FULL,
];
