import { ApiKeys, ErrorCodes, offsetDeleteRequest, offsetDeleteResponse, ZERO_UUID } from '@ottla/protocol';
import type { OffsetDeleteRequest, OffsetDeleteResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { DeleteOffsetsCommand, TopicErrors } from '../coordinator/group/offsets/offset-types.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';
import { allPartitions, mergeTopicErrors } from './offset-commit-topics.ts';

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
      const { known, refused } = sortOut(request, deps.metadata.current());
      try {
        const results = await deps.groups.deleteOffsets({ groupId: request.groupId, topics: known });
        const topics = mergeTopicErrors(refused, results).map(({ name, partitions }) => ({
          name,
          partitions: [...partitions],
        }));
        return { errorCode: ErrorCodes.NONE, throttleTimeMs: 0, topics };
      } catch (failure) {
        return errorResponse(errorCodeOf(failure));
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode),
  };
}

/** What exists, to be deleted, and what does not, with its error. */
function sortOut(
  request: OffsetDeleteRequest,
  image: MetadataImage,
): { known: DeleteOffsetsCommand['topics']; refused: TopicErrors[] } {
  const known: DeleteOffsetsCommand['topics'][number][] = [];
  const refused: TopicErrors[] = [];
  for (const { name, partitions } of request.topics) {
    const topic = image.topics.byName.get(name);
    const exists = ({ partitionIndex }: { partitionIndex: number }): boolean =>
      topic?.partitions[partitionIndex] !== undefined;
    const existing = partitions.filter(exists).map(({ partitionIndex }) => partitionIndex);
    const missing = partitions.filter((asked) => !exists(asked));
    if (existing.length > 0) known.push({ name, partitionIndexes: existing });
    if (missing.length > 0 || topic === undefined) {
      const errorCode = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      refused.push(allPartitions({ name, partitions: missing }, ZERO_UUID, errorCode));
    }
  }
  return { known, refused };
}

function errorResponse(errorCode: number): OffsetDeleteResponse {
  return { errorCode, throttleTimeMs: 0, topics: [] };
}
