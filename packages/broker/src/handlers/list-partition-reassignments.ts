import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  listPartitionReassignmentsRequest,
  listPartitionReassignmentsResponse,
} from '@ottla/protocol';
import type { ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse } from '@ottla/protocol';
import type { MetadataStore, TopicImage } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';

type ResponseTopic = ListPartitionReassignmentsResponse['topics'][number];

/** Partitions whose replicas are being moved (KIP-455). `kafka-topics --describe` asks for it with every topic. */
export function listPartitionReassignmentsHandler(deps: {
  readonly metadata: MetadataStore;
}): ApiHandler<ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse> {
  return {
    apiKey: ApiKeys.ListPartitionReassignments,
    minVersion: 0,
    maxVersion: 0,
    request: listPartitionReassignmentsRequest,
    response: listPartitionReassignmentsResponse,

    handle(request) {
      const { byName } = deps.metadata.current().topics;
      const topics: ResponseTopic[] = [];
      if (request.topics === null) {
        for (const topic of byName.values()) addReassigning(topics, topic, null);
      } else {
        for (const { name, partitionIndexes } of request.topics) {
          const topic = byName.get(name);
          if (topic !== undefined) addReassigning(topics, topic, partitionIndexes);
        }
      }
      return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, errorMessage: null, topics };
    },

    errorResponse: (_request, errorCode) => ({
      throttleTimeMs: 0,
      errorCode,
      errorMessage: errorMessage(errorCode),
      topics: [],
    }),
  };
}

function addReassigning(topics: ResponseTopic[], topic: TopicImage, only: readonly number[] | null): void {
  const wanted = only === null ? null : new Set(only);
  const partitions = [];
  for (const partition of topic.partitions) {
    if (wanted?.has(partition.partition) === false) continue;
    if (partition.addingReplicas.length === 0 && partition.removingReplicas.length === 0) continue;
    partitions.push({
      partitionIndex: partition.partition,
      replicas: [...partition.replicas],
      addingReplicas: [...partition.addingReplicas],
      removingReplicas: [...partition.removingReplicas],
    });
  }
  if (partitions.length > 0) topics.push({ name: topic.name, partitions });
}
