import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';
import { addVoterBy, OTHER_DIRECTORY_ID, removeVoterOf } from './voter-change.ts';

const { CreateTopics, DescribeAcls, CreateAcls, DeleteAcls, DescribeQuorum, ElectLeaders } = ApiKeys;
const { CreateDelegationToken, RenewDelegationToken, ExpireDelegationToken } = ApiKeys;
const { DescribeDelegationToken, AlterPartitionReassignments, ListPartitionReassignments } = ApiKeys;
const { UnregisterBroker, DescribeTopicPartitions } = ApiKeys;

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';

const preparation: readonly TranscriptRequest[] = [
  ask(CreateTopics, 7, {
    topics: [{ name: 't', numPartitions: 2, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
    validateOnly: false,
  }),
];

const aclFilter = {
  resourceTypeFilter: 2,
  resourceNameFilter: 't',
  patternTypeFilter: 3,
  principalFilter: 'User:alice',
  hostFilter: '*',
  operation: 3,
  permissionType: 3,
};

const acl = {
  resourceType: 2,
  resourceName: 't',
  resourcePatternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
};

const acls: readonly TranscriptRequest[] = [
  ...[1, 2, 3].map((version) => ask(DescribeAcls, version, aclFilter)),
  ask(DescribeAcls, 3, { ...aclFilter, resourceNameFilter: null, principalFilter: null, hostFilter: null }),
  ...[1, 2, 3].map((version) => ask(CreateAcls, version, { creations: [acl] })),
  ask(CreateAcls, 3, { creations: [] }),
  ask(CreateAcls, 3, { creations: [acl, { ...acl, resourceType: 4, resourceName: 'no cluster' }] }),
  ask(CreateAcls, 3, { creations: [{ ...acl, principal: 'nonsense' }] }),
  ...[1, 2, 3].map((version) => ask(DeleteAcls, version, { filters: [aclFilter] })),
  ask(DeleteAcls, 3, { filters: [] }),
  ask(DeleteAcls, 3, { filters: [aclFilter, aclFilter] }),
];

const alice = { principalType: 'User', principalName: 'alice' };
const owner = { ownerPrincipalType: 'User', ownerPrincipalName: 'bob' };
const hmac = Buffer.from('secret');

const tokens: readonly TranscriptRequest[] = [
  ...[1, 2].map((version) => ask(CreateDelegationToken, version, { renewers: [alice], maxLifetimeMs: -1 })),
  ask(CreateDelegationToken, 3, { ...owner, renewers: [], maxLifetimeMs: 60_000 }),
  ask(CreateDelegationToken, 3, { ownerPrincipalType: null, ownerPrincipalName: null, renewers: [] }),
  ask(CreateDelegationToken, 3, { ownerPrincipalType: '', ownerPrincipalName: '', renewers: [alice] }),
  ...[1, 2].map((version) => ask(RenewDelegationToken, version, { hmac, renewPeriodMs: 1000 })),
  ...[1, 2].map((version) => ask(ExpireDelegationToken, version, { hmac, expiryTimePeriodMs: -1 })),
  ...[1, 2, 3].map((version) => ask(DescribeDelegationToken, version, { owners: null })),
  ask(DescribeDelegationToken, 3, { owners: [] }),
  ask(DescribeDelegationToken, 3, { owners: [alice] }),
];

const quorum = (version: number, topicName: string, ...partitions: readonly number[]): TranscriptRequest =>
  ask(DescribeQuorum, version, {
    topics: [{ topicName, partitions: partitions.map((partitionIndex) => ({ partitionIndex })) }],
  });

const quorums: readonly TranscriptRequest[] = [
  ...[0, 1, 2].map((version) => quorum(version, '__cluster_metadata', 0)),
  ...[0, 2].map((version) => quorum(version, 'unknown', 0)),
  ...[0, 2].map((version) => quorum(version, '__cluster_metadata', 1)),
  quorum(2, '__cluster_metadata', 0, 1),
  quorum(2, '__cluster_metadata'),
  ask(DescribeQuorum, 2, { topics: [] }),
];

const PREFERRED = 0;
const UNCLEAN = 1;

const elect = (
  electionType: number,
  topicPartitions: readonly (readonly [topic: string, ...partitions: number[]])[] | null,
  version = 2,
): TranscriptRequest =>
  ask(ElectLeaders, version, {
    electionType,
    timeoutMs: 10_000,
    topicPartitions: topicPartitions?.map(([topic, ...partitions]) => ({ topic, partitions })) ?? null,
  });

const elections: readonly TranscriptRequest[] = [
  ...[0, 1, 2].map((version) => elect(PREFERRED, [['t', 0]], version)),
  elect(PREFERRED, [['t', 1, 0]]),
  elect(PREFERRED, [
    ['t', 0, 9, -1],
    ['unknown', 0, 1],
  ]),
  elect(PREFERRED, null),
  elect(PREFERRED, null, 0),
  elect(PREFERRED, []),
  elect(PREFERRED, [['t']]),
  elect(UNCLEAN, [['t', 0, 9]]),
  elect(UNCLEAN, [['unknown', 0]]),
  elect(UNCLEAN, null),
  elect(UNCLEAN, null, 1),
  elect(7, [['t', 0]]),
  elect(7, null),
];

type Move = readonly [partition: number, replicas: readonly number[] | null];

const reassign = (
  moves: readonly (readonly [topic: string, ...moves: Move[]])[],
  fields: object = {},
  version = 1,
): TranscriptRequest =>
  ask(AlterPartitionReassignments, version, {
    timeoutMs: 10_000,
    topics: moves.map(([name, ...partitions]) => ({
      name,
      partitions: partitions.map(([partitionIndex, replicas]) => ({ partitionIndex, replicas })),
    })),
    ...fields,
  });

const listReassignments = (topics: readonly object[] | null): TranscriptRequest =>
  ask(ListPartitionReassignments, 0, { timeoutMs: 10_000, topics });

const describeTopic = ask(DescribeTopicPartitions, 0, { topics: [{ name: 't' }] });

const reassignments: readonly TranscriptRequest[] = [
  reassign([['t', [0, [1]]]], {}, 0),
  reassign([['t', [0, [1]], [1, [1]]]]),
  describeTopic,
  reassign([['t', [0, [2]]]]),
  reassign([['t', [0, [1, 2]]]]),
  reassign([['t', [0, [2, 3, 1]]]]),
  reassign([['t', [0, [1, 1]]]]),
  reassign([['t', [0, []]]]),
  reassign([['t', [0, [-1]]]]),
  reassign([['t', [0, [1, -1]]]]),
  reassign([['t', [0, null]]]),
  reassign([
    ['t', [9, [1]], [9, null], [-1, [1]]],
    ['unknown', [0, [1]], [0, null]],
  ]),
  reassign([['t', [0, [1]], [0, [1]]]]),
  reassign([
    ['t', [0, [1]]],
    ['t', [0, [1]], [1, null]],
  ]),
  reassign([['t', [0, [1]]]], { allowReplicationFactorChange: false }),
  reassign([['t', [0, [1, 2]], [1, []]]], { allowReplicationFactorChange: false }),
  reassign([['t']]),
  reassign([]),
  listReassignments(null),
  listReassignments([{ name: 't', partitionIndexes: [0, 9] }]),
  listReassignments([{ name: 'unknown', partitionIndexes: [0] }]),
  listReassignments([]),
  describeTopic,
];

const listeners = [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }];

const voter = addVoterBy(listeners);
const removal = removeVoterOf(ZERO_ID);

/** Changes of the voters, which a quorum refuses whose one voter is named by `controller.quorum.voters`. */
const voters: readonly TranscriptRequest[] = [
  voter({}, 0),
  voter(),
  voter({ clusterId: 'another' }),
  voter({ voterId: 1 }),
  voter({ voterId: -1 }),
  voter({ listeners: [] }),
  voter({ listeners: [{ name: 'OTHER', host: 'localhost', port: 9093 }] }),
  voter({ voterDirectoryId: ZERO_ID }),
  voter({ ackWhenCommitted: false }),
  removal(),
  removal({ clusterId: 'another' }),
  removal({ voterId: 2 }),
  removal({ voterDirectoryId: OTHER_DIRECTORY_ID }),
];

const unregistrations: readonly TranscriptRequest[] = [
  ask(UnregisterBroker, 0, { brokerId: 7 }),
  ask(UnregisterBroker, 0, { brokerId: -1 }),
];

/** What administrators ask of a cluster that consists of one node without an authorizer. */
export const CLUSTER_REQUESTS: readonly TranscriptRequest[] = [
  ...preparation,
  ...acls,
  ...tokens,
  ...quorums,
  ...elections,
  ...reassignments,
  ...voters,
  ...unregistrations,
];
