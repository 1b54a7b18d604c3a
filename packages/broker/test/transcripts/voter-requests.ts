import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';
import { addVoterBy, OTHER_DIRECTORY_ID, removeVoterOf } from './voter-change.ts';

const { ApiVersions, DescribeQuorum, UpdateFeatures } = ApiKeys;

const ZERO_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
/** The directory id of the one voter, which an answer to DescribeQuorum has told. */
const OWN_DIRECTORY = '$id:voter-1';

/** Nobody listens on port 1. */
const listeners = [{ name: 'CONTROLLER', host: '127.0.0.1', port: 1 }];

const voter = addVoterBy(listeners);
const removal = removeVoterOf(OWN_DIRECTORY);

const quorum = (version: number): TranscriptRequest =>
  ask(DescribeQuorum, version, {
    topics: [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }],
  });

const setKraftVersion = (maxVersionLevel: number, upgradeType: number): TranscriptRequest =>
  ask(UpdateFeatures, 2, {
    timeoutMs: 10_000,
    featureUpdates: [{ feature: 'kraft.version', maxVersionLevel, upgradeType }],
    validateOnly: true,
  });

/** Changes of the voters of a quorum whose one voter stands in the log (KIP-853). */
export const VOTER_REQUESTS: readonly TranscriptRequest[] = [
  ask(ApiVersions, 4, { clientSoftwareName: 'test', clientSoftwareVersion: '1' }),
  ...[0, 1, 2].map(quorum),
  setKraftVersion(0, 2),
  setKraftVersion(1, 1),
  setKraftVersion(2, 1),
  voter({ clusterId: 'another' }),
  voter({ voterId: -1 }),
  voter({ voterDirectoryId: ZERO_ID }),
  voter({ listeners: [] }),
  voter({ listeners: [{ name: 'OTHER', host: 'localhost', port: 1 }] }),
  voter({ voterId: 1 }),
  voter({ voterId: 1, voterDirectoryId: OWN_DIRECTORY }),
  voter(),
  voter({}, 0),
  voter({ ackWhenCommitted: false }),
  removal({ clusterId: 'another' }),
  removal({ voterDirectoryId: ZERO_ID }),
  removal({ voterId: 2 }),
  removal({ voterDirectoryId: OTHER_DIRECTORY_ID }),
  removal(),
  quorum(2),
];
