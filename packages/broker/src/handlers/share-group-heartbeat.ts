import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  shareGroupHeartbeatRequest,
  shareGroupHeartbeatResponse,
} from '@ottla/protocol';
import type { ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse } from '@ottla/protocol';
import { shareErrorOf, type ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ApiHandler } from './handler.ts';
import { isShareEnabled, isShareMemberId } from './share-checks.ts';

/** ShareGroupHeartbeat, version 1 (KIP-932). */
export function shareGroupHeartbeatHandler(deps: {
  readonly shareGroups: ShareGroupService;
  readonly metadata: MetadataStore;
  /** Makes sure that a coordinator's topic exists; resolves to an error code. */
  readonly ensureStateTopic: () => Promise<number>;
}): ApiHandler<ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse> {
  return {
    apiKey: ApiKeys.ShareGroupHeartbeat,
    minVersion: 1,
    maxVersion: 1,
    request: shareGroupHeartbeatRequest,
    response: shareGroupHeartbeatResponse,

    async handle(request, context) {
      if (!isShareEnabled(deps.metadata)) return errorResponse(ErrorCodes.UNSUPPORTED_VERSION, null);
      if (!isShareMemberId(request.memberId)) return errorResponse(ErrorCodes.INVALID_REQUEST, null);
      const problem = requestProblem(request);
      if (problem !== null) return errorResponse(ErrorCodes.INVALID_REQUEST, problem);
      await deps.ensureStateTopic();
      const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request;
      const { clientHost } = context.connection;
      const clientId = context.clientId ?? '';
      try {
        const member = { groupId, memberId, memberEpoch, rackId, subscribedTopicNames, clientId, clientHost };
        const reply = await deps.shareGroups.heartbeat(member);
        return {
          throttleTimeMs: 0,
          errorCode: 0,
          errorMessage: null,
          memberId: reply.memberId,
          memberEpoch: reply.memberEpoch,
          heartbeatIntervalMs: reply.heartbeatIntervalMs,
          assignment:
            reply.assignment === null
              ? null
              : {
                  topicPartitions: Array.from(reply.assignment, ([topicId, partitions]) => ({
                    topicId,
                    partitions: [...partitions],
                  })),
                },
        };
      } catch (failure) {
        const { errorCode, errorMessage: text } = shareErrorOf(failure);
        // As in Kafka, what nobody foresaw has no text.
        return errorResponse(errorCode, errorCode === ErrorCodes.UNKNOWN_SERVER_ERROR ? null : text);
      }
    },

    errorResponse: (_request, errorCode) =>
      errorResponse(errorCode, errorCode === ErrorCodes.UNKNOWN_SERVER_ERROR ? null : undefined),
  };
}

/** Kafka's checks of the request itself, in its order and words. */
function requestProblem(request: ShareGroupHeartbeatRequest): string | null {
  const { groupId, memberId, memberEpoch, rackId, subscribedTopicNames } = request;
  if (memberId.trim() === '') return "MemberId can't be empty.";
  if (groupId.trim() === '') return "GroupId can't be empty.";
  if (rackId !== null && rackId.trim() === '') return "RackId can't be empty.";
  const needsTopics = memberEpoch === 0;
  if (needsTopics && (subscribedTopicNames === null || subscribedTopicNames.length === 0))
    return 'SubscribedTopicNames must be set in first request.';
  return memberEpoch < -1 ? 'MemberEpoch is invalid.' : null;
}

function errorResponse(errorCode: number, text?: string | null): ShareGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: text === undefined ? (errorMessage(errorCode) ?? null) : text,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  };
}
