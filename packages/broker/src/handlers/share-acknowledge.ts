import { ApiKeys, ErrorCodes, shareAcknowledgeRequest, shareAcknowledgeResponse } from '@ottla/protocol';
import type { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { ShareRefusal } from '../share/share-partition-types.ts';
import type { ShareService } from '../share/share-service.ts';
import { FINAL_EPOCH } from '../share/share-sessions.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { leaderHint } from './leader-hint.ts';
import { isShareEnabled, isShareMemberId } from './share-checks.ts';

export interface ShareAcknowledgeDependencies {
  readonly shares: ShareService;
  readonly metadata: MetadataStore;
}

/** ShareAcknowledge, versions 1 and 2 (2 adds the renewals of KIP-1222). */
export function shareAcknowledgeHandler(
  deps: ShareAcknowledgeDependencies,
): ApiHandler<ShareAcknowledgeRequest, ShareAcknowledgeResponse> {
  return {
    apiKey: ApiKeys.ShareAcknowledge,
    minVersion: 1,
    maxVersion: 2,
    request: shareAcknowledgeRequest,
    response: shareAcknowledgeResponse,

    async handle(request, context) {
      const { groupId, memberId, shareSessionEpoch } = request;
      if (!isShareEnabled(deps.metadata)) return failed(ErrorCodes.UNSUPPORTED_VERSION);
      if (groupId === null) return failed(ErrorCodes.INVALID_REQUEST);
      if (!isShareMemberId(memberId)) return failed(ErrorCodes.INVALID_REQUEST);
      const session = deps.shares.sessions.acknowledge(groupId, memberId, shareSessionEpoch);
      if (typeof session === 'number') return failed(session);
      const outcomes = await acknowledgeAll(deps, request, session);
      if (shareSessionEpoch === FINAL_EPOCH) await deps.shares.endSession(session);
      return toResponse(deps, request, { outcomes, context });
    },

    errorResponse: (_request, errorCode) => failed(errorCode),
  };
}

/** The outcome of each partition in the order of the request. */
function acknowledgeAll(
  { shares, metadata }: ShareAcknowledgeDependencies,
  request: ShareAcknowledgeRequest,
  member: { readonly groupId: string; readonly memberId: string },
): Promise<ShareRefusal[]> {
  const { topics } = metadata.current();
  return Promise.all(
    request.topics.flatMap(({ topicId, partitions }) =>
      partitions.map(async ({ partitionIndex, acknowledgementBatches }) => {
        const topic = topics.byId.get(topicId);
        if (topic === undefined) return refusal(ErrorCodes.UNKNOWN_TOPIC_ID);
        if (topic.partitions[partitionIndex] === undefined)
          return refusal(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
        const wanted = { topicId, partition: partitionIndex, batches: acknowledgementBatches };
        const [outcome] = await shares.acknowledge(member, [wanted], request.isRenewAck);
        return outcome!;
      }),
    ),
  );
}

function toResponse(
  { shares, metadata }: ShareAcknowledgeDependencies,
  request: ShareAcknowledgeRequest,
  { outcomes, context }: { readonly outcomes: readonly ShareRefusal[]; readonly context: RequestContext },
): ShareAcknowledgeResponse {
  const image = metadata.current();
  const response = failed(ErrorCodes.NONE);
  response.acquisitionLockTimeoutMs = shares.lockTimeoutMs({ groupId: request.groupId ?? '' });
  let next = 0;
  for (const { topicId, partitions } of request.topics) {
    const topic = image.topics.byId.get(topicId)?.name;
    const answers = partitions.map(({ partitionIndex }) => {
      const outcome = outcomes[next++]!;
      const answer = { partitionIndex, ...outcome, currentLeader: { leaderId: 0, leaderEpoch: 0 } };
      if (outcome.errorCode !== ErrorCodes.NOT_LEADER_OR_FOLLOWER || topic === undefined) return answer;
      const { listenerName } = context.connection;
      const { leader, endpoint } = leaderHint(image, { topic, partition: partitionIndex, listenerName });
      if (endpoint !== null && response.nodeEndpoints.every(({ nodeId }) => nodeId !== endpoint.nodeId))
        response.nodeEndpoints.push(endpoint);
      return { ...answer, currentLeader: leader };
    });
    response.responses.push({ topicId, partitions: answers });
  }
  return response;
}

function refusal(errorCode: number): ShareRefusal {
  return { errorCode, errorMessage: null };
}

/** Kafka leaves the text out here. */
function failed(errorCode: number): ShareAcknowledgeResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  };
}
