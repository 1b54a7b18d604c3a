import { ApiKeys, ErrorCodes, offsetCommitRequest, offsetCommitResponse, ZERO_UUID } from '@ottla/protocol';
import type { OffsetCommitRequest, OffsetCommitResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { CommitTopic, TopicErrors } from '../coordinator/group/offsets/offset-types.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { MetadataImage, MetadataStore, TopicImage } from '../metadata/image.ts';
import type { ApiHandler, RequestContext } from './handler.ts';

type RequestTopic = OffsetCommitRequest['topics'][number];

/**
 * OffsetCommit, versions 2 to 10. 5 drops the retention time, 6 adds the leader epoch, 7 static membership (KIP-345),
 * 9 GROUP_ID_NOT_FOUND (KIP-848), 10 names topics by id alone. Topics and partitions that do not exist are refused here,
 * and stand in front of the others in the response, as in Kafka.
 */
export function offsetCommitHandler(deps: {
  readonly groups: GroupCoordinator;
  readonly metadata: MetadataStore;
}): ApiHandler<OffsetCommitRequest, OffsetCommitResponse> {
  return {
    apiKey: ApiKeys.OffsetCommit,
    minVersion: 2,
    maxVersion: 10,
    request: offsetCommitRequest,
    response: offsetCommitResponse,

    async handle(request, { apiVersion }) {
      const { known, refused } = partition(request, deps.metadata.current(), apiVersion);
      if (known.length === 0) return respond(refused, apiVersion);
      try {
        const results = await deps.groups.commitOffsets({
          groupId: request.groupId,
          generationId: request.generationIdOrMemberEpoch,
          memberId: request.memberId,
          groupInstanceId: request.groupInstanceId,
          apiVersion,
          retentionTimeMs: request.retentionTimeMs,
          topics: known,
        });
        return respond(merge(refused, results), apiVersion);
      } catch (failure) {
        const failed = known.map((topic) => allPartitions(topic, topic.topicId, errorCodeOf(failure)));
        return respond(merge(refused, failed), apiVersion);
      }
    },

    errorResponse: (request, errorCode, { apiVersion }: RequestContext) =>
      respond(
        request.topics.map((topic) => allPartitions(topic, topic.topicId, errorCode)),
        apiVersion,
      ),
  };
}

/** What exists, to be committed, and what does not, with its error. */
function partition(
  request: OffsetCommitRequest,
  image: MetadataImage,
  apiVersion: number,
): { known: CommitTopic[]; refused: TopicErrors[] } {
  const known: CommitTopic[] = [];
  const refused: TopicErrors[] = [];
  for (const topic of request.topics) {
    const found =
      apiVersion >= 10 ? image.topics.byId.get(topic.topicId) : image.topics.byName.get(topic.name);
    if (found === undefined) {
      const errorCode =
        apiVersion >= 10 ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      refused.push(allPartitions(topic, topic.topicId, errorCode));
      continue;
    }
    const isKnown = ({ partitionIndex }: { partitionIndex: number }): boolean =>
      exists(found, partitionIndex);
    const unknownPartitions = topic.partitions.filter((asked) => !isKnown(asked));
    if (unknownPartitions.length > 0) {
      const asked = { name: found.name, partitions: unknownPartitions };
      refused.push(allPartitions(asked, found.id, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION));
    }
    const partitions = topic.partitions.filter(isKnown);
    if (partitions.length > 0) known.push({ name: found.name, topicId: found.id, partitions });
  }
  return { known, refused };
}

function exists(topic: TopicImage, partitionIndex: number): boolean {
  return topic.partitions[partitionIndex] !== undefined;
}

function allPartitions(
  topic: { readonly name: string; readonly partitions: readonly { readonly partitionIndex: number }[] },
  topicId: RequestTopic['topicId'],
  errorCode: number,
): TopicErrors {
  return {
    name: topic.name,
    topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  };
}

/** One entry for each topic: results of one that was split go behind its refusals. */
function merge(refused: readonly TopicErrors[], results: readonly TopicErrors[]): TopicErrors[] {
  const merged = [...refused];
  for (const result of results) {
    const index = merged.findIndex(({ name }) => name === result.name);
    const earlier = merged[index];
    if (earlier === undefined) merged.push(result);
    else merged[index] = { ...earlier, partitions: [...earlier.partitions, ...result.partitions] };
  }
  return merged;
}

function respond(topics: readonly TopicErrors[], apiVersion: number): OffsetCommitResponse {
  return {
    throttleTimeMs: 0,
    topics: topics.map(({ name, topicId, partitions }) => ({
      name: apiVersion >= 10 ? '' : name,
      topicId: apiVersion >= 10 ? topicId : ZERO_UUID,
      partitions: [...partitions],
    })),
  };
}
