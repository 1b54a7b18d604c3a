import { ApiKeys, offsetCommitRequest, offsetCommitResponse, ZERO_UUID } from '@ottla/protocol';
import type { OffsetCommitRequest, OffsetCommitResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { TopicErrors } from '../coordinator/group/offsets/offset-types.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { allPartitions, mergeTopicErrors, sortTopics } from './offset-commit-topics.ts';

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
      const { known, refused } = sortTopics(request.topics, deps.metadata.current(), apiVersion >= 10);
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
          producer: null,
        });
        return respond(mergeTopicErrors(refused, results), apiVersion);
      } catch (failure) {
        const failed = known.map((topic) => allPartitions(topic, topic.topicId, errorCodeOf(failure)));
        return respond(mergeTopicErrors(refused, failed), apiVersion);
      }
    },

    errorResponse: (request, errorCode, { apiVersion }: RequestContext) =>
      respond(
        request.topics.map((topic) => allPartitions(topic, topic.topicId, errorCode)),
        apiVersion,
      ),
  };
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
