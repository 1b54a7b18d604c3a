import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import { JOINING_EPOCH, LEAVING_EPOCH, STATIC_LEAVING_EPOCH } from './consumer-member.ts';
import type { ConsumerHeartbeatCommand } from './consumer-types.ts';

/**
 * Refuses a ConsumerGroupHeartbeat that makes no sense whatever the state of its group.
 * @throws CoordinatorError INVALID_REQUEST, UNSUPPORTED_ASSIGNOR with Kafka's messages
 */
export function requireValidHeartbeat(
  command: ConsumerHeartbeatCommand,
  { apiVersion, assignors }: { readonly apiVersion: number; readonly assignors: readonly string[] },
): void {
  const { memberEpoch, serverAssignor } = command;
  // From version 1 on members make their id themselves; in version 0 the coordinator does when they join.
  if (apiVersion >= 1 || memberEpoch > 0 || memberEpoch === LEAVING_EPOCH) {
    requireText(command.memberId, 'MemberId');
  }
  requireText(command.groupId, 'GroupId');
  requireText(command.instanceId, 'InstanceId');
  requireText(command.rackId, 'RackId');
  if (memberEpoch === JOINING_EPOCH) requireJoining(command);
  else if (memberEpoch === STATIC_LEAVING_EPOCH && command.instanceId === null) {
    throw invalid("InstanceId can't be null.");
  } else if (memberEpoch < STATIC_LEAVING_EPOCH) throw invalid('MemberEpoch is invalid.');
  if (serverAssignor !== null && !assignors.includes(serverAssignor)) {
    throw new CoordinatorError(
      ErrorCodes.UNSUPPORTED_ASSIGNOR,
      `ServerAssignor ${serverAssignor} is not supported. Supported assignors: ${assignors.join(', ')}.`,
    );
  }
}

function requireJoining(command: ConsumerHeartbeatCommand): void {
  if (command.rebalanceTimeoutMs === -1) {
    throw invalid('RebalanceTimeoutMs must be provided in first request.');
  }
  if (command.topicPartitions === null || command.topicPartitions.length > 0) {
    throw invalid('TopicPartitions must be empty when (re-)joining.');
  }
  if (command.subscribedTopicNames === null && command.subscribedTopicRegex === null) {
    throw invalid('Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.');
  }
}

function requireText(value: string | null, field: string): void {
  if (value !== null && value.trim() === '') throw invalid(`${field} can't be empty.`);
}

function invalid(message: string): CoordinatorError {
  return new CoordinatorError(ErrorCodes.INVALID_REQUEST, message);
}
