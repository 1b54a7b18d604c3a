import { ApiKeys, describeGroupsRequest, describeGroupsResponse, ErrorCodes } from '@ottla/protocol';
import type { DescribeGroupsRequest, DescribeGroupsResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { describedError } from '../coordinator/group/group-queries.ts';
import type { DescribedGroup } from '../coordinator/group/group-query-types.ts';
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';
import { withoutRepeats } from './without-repeats.ts';

/**
 * DescribeGroups, versions 0 to 6. 3 adds authorized operations (KIP-430), 4 the group instance id (KIP-345); up to 5 a
 * group that does not exist is described as Dead without an error, from 6 on it is GROUP_ID_NOT_FOUND (KIP-1043).
 */
export function describeGroupsHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<DescribeGroupsRequest, DescribeGroupsResponse> {
  return {
    apiKey: ApiKeys.DescribeGroups,
    minVersion: 0,
    maxVersion: 6,
    request: describeGroupsRequest,
    response: describeGroupsResponse,

    async handle(request, { apiVersion }) {
      const wantsOperations = apiVersion >= 3 && request.includeAuthorizedOperations;
      const { distinct, spread } = withoutRepeats(request.groups);
      const described = await deps.groups.describeGroups(distinct);
      const groups = described.map((found) => {
        const group = forVersion(found, apiVersion);
        return toResponse(group, wantsOperations && group.errorCode === ErrorCodes.NONE);
      });
      return { throttleTimeMs: 0, groups: spread(groups) };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      groups: request.groups.map((groupId) => toResponse(describedError(groupId, errorCode), false)),
    }),
  };
}

function forVersion(group: DescribedGroup, apiVersion: number): DescribedGroup {
  if (apiVersion >= 6) return group;
  const isMissing = group.errorCode === ErrorCodes.GROUP_ID_NOT_FOUND;
  return { ...group, errorMessage: null, errorCode: isMissing ? ErrorCodes.NONE : group.errorCode };
}

function toResponse(
  group: DescribedGroup,
  withOperations: boolean,
): DescribeGroupsResponse['groups'][number] {
  return {
    ...group,
    members: [...group.members],
    authorizedOperations: withOperations ? ALL_GROUP_OPERATIONS : OPERATIONS_NOT_REQUESTED,
  };
}
