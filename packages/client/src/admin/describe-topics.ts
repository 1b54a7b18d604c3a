import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, isKafkaError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { operationsOf, type AclOperation } from './acl-names.ts';
import type { AdminRequests } from './admin-requests.ts';

/** A topic with its partitions, in their order. */
export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionDescription[];
  /** What this client may do; undefined unless asked for. */
  readonly authorizedOperations: readonly AclOperation[] | undefined;
}

/** A partition, and the nodes that hold it. */
export interface PartitionDescription {
  readonly partition: number;
  /** Node id; -1 when there is none just now. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  /** KIP-966; undefined when the broker does not say. */
  readonly eligibleLeaderReplicas?: readonly number[] | undefined;
  readonly lastKnownElr?: readonly number[] | undefined;
}

/** What to ask for beside topics and partitions. */
export interface DescribeTopicsOptions extends CallLimits {
  readonly includeAuthorizedOperations?: boolean;
}

type Descriptions = Map<string, TopicDescription | KafkaError>;

/** Describes topics by DescribeTopicPartitions where the broker has it (KIP-966), else by Metadata. */
export async function describeTopics(
  requests: AdminRequests,
  names: readonly string[],
  options: DescribeTopicsOptions,
): Promise<Descriptions> {
  try {
    return await describeByPages(requests, names, options);
  } catch (error) {
    if (!isKafkaError(error, 'UNSUPPORTED_VERSION')) throw error;
  }
  const body = {
    topics: names.map((name) => ({ name })),
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: options.includeAuthorizedOperations ?? false,
  };
  return requests.ask('any', { api: apis.metadata, body }, options, ({ topics }) => {
    const results: Descriptions = new Map();
    for (const topic of topics) results.set(topic.name ?? '', outcomeOf(topic, `topic "${topic.name}"`));
    return results;
  });
}

/** Describes topics by their ids, which only Metadata can. */
export function describeTopicIds(
  requests: AdminRequests,
  topicIds: readonly string[],
  options: DescribeTopicsOptions,
): Promise<Descriptions> {
  const body = {
    topics: topicIds.map((topicId) => ({ topicId, name: null })),
    allowAutoTopicCreation: false,
    includeTopicAuthorizedOperations: options.includeAuthorizedOperations ?? false,
  };
  // Version 12 is the first that takes an id without a name.
  return requests.ask('any', { api: apis.metadata, body, minVersion: 12 }, options, ({ topics }) => {
    const results: Descriptions = new Map();
    for (const topic of topics) results.set(topic.topicId, outcomeOf(topic, `topic id "${topic.topicId}"`));
    return results;
  });
}

interface Cursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

/** Brokers answer with a part and where to go on. */
async function describeByPages(
  requests: AdminRequests,
  names: readonly string[],
  options: DescribeTopicsOptions,
): Promise<Descriptions> {
  const results: Descriptions = new Map();
  const sorted = [...names].sort();
  const page = (from: Cursor | null): Promise<Cursor | null> => {
    const topics = sorted.filter((name) => from === null || name >= from.topicName).map((name) => ({ name }));
    const request = { api: apis.describeTopicPartitions, body: { topics, cursor: from } };
    return requests.ask('any', request, options, ({ topics: described, nextCursor }) => {
      for (const topic of described) addPage(results, topic, options);
      return nextCursor;
    });
  };
  for (let cursor = await page(null); cursor !== null;) cursor = await page(cursor);
  return results;
}

function addPage(results: Descriptions, topic: TopicAnswer, options: DescribeTopicsOptions): void {
  const name = topic.name ?? '';
  const outcome = outcomeOf(topic, `topic "${name}"`);
  if (outcome instanceof KafkaError) {
    results.set(name, outcome);
    return;
  }
  const known = results.get(name);
  const before = known === undefined || known instanceof KafkaError ? [] : known.partitions;
  results.set(name, {
    ...outcome,
    // This API always gives them.
    authorizedOperations:
      options.includeAuthorizedOperations === true ? outcome.authorizedOperations : undefined,
    partitions: [...before, ...outcome.partitions],
  });
}

interface TopicAnswer {
  readonly errorCode: number;
  readonly name: string | null;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly topicAuthorizedOperations: number;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly leaderId: number;
    readonly leaderEpoch: number;
    readonly replicaNodes: readonly number[];
    readonly isrNodes: readonly number[];
    readonly offlineReplicas: readonly number[];
    readonly eligibleLeaderReplicas?: readonly number[] | null;
    readonly lastKnownElr?: readonly number[] | null;
  }[];
}

function outcomeOf(topic: TopicAnswer, what: string): TopicDescription | KafkaError {
  if (topic.errorCode !== ErrorCodes.NONE) return brokerError(topic.errorCode, null, what);
  return {
    name: topic.name ?? '',
    topicId: topic.topicId === ZERO_UUID ? '' : topic.topicId,
    isInternal: topic.isInternal,
    authorizedOperations: operationsOf(topic.topicAuthorizedOperations),
    partitions: topic.partitions
      .map((each) => ({
        partition: each.partitionIndex,
        leader: each.leaderId,
        leaderEpoch: each.leaderEpoch,
        replicas: each.replicaNodes,
        isr: each.isrNodes,
        offlineReplicas: each.offlineReplicas,
        eligibleLeaderReplicas: each.eligibleLeaderReplicas ?? undefined,
        lastKnownElr: each.lastKnownElr ?? undefined,
      }))
      .sort((a, b) => a.partition - b.partition),
  };
}
