import {
  ApiKeys,
  consumerGroupDescribeRequest,
  consumerGroupDescribeResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse } from '@ottla/protocol';
import type { DescribedConsumerGroup } from '../coordinator/group/consumer/consumer-types.ts';
import { consumerGroupError } from '../coordinator/group/consumer/describe-consumer-group.ts';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { ALL_GROUP_OPERATIONS, OPERATIONS_NOT_REQUESTED } from './authorized-operations.ts';
import type { ApiHandler } from './handler.ts';
import { emptyFirst } from './empty-first.ts';
import { withoutRepeats } from './without-repeats.ts';

/** ConsumerGroupDescribe, versions 0 and 1 (KIP-848). 1 adds which protocol a member uses. */
export function consumerGroupDescribeHandler(deps: {
  readonly groups: GroupCoordinator;
  /** Whether the broker serves the protocol. */
  readonly isEnabled: () => boolean;
}): ApiHandler<ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse> {
  return {
    apiKey: ApiKeys.ConsumerGroupDescribe,
    minVersion: 0,
    maxVersion: 1,
    request: consumerGroupDescribeRequest,
    response: consumerGroupDescribeResponse,

    async handle({ groupIds, includeAuthorizedOperations }) {
      const { distinct, spread } = withoutRepeats(deps.isEnabled() ? emptyFirst(groupIds) : groupIds);
      const groups = deps.isEnabled()
        ? await deps.groups.describeConsumerGroups(distinct)
        : distinct.map((groupId) => consumerGroupError(groupId, ErrorCodes.UNSUPPORTED_VERSION));
      const answers = groups.map((group) =>
        toResponse(group, includeAuthorizedOperations && group.errorCode === ErrorCodes.NONE),
      );
      return { throttleTimeMs: 0, groups: spread(answers) };
    },

    errorResponse: ({ groupIds }, errorCode) => ({
      throttleTimeMs: 0,
      groups: groupIds.map((groupId) => toResponse(consumerGroupError(groupId, errorCode), false)),
    }),
  };
}

function toResponse(
  group: DescribedConsumerGroup,
  withOperations: boolean,
): ConsumerGroupDescribeResponse['groups'][number] {
  return {
    ...group,
    members: [...group.members],
    authorizedOperations: withOperations ? ALL_GROUP_OPERATIONS : OPERATIONS_NOT_REQUESTED,
  };
}
