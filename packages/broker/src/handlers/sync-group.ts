import { ApiKeys, ErrorCodes, syncGroupRequest, syncGroupResponse } from '@ottla/protocol';
import type { SyncGroupRequest, SyncGroupResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';
import { ownedCopy } from './owned-copy.ts';

/** SyncGroup, versions 0 to 5. 3 adds static membership (KIP-345), 5 protocol type and name, then mandatory (KIP-559). */
export function syncGroupHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<SyncGroupRequest, SyncGroupResponse> {
  return {
    apiKey: ApiKeys.SyncGroup,
    minVersion: 0,
    maxVersion: 5,
    request: syncGroupRequest,
    response: syncGroupResponse,

    async handle(request, { apiVersion }) {
      if (apiVersion >= 5 && (request.protocolType === null || request.protocolName === null)) {
        return failure(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
      }
      const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } =
        request;
      try {
        const reply = await deps.groups.sync({
          groupId,
          generationId,
          memberId,
          groupInstanceId,
          protocolType,
          protocolName,
          assignments: assignments.map((entry) => ({
            memberId: entry.memberId,
            assignment: ownedCopy(entry.assignment),
          })),
        });
        return { throttleTimeMs: 0, ...reply };
      } catch (refusal) {
        return failure(errorCodeOf(refusal));
      }
    },

    errorResponse: (_request, errorCode) => failure(errorCode),
  };
}

function failure(errorCode: number): SyncGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    protocolType: null,
    protocolName: null,
    assignment: Buffer.alloc(0),
  };
}
