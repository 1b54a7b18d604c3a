import {
  ApiKeys,
  ErrorCodes,
  streamsGroupDescribeRequest,
  streamsGroupDescribeResponse,
} from '@ottla/protocol';
import type { StreamsGroupDescribeRequest, StreamsGroupDescribeResponse } from '@ottla/protocol';
import { streamsGroupError } from '../coordinator/group/streams/describe-streams-group.ts';
import type { StreamsGroupService } from '../coordinator/group/streams/streams-group-service.ts';
import type { DescribedStreamsGroup } from '../coordinator/group/streams/streams-types.ts';
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';
import { emptyFirst } from './empty-first.ts';
import { withoutRepeats } from './without-repeats.ts';

/** StreamsGroupDescribe, version 0 (KIP-1071). */
export function streamsGroupDescribeHandler(deps: {
  readonly streamsGroups: StreamsGroupService;
  /** Whether the broker serves the protocol. */
  readonly isEnabled: () => boolean;
}): ApiHandler<StreamsGroupDescribeRequest, StreamsGroupDescribeResponse> {
  return {
    apiKey: ApiKeys.StreamsGroupDescribe,
    minVersion: 0,
    maxVersion: 0,
    request: streamsGroupDescribeRequest,
    response: streamsGroupDescribeResponse,

    async handle({ groupIds, includeAuthorizedOperations }) {
      const { distinct, spread } = withoutRepeats(deps.isEnabled() ? emptyFirst(groupIds) : groupIds);
      const groups = deps.isEnabled()
        ? await deps.streamsGroups.describe(distinct)
        : distinct.map((groupId) => streamsGroupError(groupId, ErrorCodes.UNSUPPORTED_VERSION));
      const answers = groups.map((group) =>
        toResponse(group, includeAuthorizedOperations && group.errorCode === ErrorCodes.NONE),
      );
      return { throttleTimeMs: 0, groups: spread(answers) };
    },

    errorResponse: ({ groupIds }, errorCode) => ({
      throttleTimeMs: 0,
      groups: groupIds.map((groupId) => toResponse(streamsGroupError(groupId, errorCode), false)),
    }),
  };
}

function toResponse(
  group: DescribedStreamsGroup,
  withOperations: boolean,
): StreamsGroupDescribeResponse['groups'][number] {
  return { ...group, authorizedOperations: withOperations ? ALL_GROUP_OPERATIONS : OPERATIONS_NOT_REQUESTED };
}
