import {
  ApiKeys,
  consumerGroupHeartbeatRequest,
  consumerGroupHeartbeatResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from '@ottla/protocol';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import { CoordinatorError, errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

/** ConsumerGroupHeartbeat, versions 0 and 1 (KIP-848). 1 adds regular expressions and member ids made by the members. */
export function consumerGroupHeartbeatHandler(deps: {
  readonly groups: GroupCoordinator;
}): ApiHandler<ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse> {
  return {
    apiKey: ApiKeys.ConsumerGroupHeartbeat,
    minVersion: 0,
    maxVersion: 1,
    request: consumerGroupHeartbeatRequest,
    response: consumerGroupHeartbeatResponse,

    async handle(request, { apiVersion, clientId, connection }) {
      try {
        const reply = await deps.groups.consumerHeartbeat(
          { ...request, clientId: clientId ?? '', clientHost: connection.clientHost },
          apiVersion,
        );
        const { assignment, ...rest } = reply;
        const topicPartitions = assignment?.map((entry) => ({
          topicId: entry.topicId,
          partitions: [...entry.partitions],
        }));
        return {
          ...rest,
          throttleTimeMs: 0,
          errorCode: ErrorCodes.NONE,
          errorMessage: null,
          assignment: topicPartitions === undefined ? null : { topicPartitions },
        };
      } catch (failure) {
        const errorMessage = failure instanceof CoordinatorError ? failure.message : null;
        return errorResponse(errorCodeOf(failure), errorMessage);
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode, null),
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
