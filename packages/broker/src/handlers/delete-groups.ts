import { ApiKeys, deleteGroupsRequest, deleteGroupsResponse } from '@ottla/protocol';
import type { DeleteGroupsRequest, DeleteGroupsResponse } from '@ottla/protocol';
import type { ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { ApiHandler } from './handler.ts';

/** DeleteGroups, versions 0 to 2. Each group has its own result; naming one twice does not delete it twice. */
export function deleteGroupsHandler(deps: {
  readonly groups: Pick<ShareGroupService, 'deleteGroups'>;
}): ApiHandler<DeleteGroupsRequest, DeleteGroupsResponse> {
  return {
    apiKey: ApiKeys.DeleteGroups,
    minVersion: 0,
    maxVersion: 2,
    request: deleteGroupsRequest,
    response: deleteGroupsResponse,

    async handle(request) {
      const results = await deps.groups.deleteGroups([...new Set(request.groupsNames)]);
      return { throttleTimeMs: 0, results: results.map((result) => ({ ...result, errorMessage: null })) };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      results: request.groupsNames.map((groupId) => ({ groupId, errorCode, errorMessage: null })),
    }),
  };
}
