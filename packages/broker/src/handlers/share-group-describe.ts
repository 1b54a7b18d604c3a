import {
  ApiKeys,
  ErrorCodes,
  errorMessage,
  shareGroupDescribeRequest,
  shareGroupDescribeResponse,
} from '@ottla/protocol';
import type { ShareGroupDescribeRequest, ShareGroupDescribeResponse } from '@ottla/protocol';
import type { ShareGroupService } from '../coordinator/group/share/share-group-service.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler, HandlerResult } from './handler.ts';
import { withoutRepeats } from './without-repeats.ts';
import { isShareEnabled } from './share-checks.ts';

/** ShareGroupDescribe, version 1 (KIP-932). */
export function shareGroupDescribeHandler(deps: {
  readonly shareGroups: ShareGroupService;
  readonly metadata: MetadataStore;
}): ApiHandler<ShareGroupDescribeRequest, ShareGroupDescribeResponse> {
  return {
    apiKey: ApiKeys.ShareGroupDescribe,
    minVersion: 1,
    maxVersion: 1,
    request: shareGroupDescribeRequest,
    response: shareGroupDescribeResponse,

    async handle(request) {
      if (!isShareEnabled(deps.metadata)) return errorResponse(request, ErrorCodes.UNSUPPORTED_VERSION);
      // Kafka has the refusals first.
      const named = request.groupIds.filter((groupId) => groupId !== '');
      const refused = request.groupIds
        .filter((groupId) => groupId === '')
        .map((groupId) => ({ ...described(groupId, ErrorCodes.INVALID_GROUP_ID), errorMessage: null }));
      const { distinct, spread } = withoutRepeats(named);
      const groups = await Promise.all(
        distinct.map(async (groupId) => {
          const group = await deps.shareGroups.describe(groupId);
          return {
            ...group,
            members: group.members.map(({ subscribedTopicNames, assignment, ...member }) => ({
              ...member,
              subscribedTopicNames: [...subscribedTopicNames],
              assignment: {
                topicPartitions: assignment.map(({ partitions, ...topic }) => ({
                  ...topic,
                  partitions: [...partitions],
                })),
              },
            })),
            authorizedOperations:
              request.includeAuthorizedOperations && group.errorCode === 0
                ? ALL_GROUP_OPERATIONS
                : OPERATIONS_NOT_REQUESTED,
          };
        }),
      );
      return { throttleTimeMs: 0, groups: [...refused, ...spread(groups)] };
    },

    errorResponse,
  };
}

function errorResponse(
  request: ShareGroupDescribeRequest,
  errorCode: number,
): HandlerResult<ShareGroupDescribeResponse> {
  return { throttleTimeMs: 0, groups: request.groupIds.map((groupId) => described(groupId, errorCode)) };
}

function described(groupId: string, errorCode: number): ShareGroupDescribeResponse['groups'][number] {
  return {
    errorCode,
    errorMessage: errorMessage(errorCode) ?? null,
    groupId,
    groupState: '',
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
    authorizedOperations: OPERATIONS_NOT_REQUESTED,
  };
}
