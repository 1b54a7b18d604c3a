import { ApiKeys, ErrorCodes, heartbeatRequest, heartbeatResponse } from '@ottla/protocol';
import type { HeartbeatRequest, HeartbeatResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

/** Heartbeat, versions 0 to 4. 3 adds static membership (KIP-345). */
export function heartbeatHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<HeartbeatRequest, HeartbeatResponse> {
  return {
    apiKey: ApiKeys.Heartbeat,
    minVersion: 0,
    maxVersion: 4,
    request: heartbeatRequest,
    response: heartbeatResponse,

    async handle({ groupId, generationId, memberId, groupInstanceId }) {
      try {
        const errorCode = await deps.groups.heartbeat({ groupId, generationId, memberId, groupInstanceId });
        return { throttleTimeMs: 0, errorCode };
      } catch (failure) {
        const errorCode = errorCodeOf(failure);
        // A coordinator that is still loading cannot say; a member that is well need not hear of it.
        const isLoading = errorCode === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS;
        return { throttleTimeMs: 0, errorCode: isLoading ? ErrorCodes.NONE : errorCode };
      }
    },

    errorResponse: (_request, errorCode) => ({ throttleTimeMs: 0, errorCode }),
  };
}
