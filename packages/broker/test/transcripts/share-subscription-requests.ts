import { ApiKeys } from '@ottla/protocol';
import { ask } from './ask.ts';
import type { TranscriptRequest } from './topic-requests.ts';

const GROUP = 'g';
const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';

const createTopic = (name: string): object => ({
  name,
  numPartitions: 2,
  replicationFactor: 1,
  assignments: [],
  configs: [],
});

const heartbeat = (memberEpoch: number, subscribedTopicNames: readonly string[] | null): TranscriptRequest =>
  ask(ApiKeys.ShareGroupHeartbeat, 1, {
    groupId: GROUP,
    memberId: MEMBER,
    memberEpoch,
    subscribedTopicNames,
  });

const assignmentInterval = (value: string): TranscriptRequest => {
  const configs = [{ name: 'share.assignment.interval.ms', configOperation: 0, value }];
  const resources = [{ resourceType: 32, resourceName: GROUP, configs }];
  return ask(ApiKeys.IncrementalAlterConfigs, 1, { resources, validateOnly: false });
};

/** A member changes its topics while the group's next assignment has to wait. */
export const SHARE_SUBSCRIPTION_REQUESTS: readonly TranscriptRequest[] = [
  ask(ApiKeys.CreateTopics, 7, {
    topics: [createTopic('a'), createTopic('b')],
    timeoutMs: 5000,
    validateOnly: false,
  }),
  assignmentInterval('0'),
  ask(ApiKeys.FindCoordinator, 6, { keyType: 0, coordinatorKeys: [GROUP] }),
  heartbeat(0, ['a', 'b']),
  heartbeat(2, null),
  // Names, even the same ones, ask for the whole answer.
  heartbeat(3, ['b', 'a']),
  heartbeat(3, null),
  assignmentInterval('15000'),
  heartbeat(3, ['b']),
  heartbeat(3, null),
  heartbeat(3, ['b']),
  heartbeat(3, ['missing']),
  heartbeat(3, ['a', 'missing']),
  heartbeat(3, ['a', 'b']),
  heartbeat(3, ['a']),
  assignmentInterval('0'),
  heartbeat(3, null),
  heartbeat(8, null),
  heartbeat(8, ['b']),
  heartbeat(-1, null),
];
