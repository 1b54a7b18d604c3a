import { ApiKeys, ErrorCodes, offsetDeleteRequest, offsetDeleteResponse } from '@ottla/protocol';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';

type TopicResponse = OffsetDeleteResponse['topics'][number];

/** OffsetDelete, version 0 (KIP-496). Topics and partitions that do not exist are refused each for itself. */
export function offsetDeleteHandler(deps: {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataStore;
}): ApiHandler<OffsetDeleteRequest, OffsetDeleteResponse> {
  return {
    apiKey: ApiKeys.OffsetDelete,
    minVersion: 0,
    maxVersion: 0,
    request: offsetDeleteRequest,
    response: offsetDeleteResponse,

    async handle(request) {
      const { known, refused } = partition(request, deps.metadata.current());
      try {
        const results = await deps.groups.deleteOffsets({ groupId: request.groupId, topics: known });
        return { errorCode: ErrorCodes.NONE, throttleTimeMs: 0, topics: merge(refused, results) };
      } catch (failure) {
        return errorResponse(errorCodeOf(failure));
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode),
  };
}

function partition(
  request: OffsetDeleteRequest,
  image: MetadataImage,
): { known: { name: string; partitionIndexes: number[] }[]; refused: TopicResponse[] } {
  const known: { name: string; partitionIndexes: number[] }[] = [];
  const refused: TopicResponse[] = [];
  for (const { name, partitions } of request.topics) {
    const topic = image.topics.byName.get(name);
    const indexes = partitions.map(({ partitionIndex }) => partitionIndex);
    const existing = indexes.filter((index) => topic?.partitions[index] !== undefined);
    const missing = indexes.filter((index) => topic?.partitions[index] === undefined);
    if (existing.length > 0) known.push({ name, partitionIndexes: existing });
    if (missing.length > 0 || topic === undefined) {
      const errorCode = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      refused.push({ name, partitions: missing.map((partitionIndex) => ({ partitionIndex, errorCode })) });
    }
  }
  return { known, refused };
}

function merge(
  refused: readonly TopicResponse[],
  results: readonly {
    readonly name: string;
    readonly partitions: TopicResponse['partitions'] | readonly TopicResponse['partitions'][number][];
  }[],
): TopicResponse[] {
  const merged = refused.map(({ name, partitions }) => ({ name, partitions: [...partitions] }));
  const byName = new Map<string, TopicResponse>();
  // A topic that stands there twice is told of where it stands first.
  for (const topic of merged.toReversed()) byName.set(topic.name, topic);
  for (const { name, partitions } of results) {
    let topic = byName.get(name);
    if (topic === undefined) {
      topic = { name, partitions: [] };
      byName.set(name, topic);
      merged.push(topic);
    }
    for (const partition of partitions) topic.partitions.push(partition);
  }
  return merged;
}

function errorResponse(errorCode: number): OffsetDeleteResponse {
  return { errorCode, throttleTimeMs: 0, topics: [] };
}
