import {
  ApiKeys,
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  ErrorCodes,
  errorName,
} from '@ottla/protocol';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '@ottla/protocol';
import type {
  ConsumerHeartbeatCommand,
  ConsumerHeartbeatReply,
} from '../coordinator/group/consumer/consumer-types.ts';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { CoordinatorError, errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

/** ConsumerGroupHeartbeat, versions 0 and 1 (KIP-848). 1 adds regular expressions and member ids made by the members. */
export function consumerGroupHeartbeatHandler(deps: {
  readonly groups: GroupCoordinator;
  /** Whether the broker serves the protocol: `group.coordinator.rebalance.protocols` and the feature `group.version`. */
  readonly isEnabled: () => boolean;
}): ApiHandler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse> {
  return {
    apiKey: ApiKeys.ConsumerGroupHeartbeat,
    minVersion: 0,
    maxVersion: 1,
    request: consumerGroupHeartbeatRequest,
    response: consumerGroupHeartbeatResponse,
    // Its command is handled, or in line, when `handle` returns: a commit behind it need not wait for its answer.
    pipelined: true,

    async handle(request, { apiVersion, clientId, connection }) {
      if (!deps.isEnabled()) return errorResponse(ErrorCodes.UNSUPPORTED_VERSION, null);
      try {
        const reply = await deps.groups.consumerHeartbeat(
          toCommand(request, clientId ?? '', connection.clientHost),
          apiVersion,
        );
        return toResponse(reply);
      } catch (failure) {
        const errorCode = errorCodeOf(failure);
        const text = failure instanceof CoordinatorError ? failure.message : null;
        return errorResponse(errorCode, text === errorName(errorCode) ? null : text);
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode, null),
  };
}

/** Field by field: these are the requests that a broker with many members gets most of. */
function toCommand(
  request: ConsumerGroupHeartbeatRequest,
  clientId: string,
  clientHost: string,
): ConsumerHeartbeatCommand {
  return {
    type: 'consumer-heartbeat',
    groupId: request.groupId,
    memberId: request.memberId,
    memberEpoch: request.memberEpoch,
    instanceId: request.instanceId,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    subscribedTopicNames: request.subscribedTopicNames,
    subscribedTopicRegex: request.subscribedTopicRegex,
    serverAssignor: request.serverAssignor,
    topicPartitions: request.topicPartitions,
    clientId,
    clientHost,
  };
}

function toResponse(reply: ConsumerHeartbeatReply): ConsumerGroupHeartbeatResponse {
  const { memberId, memberEpoch, heartbeatIntervalMs, assignment } = reply;
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCodes.NONE,
    errorMessage: null,
    memberId,
    memberEpoch,
    heartbeatIntervalMs,
    assignment:
      assignment === null
        ? null
        : {
            topicPartitions: assignment.map(({ topicId, partitions }) => ({
              topicId,
              partitions: [...partitions],
            })),
          },
  };
}

function errorResponse(errorCode: number, errorMessage: string | null): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    memberId: null,
    memberEpoch: 0,
    heartbeatIntervalMs: 0,
    assignment: null,
  };
}
