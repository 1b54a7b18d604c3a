import { ApiKeys, ErrorCodes, leaveGroupRequest, leaveGroupResponse } from '@ottla/protocol';
import type { LeaveGroupRequest, LeaveGroupResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { MemberIdentity } from '../coordinator/group/classic/classic-types.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

type MemberResponse = LeaveGroupResponse['members'][number];

/** LeaveGroup, versions 0 to 5. 3 lets several members leave, by member or instance id (KIP-345), 5 adds reasons (KIP-800). */
export function leaveGroupHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<LeaveGroupRequest, LeaveGroupResponse> {
  return {
    apiKey: ApiKeys.LeaveGroup,
    minVersion: 0,
    maxVersion: 5,
    request: leaveGroupRequest,
    response: leaveGroupResponse,

    async handle(request, { apiVersion }) {
      const identities = membersOf(request, apiVersion);
      try {
        const { members } = await deps.groups.leave({ groupId: request.groupId, members: identities });
        return toResponse(members, apiVersion);
      } catch (failure) {
        const errorCode = errorCodeOf(failure);
        if (errorCode !== ErrorCodes.UNKNOWN_MEMBER_ID) return errorResponse(errorCode);
        // The group does not exist: then neither do its members.
        return toResponse(
          identities.map((identity) => ({ ...identity, errorCode })),
          apiVersion,
        );
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode),
  };
}

function membersOf(request: LeaveGroupRequest, apiVersion: number): MemberIdentity[] {
  if (apiVersion < 3) return [{ memberId: request.memberId, groupInstanceId: null }];
  return request.members.map(({ memberId, groupInstanceId }) => ({ memberId, groupInstanceId }));
}

/** Versions before 3 know one member, whose error is that of the response. */
function toResponse(members: readonly MemberResponse[], apiVersion: number): LeaveGroupResponse {
  if (apiVersion < 3) return errorResponse(members[0]?.errorCode ?? ErrorCodes.NONE);
  return { ...errorResponse(ErrorCodes.NONE), members: [...members] };
}

function errorResponse(errorCode: number): LeaveGroupResponse {
  return { throttleTimeMs: 0, errorCode, members: [] };
}
