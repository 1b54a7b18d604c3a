import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../runtime/coordinator-error.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { assignedAt, NO_ASSIGNED_PARTITIONS } from '../modern/topic-partitions.ts';
import { STATIC_LEAVING_EPOCH, type ConsumerMember } from './consumer-member.ts';
import { currentAssignmentRecord } from './consumer-record-builders.ts';
import { ConsumerStep } from './consumer-step.ts';
import type { ConsumerHeartbeatCommand, ConsumerHeartbeatReply } from './consumer-types.ts';
import { fenceMembers } from './fence-members.ts';
import { requireMember, requireStaticMember } from './find-member.ts';

/**
 * ConsumerGroupHeartbeat of a member that leaves: for good, or, when it is static and says so, for a while in which its
 * partitions stay its own.
 * @throws CoordinatorError with Kafka's error code and message
 */
export function consumerLeave(command: ConsumerHeartbeatCommand, context: CommandContext): GroupOutcome {
  const { groupId, memberId, memberEpoch, instanceId } = command;
  const group = context.state.consumer.get(groupId);
  if (group === undefined) {
    const reason = context.state.kindOf(groupId) === undefined ? 'not found' : 'is not a consumer group';
    throw new CoordinatorError(ErrorCodes.GROUP_ID_NOT_FOUND, `Group ${groupId} ${reason}.`);
  }
  const member =
    instanceId === null ? requireMember(group, memberId) : requireStaticMember(group, memberId, instanceId);
  const step = new ConsumerStep(group, context);
  const reply: ConsumerHeartbeatReply = { memberId, memberEpoch, heartbeatIntervalMs: 0, assignment: null };
  step.reply(reply);
  if (instanceId === null || memberEpoch !== STATIC_LEAVING_EPOCH) return fenceMembers(step, [member]);
  step.append(currentAssignmentRecord(groupId, onLeave(member)));
  return step.finish();
}

function onLeave(member: ConsumerMember): ConsumerMember {
  const assigned = assignedAt(
    new Map(Array.from(member.assigned, ([topicId, epochs]) => [topicId, new Set(epochs.keys())])),
    0,
  );
  return {
    ...member,
    memberEpoch: STATIC_LEAVING_EPOCH,
    assigned,
    pendingRevocation: NO_ASSIGNED_PARTITIONS,
  };
}
