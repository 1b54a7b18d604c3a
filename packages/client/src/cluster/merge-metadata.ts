import { ErrorCodes, ZERO_UUID, type MetadataResponse } from '@ottla/protocol';
import type {
  BrokerNode,
  ClusterMetadata,
  LeaderHint,
  PartitionMetadata,
  TopicMetadata,
} from './metadata.ts';

type TopicAnswer = MetadataResponse['topics'][number];

const NO_OPERATIONS = -2_147_483_648;

/** Which topics a Metadata request asked for: these names, or all there are. */
export type Asked = ReadonlySet<string> | 'all';

/**
 * The metadata after an answer. Topics that were asked for and not given are forgotten, others stay as they were. A leader is never
 * replaced by one of an older epoch: brokers learn of changes at different times.
 */
export function mergeMetadata(
  known: ClusterMetadata,
  answer: MetadataResponse,
  asked: Asked,
  nowMs: number,
): ClusterMetadata {
  const keep = (name: string): boolean => asked !== 'all' && !asked.has(name);
  const topics = new Map([...known.topics].filter(([name]) => keep(name)));
  const topicErrors = new Map([...known.topicErrors].filter(([name]) => keep(name)));
  for (const topic of answer.topics) {
    if (topic.name === null) continue;
    if (topic.errorCode === ErrorCodes.NONE)
      topics.set(topic.name, topicOf(topic, known.topics.get(topic.name)));
    else topicErrors.set(topic.name, topic.errorCode);
  }
  return {
    clusterId: answer.clusterId ?? known.clusterId,
    controllerId: answer.controllerId,
    // A broker that knows none of the others has only just started: better to stay with what was known.
    brokers:
      answer.brokers.length === 0
        ? known.brokers
        : new Map(answer.brokers.map((broker) => [broker.nodeId, broker])),
    topics,
    topicNames: namesById(topics),
    topicErrors,
    updatedMs: nowMs,
  };
}

function topicOf(answer: TopicAnswer, known: TopicMetadata | undefined): TopicMetadata {
  const isSame = known !== undefined && known.topicId === answer.topicId;
  const count = answer.partitions.reduce((most, { partitionIndex }) => Math.max(most, partitionIndex + 1), 0);
  // A broken answer must not make us allocate by a number in it.
  const partitions: PartitionMetadata[] = Array.from(
    { length: Math.min(count, answer.partitions.length) },
    (_, partition) => ({
      partition,
      leaderId: -1,
      leaderEpoch: -1,
      replicas: [],
      isr: [],
      offlineReplicas: [],
      errorCode: ErrorCodes.LEADER_NOT_AVAILABLE,
    }),
  );
  for (const each of answer.partitions) {
    if (each.partitionIndex < 0 || each.partitionIndex >= partitions.length) continue;
    const before = isSame ? known.partitions[each.partitionIndex] : undefined;
    const isOlder = before !== undefined && each.leaderEpoch >= 0 && each.leaderEpoch < before.leaderEpoch;
    partitions[each.partitionIndex] = isOlder
      ? before
      : {
          partition: each.partitionIndex,
          leaderId: each.leaderId,
          leaderEpoch: each.leaderEpoch,
          replicas: each.replicaNodes,
          isr: each.isrNodes,
          offlineReplicas: each.offlineReplicas,
          errorCode: each.errorCode,
        };
  }
  return {
    name: answer.name ?? '',
    topicId: answer.topicId,
    isInternal: answer.isInternal,
    partitions,
    authorizedOperations:
      answer.topicAuthorizedOperations === NO_OPERATIONS ? undefined : answer.topicAuthorizedOperations,
  };
}

function namesById(topics: ReadonlyMap<string, TopicMetadata>): Map<string, string> {
  const names = new Map<string, string>();
  for (const { topicId, name } of topics.values()) if (topicId !== ZERO_UUID) names.set(topicId, name);
  return names;
}

/** The metadata after leaders that an answer told of (KIP-951); the same object when nothing is newer than what is known. */
export function applyLeaderHints(
  known: ClusterMetadata,
  hints: readonly LeaderHint[],
  endpoints: readonly BrokerNode[],
): ClusterMetadata {
  const brokers = new Map(known.brokers);
  for (const endpoint of endpoints) brokers.set(endpoint.nodeId, endpoint);
  const topics = new Map(known.topics);
  let isChanged = false;
  for (const { topic, partition, leaderId, leaderEpoch } of hints) {
    const before = topics.get(topic)?.partitions[partition];
    // Without the leader's address the hint is of no use.
    if (before === undefined || leaderEpoch <= before.leaderEpoch || !brokers.has(leaderId)) continue;
    const after = { ...before, leaderId, leaderEpoch, errorCode: ErrorCodes.NONE };
    const old = topics.get(topic)!;
    topics.set(topic, { ...old, partitions: old.partitions.with(partition, after) });
    isChanged = true;
  }
  return isChanged ? { ...known, brokers, topics } : known;
}
