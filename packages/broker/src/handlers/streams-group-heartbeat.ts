import {
  ApiKeys,
  ErrorCodes,
  errorName,
  streamsGroupHeartbeatRequest,
  streamsGroupHeartbeatResponse,
} from '@ottla/protocol';
import type { StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse } from '@ottla/protocol';
import { requireValidHeartbeat } from '../coordinator/group/streams/heartbeat-validation.ts';
import type { StreamsGroupService } from '../coordinator/group/streams/streams-group-service.ts';
import type {
  EndpointPartitions,
  StreamsHeartbeatCommand,
  StreamsHeartbeatReply,
} from '../coordinator/group/streams/streams-types.ts';
import { toTaskIds } from '../coordinator/group/streams/tasks.ts';
import { CoordinatorError, errorCodeOf } from '../coordinator/runtime/coordinator-error.ts';
import type { ApiHandler } from './handler.ts';

/** StreamsGroupHeartbeat, version 0 (KIP-1071). */
export function streamsGroupHeartbeatHandler(deps: {
  readonly streamsGroups: StreamsGroupService;
  /** Whether the broker serves the protocol: `group.coordinator.rebalance.protocols` and the feature `streams.version`. */
  readonly isEnabled: () => boolean;
}): ApiHandler<StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse> {
  return {
    apiKey: ApiKeys.StreamsGroupHeartbeat,
    minVersion: 0,
    maxVersion: 0,
    request: streamsGroupHeartbeatRequest,
    response: streamsGroupHeartbeatResponse,

    async handle(request, { clientId, connection }) {
      if (!deps.isEnabled()) return errorResponse(ErrorCodes.UNSUPPORTED_VERSION, null);
      try {
        requireValidHeartbeat(request);
        const command = toCommand(request, clientId ?? '', connection.clientHost);
        return toResponse(await deps.streamsGroups.heartbeat(command));
      } catch (failure) {
        const errorCode = errorCodeOf(failure);
        const text = failure instanceof CoordinatorError ? failure.message : null;
        return errorResponse(errorCode, text === errorName(errorCode) ? null : text);
      }
    },

    errorResponse: (_request, errorCode) => errorResponse(errorCode, null),
  };
}

function toCommand(
  request: StreamsGroupHeartbeatRequest,
  clientId: string,
  clientHost: string,
): StreamsHeartbeatCommand {
  return {
    type: 'streams-heartbeat',
    groupId: request.groupId,
    memberId: request.memberId,
    memberEpoch: request.memberEpoch,
    endpointEpoch: request.endpointInformationEpoch,
    rackId: request.rackId,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    topology: request.topology,
    activeTasks: request.activeTasks,
    standbyTasks: request.standbyTasks,
    warmupTasks: request.warmupTasks,
    processId: request.processId,
    userEndpoint: request.userEndpoint,
    clientTags: request.clientTags,
    shutdownApplication: request.shutdownApplication,
    clientId,
    clientHost,
  };
}

function toResponse(reply: StreamsHeartbeatReply): StreamsGroupHeartbeatResponse {
  const { tasks, endpoints } = reply;
  return {
    ...emptyResponse,
    memberId: reply.memberId,
    memberEpoch: reply.memberEpoch,
    heartbeatIntervalMs: reply.heartbeatIntervalMs,
    status: [...reply.status],
    activeTasks: tasks === null ? null : toTaskIds(tasks.active),
    standbyTasks: tasks === null ? null : toTaskIds(tasks.standby),
    warmupTasks: tasks === null ? null : toTaskIds(tasks.warmup),
    endpointInformationEpoch: reply.endpointEpoch,
    partitionsByUserEndpoint: endpoints === null ? null : endpoints.map(toEndpoint),
  };
}

function toEndpoint({ userEndpoint, activePartitions, standbyPartitions }: EndpointPartitions) {
  const copy = (topics: EndpointPartitions['activePartitions']) =>
    topics.map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }));
  return {
    userEndpoint,
    activePartitions: copy(activePartitions),
    standbyPartitions: copy(standbyPartitions),
  };
}

function errorResponse(errorCode: number, errorMessage: string | null): StreamsGroupHeartbeatResponse {
  return { ...emptyResponse, errorCode, errorMessage };
}

const emptyResponse: StreamsGroupHeartbeatResponse = {
  throttleTimeMs: 0,
  errorCode: ErrorCodes.NONE,
  errorMessage: null,
  memberId: '',
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  // Nothing that Kafka 4.3 gives to its members yet.
  acceptableRecoveryLagLegacy: 0,
  acceptableRecoveryLag: -1,
  taskOffsetIntervalMs: 0,
  topologyDescriptionRequired: false,
  status: [],
  activeTasks: null,
  standbyTasks: null,
  warmupTasks: null,
  endpointInformationEpoch: 0,
  partitionsByUserEndpoint: null,
};
