import { ApiKeys, ErrorCodes, joinGroupRequest, joinGroupResponse } from '@ottla/protocol';
import type { JoinGroupRequest, JoinGroupResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { ownedCopy } from './owned-copy.ts';

/**
 * JoinGroup, versions 0 to 9. 1 adds the rebalance timeout, 4 requires a known member id (KIP-394), 5 static membership
 * (KIP-345), 7 the protocol type in the response (KIP-559), 8 the reason (KIP-800), 9 skipping the assignment (KIP-814).
 */
export function joinGroupHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<JoinGroupRequest, JoinGroupResponse> {
  return {
    apiKey: ApiKeys.JoinGroup,
    minVersion: 0,
    maxVersion: 9,
    request: joinGroupRequest,
    response: joinGroupResponse,

    async handle(request, context) {
      const { apiVersion } = context;
      try {
        const reply = await deps.groups.join({
          groupId: request.groupId,
          memberId: request.memberId,
          groupInstanceId: request.groupInstanceId,
          clientId: context.clientId ?? '',
          clientHost: context.connection.clientHost,
          sessionTimeoutMs: request.sessionTimeoutMs,
          rebalanceTimeoutMs: apiVersion === 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
          protocolType: request.protocolType,
          protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: ownedCopy(metadata) })),
          requireKnownMemberId: apiVersion >= 4,
          supportsSkippingAssignment: apiVersion >= 9,
        });
        return {
          throttleTimeMs: 0,
          ...reply,
          ...protocolNameFor(reply.protocolName, apiVersion),
          members: [...reply.members],
        };
      } catch (failure) {
        return refused(request, errorCodeOf(failure), apiVersion);
      }
    },

    errorResponse: (_request, errorCode, { apiVersion }: RequestContext) =>
      emptyResponse(errorCode, apiVersion),
  };
}

/** Only what the coordinator refuses before it looks at the group names the member. */
function refused(request: JoinGroupRequest, errorCode: number, apiVersion: number): JoinGroupResponse {
  const namesMember =
    errorCode === ErrorCodes.INVALID_GROUP_ID ||
    errorCode === ErrorCodes.INVALID_SESSION_TIMEOUT ||
    errorCode === ErrorCodes.COORDINATOR_NOT_AVAILABLE;
  return { ...emptyResponse(errorCode, apiVersion), memberId: namesMember ? request.memberId : '' };
}

function emptyResponse(errorCode: number, apiVersion: number): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    generationId: -1,
    protocolType: null,
    ...protocolNameFor(null, apiVersion),
    leader: '',
    skipAssignment: false,
    memberId: '',
    members: [],
  };
}

/** Versions before 7 have no null for the protocol name. */
function protocolNameFor(protocolName: string | null, apiVersion: number): { protocolName: string | null } {
  return { protocolName: apiVersion < 7 ? (protocolName ?? '') : protocolName };
}
