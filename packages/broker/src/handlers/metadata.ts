import { ApiKeys, ErrorCodes, metadataRequest, metadataResponse, ZERO_UUID } from '@ottla/protocol';
import type { MetadataRequest, MetadataResponse } from '@ottla/protocol';
import { isInternalTopic } from '../controller/topic-names.ts';
import type { MetadataImage, MetadataStore, PartitionImage, TopicImage } from '../metadata/image.ts';
import {
  ALL_CLUSTER_OPERATIONS,
  ALL_TOPIC_OPERATIONS,
  OPERATIONS_NOT_REQUESTED,
} from './authorized-operations.ts';
import type { PartitionChangeQuota } from '../controller/controller.ts';
import type { MutationQuota } from '../quota/mutation-quota.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { chargeMutations } from './throttle.ts';
import {
  advertisedController,
  aliveBrokers,
  aliveEndpoint,
  missingTopicError,
  offlineReplicas,
} from './partition-metadata.ts';

type ResponseTopic = MetadataResponse['topics'][number];
type ResponsePartition = ResponseTopic['partitions'][number];

export interface MetadataHandlerDeps {
  readonly metadata: MetadataStore;
  /** Whether clients may create topics by asking for them (`auto.create.topics.enable`). */
  readonly autoCreateTopics: () => boolean;
  /** Starts the creation of topics; the answer that clients get meanwhile is an error code for each. */
  readonly requestTopicCreation: (names: readonly string[], quota: PartitionChangeQuota) => number[];
  readonly mutations: MutationQuota;
}

/** Which brokers there are and who leads what: the first thing that every client asks. */
export function metadataHandler(deps: MetadataHandlerDeps): ApiHandler<MetadataRequest, MetadataResponse> {
  return {
    apiKey: ApiKeys.Metadata,
    minVersion: 0,
    maxVersion: 13,
    request: metadataRequest,
    response: metadataResponse,

    handle(request, context) {
      const image = deps.metadata.current();
      const { apiVersion } = context;
      if (
        apiVersion < 12 &&
        request.topics?.some((topic) => topic.name === null || topic.topicId !== ZERO_UUID)
      ) {
        return errorResponse(request, ErrorCodes.INVALID_REQUEST);
      }
      const topics = requestedTopics(deps, request, context);
      const withOperations = apiVersion >= 8 && request.includeTopicAuthorizedOperations;
      for (const topic of topics) {
        if (withOperations && topic.name !== null) topic.topicAuthorizedOperations = ALL_TOPIC_OPERATIONS;
      }
      return {
        throttleTimeMs: 0,
        brokers: aliveBrokers(image, context.connection.listenerName).map(({ id, host, port, rack }) => ({
          nodeId: id,
          host,
          port,
          rack,
        })),
        clusterId: image.clusterId,
        controllerId: advertisedController(image),
        topics,
        clusterAuthorizedOperations:
          apiVersion >= 8 && apiVersion <= 10 && request.includeClusterAuthorizedOperations
            ? ALL_CLUSTER_OPERATIONS
            : OPERATIONS_NOT_REQUESTED,
        errorCode: ErrorCodes.NONE,
      };
    },

    errorResponse,
  };
}

function requestedTopics(
  deps: MetadataHandlerDeps,
  request: MetadataRequest,
  context: RequestContext,
): ResponseTopic[] {
  const image = deps.metadata.current();
  const { byId, byName } = image.topics;
  // Version 0 has no null array: there an empty one asks for everything.
  const all = request.topics === null || (context.apiVersion === 0 && request.topics.length === 0);
  if (all || request.topics === null)
    return [...byName.values()].map((topic) => existingTopic(image, topic, context));

  const ids = new Set<string>();
  for (const { topicId } of request.topics) if (topicId !== ZERO_UUID) ids.add(topicId);
  if (ids.size > 0) {
    // Unknown ids come first, as in Kafka; names beside ids are ignored.
    const known = [...ids]
      .filter((id) => byId.has(id))
      .map((id) => existingTopic(image, byId.get(id) as TopicImage, context));
    const unknown = [...ids]
      .filter((id) => !byId.has(id))
      .map((id) => missingTopic(null, id, ErrorCodes.UNKNOWN_TOPIC_ID));
    return [...unknown, ...known];
  }

  const names = new Set<string>();
  for (const { name } of request.topics) if (name !== null) names.add(name);
  const existing: ResponseTopic[] = [];
  const missing: string[] = [];
  const mayCreate = request.allowAutoTopicCreation && deps.autoCreateTopics();
  for (const name of names) {
    const topic = byName.get(name);
    if (topic !== undefined) existing.push(existingTopic(image, topic, context));
    else missing.push(name);
  }
  const errors = mayCreate
    ? deps.requestTopicCreation(missing, chargeMutations(deps.mutations, context, 0).quota)
    : missing.map(missingTopicError);
  return existing.concat(missing.map((name, index) => missingTopic(name, ZERO_UUID, errors[index]!)));
}

function existingTopic(image: MetadataImage, topic: TopicImage, context: RequestContext): ResponseTopic {
  return {
    errorCode: ErrorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => partitionMetadata(image, partition, context)),
    topicAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
  };
}

function missingTopic(name: string | null, topicId: string, errorCode: number): ResponseTopic {
  return {
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
  };
}

function partitionMetadata(
  image: MetadataImage,
  partition: PartitionImage,
  context: RequestContext,
): ResponsePartition {
  const { listenerName } = context.connection;
  const leader = aliveEndpoint(image, partition.leader, listenerName);
  const offline = offlineReplicas(image, partition, listenerName);
  let { replicas, isr } = partition;
  let errorCode: number = ErrorCodes.NONE;
  if (context.apiVersion === 0) {
    // Clients of version 0 take every replica named for reachable.
    replicas = replicas.filter((id) => !offline.includes(id));
    isr = isr.filter((id) => !offline.includes(id));
    if (replicas.length < partition.replicas.length || isr.length < partition.isr.length) {
      errorCode = ErrorCodes.REPLICA_NOT_AVAILABLE;
    }
  }
  if (leader === undefined) {
    const otherListener = image.brokers.has(partition.leader) && context.apiVersion >= 6;
    errorCode = otherListener ? ErrorCodes.LISTENER_NOT_FOUND : ErrorCodes.LEADER_NOT_AVAILABLE;
  }
  return {
    errorCode,
    partitionIndex: partition.partition,
    leaderId: leader === undefined ? -1 : partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...replicas],
    isrNodes: [...isr],
    offlineReplicas: offline,
  };
}

function errorResponse(request: MetadataRequest, errorCode: number): MetadataResponse {
  const topics = request.topics ?? [];
  return {
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: topics.map((topic) => ({
      ...missingTopic(topic.name ?? '', topic.topicId, errorCode),
      isInternal: false,
    })),
    clusterAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
    errorCode: ErrorCodes.NONE,
  };
}
