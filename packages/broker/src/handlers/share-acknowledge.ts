import { ApiKeys, ErrorCodes, shareAcknowledgeRequest, shareAcknowledgeResponse } from '@ottla/protocol';
import type { ShareAcknowledgeRequest, ShareAcknowledgeResponse } from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { ShareRefusal } from '../share/share-partition-types.ts';
import type { PartitionAcknowledgements, ShareService } from '../share/share-service.ts';
import { FINAL_EPOCH } from '../share/share-sessions.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { leaderHint } from './leader-hint.ts';
import { acknowledgeAll, acknowledgementsOf } from './share-acknowledgements.ts';
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
      const acknowledgements = acknowledgementsOf(request.topics);
      const how = { member: session, isRenewAllowed: request.isRenewAck };
      const outcomes = await acknowledgeAll(deps, acknowledgements, how);
      if (shareSessionEpoch === FINAL_EPOCH) await deps.shares.endSession(session);
      return toResponse(deps, request, { acknowledgements, outcomes, context });
    },

    errorResponse: (_request, errorCode) => failed(errorCode),
  };
}

interface Acknowledged {
  readonly acknowledgements: readonly PartitionAcknowledgements[];
  readonly outcomes: readonly ShareRefusal[];
  readonly context: RequestContext;
}

function toResponse(
  { shares, metadata }: ShareAcknowledgeDependencies,
  request: ShareAcknowledgeRequest,
  { acknowledgements, outcomes, context }: Acknowledged,
): ShareAcknowledgeResponse {
  const image = metadata.current();
  const response = failed(ErrorCodes.NONE);
  response.acquisitionLockTimeoutMs = shares.lockTimeoutMs({ groupId: request.groupId ?? '' });
  for (const [index, { topicId, partition }] of acknowledgements.entries()) {
    const outcome = outcomes[index]!;
    const answer = {
      partitionIndex: partition,
      ...outcome,
      currentLeader: { leaderId: 0, leaderEpoch: 0 },
    };
    const topic = image.topics.byId.get(topicId)?.name;
    if (outcome.errorCode === ErrorCodes.NOT_LEADER_OR_FOLLOWER && topic !== undefined) {
      const { listenerName } = context.connection;
      const { leader, endpoint } = leaderHint(image, { topic, partition, listenerName });
      answer.currentLeader = leader;
      if (endpoint !== null && response.nodeEndpoints.every(({ nodeId }) => nodeId !== endpoint.nodeId))
        response.nodeEndpoints.push(endpoint);
    }
    const last = response.responses.at(-1);
    if (last?.topicId === topicId) last.partitions.push(answer);
    else response.responses.push({ topicId, partitions: [answer] });
  }
  return response;
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
