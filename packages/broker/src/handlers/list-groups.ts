import { ApiKeys, ErrorCodes, listGroupsRequest, listGroupsResponse } from '@ottla/protocol';
import type { ListGroupsRequest, ListGroupsResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

/** ListGroups, versions 0 to 5. 4 adds states and their filter (KIP-518), 5 types and theirs (KIP-848). */
export function listGroupsHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<ListGroupsRequest, ListGroupsResponse> {
  return {
    apiKey: ApiKeys.ListGroups,
    minVersion: 0,
    maxVersion: 5,
    request: listGroupsRequest,
    response: listGroupsResponse,

    async handle({ statesFilter, typesFilter }) {
      try {
        const groups = await deps.groups.listGroups({ states: statesFilter, types: typesFilter });
        return { throttleTimeMs: 0, errorCode: ErrorCodes.NONE, groups };
      } catch (failure) {
        return errorResponse(errorCodeOf(failure));
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode),
  };
}

function errorResponse(errorCode: number): ListGroupsResponse {
  return { throttleTimeMs: 0, errorCode, groups: [] };
}
