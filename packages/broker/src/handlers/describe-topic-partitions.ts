import {
  ApiKeys,
  describeTopicPartitionsRequest,
  describeTopicPartitionsResponse,
  ErrorCodes,
  ZERO_UUID,
} from '@ottla/protocol';
import type { DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse } from '@ottla/protocol';
import { isInternalTopic } from '../controller/topic-names.ts';
import type { MetadataImage, MetadataStore, PartitionImage, TopicImage } from '../metadata/image.ts';
import { ALL_TOPIC_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';
import { aliveEndpoint, missingTopicError, offlineReplicas } from './partition-metadata.ts';

type ResponseTopic = DescribeTopicPartitionsResponse['topics'][number];
type ResponsePartition = ResponseTopic['partitions'][number];

export interface DescribeTopicPartitionsDeps {
  readonly metadata: MetadataStore;
  /** `max.request.partition.size.limit`: most partitions in one response. */
  readonly maxPartitionsPerResponse: () => number;
}

/** Partitions of topics page by page, in the order of topic names, with their eligible leader replicas (KIP-966). */
export function describeTopicPartitionsHandler(
  deps: DescribeTopicPartitionsDeps,
): ApiHandler<DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse> {
  return {
    apiKey: ApiKeys.DescribeTopicPartitions,
    minVersion: 0,
    maxVersion: 0,
    request: describeTopicPartitionsRequest,
    response: describeTopicPartitionsResponse,

    handle(request, context) {
      const image = deps.metadata.current();
      const { cursor } = request;
      const all = request.topics.length === 0;
      const asked = all ? [...image.topics.byName.keys()] : request.topics.map((topic) => topic.name);
      const from = cursor?.topicName ?? '';
      const names = [...new Set(asked)].filter((name) => name >= from).sort(compareCodeUnits);
      if (cursor !== null && (cursor.partitionIndex < 0 || (!all && !names.includes(cursor.topicName)))) {
        return errorResponse(request, ErrorCodes.INVALID_REQUEST);
      }
      const limit = Math.max(1, Math.min(deps.maxPartitionsPerResponse(), request.responsePartitionLimit));
      return page({ image, listenerName: context.connection.listenerName, all, cursor }, names, limit);
    },

    errorResponse,
  };
}

interface PageRequest {
  readonly image: MetadataImage;
  readonly listenerName: string;
  /** Topics that vanished meanwhile are left out instead of reported. */
  readonly all: boolean;
  readonly cursor: DescribeTopicPartitionsRequest['cursor'];
}

function page(
  request: PageRequest,
  names: readonly string[],
  limit: number,
): DescribeTopicPartitionsResponse {
  const response: DescribeTopicPartitionsResponse = { throttleTimeMs: 0, topics: [], nextCursor: null };
  let remaining = limit;
  for (const topicName of names) {
    if (remaining === 0) {
      response.nextCursor = { topicName, partitionIndex: 0 };
      break;
    }
    const topic = request.image.topics.byName.get(topicName);
    if (topic === undefined) {
      if (!request.all) response.topics.push(missingTopic(topicName, missingTopicError(topicName)));
      continue;
    }
    const first = request.cursor?.topicName === topicName ? request.cursor.partitionIndex : 0;
    const end = Math.min(topic.partitions.length, first + remaining);
    response.topics.push(existingTopic(request, topic, topic.partitions.slice(first, end)));
    if (end < topic.partitions.length) {
      response.nextCursor = { topicName, partitionIndex: end };
      break;
    }
    remaining -= Math.max(0, end - first);
  }
  return response;
}

function existingTopic(
  request: PageRequest,
  topic: TopicImage,
  partitions: readonly PartitionImage[],
): ResponseTopic {
  return {
    errorCode: ErrorCodes.NONE,
    name: topic.name,
    topicId: topic.id,
    isInternal: isInternalTopic(topic.name),
    partitions: partitions.map((partition) => describePartition(request, partition)),
    topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
  };
}

function missingTopic(name: string, errorCode: number): ResponseTopic {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: ALL_TOPIC_OPERATIONS,
  };
}

function describePartition(request: PageRequest, partition: PartitionImage): ResponsePartition {
  const { image, listenerName } = request;
  const leader = aliveEndpoint(image, partition.leader, listenerName);
  return {
    errorCode: ErrorCodes.NONE,
    partitionIndex: partition.partition,
    leaderId: leader === undefined ? -1 : partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    eligibleLeaderReplicas: [...partition.elr],
    lastKnownElr: [...partition.lastKnownElr],
    offlineReplicas: offlineReplicas(image, partition, listenerName),
  };
}

/** Java's String order, which clients expect of the pages. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function errorResponse(
  request: DescribeTopicPartitionsRequest,
  errorCode: number,
): DescribeTopicPartitionsResponse {
  return {
    throttleTimeMs: 0,
    topics: request.topics.map((topic) => ({
      ...missingTopic(topic.name, errorCode),
      isInternal: false,
      topicAuthorizedOperations: OPERATIONS_NOT_REQUESTED,
    })),
    nextCursor: null,
  };
}
