import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const { ApiVersions, UpdateFeatures, ConsumerGroupHeartbeat, ConsumerGroupDescribe, CreateTopics } = ApiKeys;
const { ShareGroupHeartbeat, StreamsGroupHeartbeat, FindCoordinator } = ApiKeys;
const { IncrementalAlterConfigs, DescribeConfigs } = ApiKeys;

const UPGRADE = 1;
const SAFE_DOWNGRADE = 2;
const UNSAFE_DOWNGRADE = 3;

type Update = readonly [feature: string, maxVersionLevel: number, upgradeType?: number];

const update = (updates: readonly Update[], fields: object = {}, version = 2): TranscriptRequest =>
  ask(UpdateFeatures, version, {
    timeoutMs: 10_000,
    featureUpdates: updates.map(([feature, maxVersionLevel, upgradeType = UPGRADE]) => ({
      feature,
      maxVersionLevel,
      ...(version === 0 ? { allowDowngrade: upgradeType !== UPGRADE } : { upgradeType }),
    })),
    ...fields,
  });

const validate = (...updates: readonly Update[]): TranscriptRequest =>
  update(updates, { validateOnly: true });

const apiVersions = ask(ApiVersions, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1' });

const metadataLevels = Array.from({ length: 28 }, (_, index) => index + 4);

const forms: readonly TranscriptRequest[] = [
  apiVersions,
  update([]),
  update([], {}, 0),
  update([['unknown', 1]]),
  update([['unknown', 1]], {}, 0),
  update([['unknown', 1]], {}, 1),
  update([['', 1]]),
  update([['unknown', 0, SAFE_DOWNGRADE]]),
  update([['group.version', 1, 0]]),
  update([['group.version', 1, 7]]),
  update([['group.version', 0, 0]]),
  update([['group.version', 1]]),
  update([['group.version', 1]], {}, 1),
  update([['group.version', 1]], {}, 0),
  update([['group.version', 1, SAFE_DOWNGRADE]]),
  update([['group.version', 1, UNSAFE_DOWNGRADE]]),
  update([['group.version', 2]]),
  update([['group.version', 2]], {}, 1),
  update([['group.version', 2, SAFE_DOWNGRADE]]),
  update([['group.version', -1]]),
  update([['group.version', -1, SAFE_DOWNGRADE]]),
  update([['group.version', 0]]),
  update([['group.version', 0]], {}, 0),
  update([['metadata.version', 30]]),
  update([
    ['group.version', 1],
    ['group.version', 0, SAFE_DOWNGRADE],
  ]),
  update(
    [
      ['group.version', 0, SAFE_DOWNGRADE],
      ['unknown', 1],
    ],
    {},
    1,
  ),
  update(
    [
      ['unknown', 1],
      ['group.version', 0, SAFE_DOWNGRADE],
    ],
    {},
    2,
  ),
  apiVersions,
];

const levels: readonly TranscriptRequest[] = [
  ...metadataLevels.map((level) => validate(['metadata.version', level, SAFE_DOWNGRADE])),
  validate(['metadata.version', 29, UNSAFE_DOWNGRADE]),
  validate(['metadata.version', 25, UNSAFE_DOWNGRADE]),
  validate(['metadata.version', 29]),
  validate(['metadata.version', 31]),
  validate(['metadata.version', 0, UNSAFE_DOWNGRADE]),
  validate(['metadata.version', 29, SAFE_DOWNGRADE], ['group.version', 0, SAFE_DOWNGRADE]),
  ...[0, 1, 2].map((level) => validate(['kraft.version', level])),
  ...[0, 1].map((level) => validate(['kraft.version', level, SAFE_DOWNGRADE])),
  ...['eligible.leader.replicas.version', 'share.version', 'streams.version', 'transaction.version'].flatMap(
    (feature) => [
      ...[0, 1, 2, 3].map((level) => validate([feature, level])),
      ...[0, 1, 2].map((level) => validate([feature, level, SAFE_DOWNGRADE])),
      validate([feature, 0, UNSAFE_DOWNGRADE]),
    ],
  ),
  update([['transaction.version', 1, SAFE_DOWNGRADE]], { validateOnly: true }, 1),
  apiVersions,
];

const heartbeats: readonly TranscriptRequest[] = [
  ask(ConsumerGroupHeartbeat, 1, {
    groupId: 'g',
    memberId: 'AAAAAAAAAAAAAAAAAAAAAQ',
    memberEpoch: 5,
    rebalanceTimeoutMs: -1,
  }),
  ask(ConsumerGroupDescribe, 1, { groupIds: ['g'], includeAuthorizedOperations: false }),
  ask(ShareGroupHeartbeat, 1, { groupId: 's', memberId: 'AAAAAAAAAAAAAAAAAAAAAQ', memberEpoch: 5 }),
  ask(StreamsGroupHeartbeat, 0, {
    groupId: 'w',
    memberId: 'member',
    memberEpoch: 5,
    endpointInformationEpoch: 0,
  }),
];

const setLevel = (...updates: readonly Update[]): TranscriptRequest[] => [
  update(updates),
  apiVersions,
  ...heartbeats,
];

const minInSyncReplicas = (resourceType: number, resourceName: string, value: string): TranscriptRequest =>
  ask(IncrementalAlterConfigs, 1, {
    resources: [
      { resourceType, resourceName, configs: [{ name: 'min.insync.replicas', configOperation: 0, value }] },
    ],
    validateOnly: false,
  });

const describeConfigs = (resourceType: number, resourceName: string): TranscriptRequest =>
  ask(DescribeConfigs, 4, {
    resources: [{ resourceType, resourceName, configurationKeys: ['min.insync.replicas'] }],
    includeSynonyms: false,
    includeDocumentation: false,
  });

const changes: readonly TranscriptRequest[] = [
  ask(CreateTopics, 7, {
    topics: [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }],
    timeoutMs: 10_000,
    validateOnly: false,
  }),
  ask(FindCoordinator, 6, { keyType: 0, coordinatorKeys: ['g'] }),
  ...setLevel(['group.version', 0, SAFE_DOWNGRADE]),
  ...setLevel(['share.version', 0, SAFE_DOWNGRADE], ['streams.version', 0, UNSAFE_DOWNGRADE]),
  ...setLevel(['group.version', 1], ['share.version', 1], ['streams.version', 1]),
  ...setLevel(['transaction.version', 1, SAFE_DOWNGRADE]),
  update([['transaction.version', 0, SAFE_DOWNGRADE]], {}, 0),
  update([['transaction.version', 2]], {}, 0),
  apiVersions,
  update([['eligible.leader.replicas.version', 0, SAFE_DOWNGRADE]]),
  minInSyncReplicas(4, '', '1'),
  minInSyncReplicas(4, '1', '1'),
  describeConfigs(4, ''),
  minInSyncReplicas(2, 't', '1'),
  update([['eligible.leader.replicas.version', 1]]),
  describeConfigs(4, ''),
  describeConfigs(4, '1'),
  describeConfigs(2, 't'),
  apiVersions,
];

/** Feature levels: what may be set, what may not, and what a level does to the APIs that hang on it. */
export const FEATURE_REQUESTS: readonly TranscriptRequest[] = [...forms, ...levels, ...changes];
