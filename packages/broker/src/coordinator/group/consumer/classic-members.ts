import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError, errorCodeOf } from '../../runtime/coordinator-error.ts';
import { CONSUMER_PROTOCOL_TYPE, NO_ASSIGNMENT } from '../classic/classic-group.ts';
import {
  UNKNOWN_MEMBER_ID,
  type HeartbeatCommand,
  type JoinCommand,
  type LeaveCommand,
  type LeaveReply,
  type MemberIdentity,
  type SyncCommand,
  type SyncReply,
} from '../classic/classic-types.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import { joinAsClassicMember } from './classic-member-join.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import { MemberState, type ClassicMemberMetadata, type ConsumerMember } from './consumer-member.ts';
import { ConsumerStep } from './consumer-step.ts';
import { writeAssignment } from './embedded-protocol.ts';
import { fenceMembers } from './fence-members.ts';
import { requireMember, requireStaticMember } from './find-member.ts';

/** What members of the classic protocol send. */
export type ClassicMemberCommand = JoinCommand | SyncCommand | HeartbeatCommand | LeaveCommand;

/**
 * A request of the classic protocol in a consumer group (KIP-848's compatible path).
 * @throws CoordinatorError with Kafka's error code
 */
export function handleClassicMember(
  group: ConsumerGroup,
  command: ClassicMemberCommand,
  context: CommandContext,
): GroupOutcome {
  const step = new ConsumerStep(group, context);
  switch (command.type) {
    case 'join':
      return joinAsClassicMember(group, command, context);
    case 'sync':
      return sync(step, command);
    case 'heartbeat':
      return heartbeat(step, command);
    case 'leave':
      return leave(step, command);
  }
}

function sync(step: ConsumerStep, command: SyncCommand): GroupOutcome {
  const { group, image } = step;
  const { member, classic } = requireClassicMember(group, command);
  const protocol = classic.supportedProtocols[0];
  const isOther = (asked: string | null, own: string | undefined): boolean => asked !== null && asked !== own;
  if (
    isOther(command.protocolType, CONSUMER_PROTOCOL_TYPE) ||
    isOther(command.protocolName, protocol?.name)
  ) {
    throw new CoordinatorError(ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
  }
  if (group.target.epoch > member.memberEpoch && member.state !== MemberState.unrevokedPartitions) {
    step.startJoin(member.memberId, member.rebalanceTimeoutMs);
    return refuseRebalancing(step);
  }
  step.cancelMemberTimer('sync', member.memberId);
  step.startSession(member.memberId, classic.sessionTimeoutMs);
  const subscription = protocol?.metadata ?? NO_ASSIGNMENT;
  const reply: SyncReply = {
    errorCode: ErrorCodes.NONE,
    protocolType: command.protocolType,
    protocolName: command.protocolName,
    assignment: writeAssignment(member.assigned, { subscription, image }),
  };
  step.reply(reply);
  return step.finish();
}

/** The member learns that it has to join again, and gets its rebalance timeout to do so. */
function refuseRebalancing(step: ConsumerStep): GroupOutcome {
  const reply: SyncReply = {
    errorCode: ErrorCodes.REBALANCE_IN_PROGRESS,
    protocolType: null,
    protocolName: null,
    assignment: NO_ASSIGNMENT,
  };
  step.reply(reply);
  return step.finish();
}

function heartbeat(step: ConsumerStep, command: HeartbeatCommand): GroupOutcome {
  const { group } = step;
  const { member, classic } = requireClassicMember(group, command);
  step.startSession(member.memberId, classic.sessionTimeoutMs);
  const mustRejoin =
    member.memberEpoch < group.target.epoch ||
    member.state === MemberState.unrevokedPartitions ||
    (member.state === MemberState.unreleasedPartitions && !waitsForOthers(group, member));
  if (mustRejoin) step.startJoin(member.memberId, member.rebalanceTimeoutMs);
  step.reply(mustRejoin ? ErrorCodes.REBALANCE_IN_PROGRESS : ErrorCodes.NONE);
  return step.finish();
}

/** Whether some partition of the member's target is still held by another. */
function waitsForOthers(group: ConsumerGroup, { memberId, assigned }: ConsumerMember): boolean {
  for (const [topicId, partitions] of group.target.of(memberId)) {
    for (const partition of partitions) {
      const isOwn = assigned.get(topicId)?.has(partition) === true;
      if (!isOwn && group.partitionEpoch(topicId, partition) !== -1) return true;
    }
  }
  return false;
}

function leave(step: ConsumerStep, command: LeaveCommand): GroupOutcome {
  const leaving = new Map<string, ConsumerMember>();
  const members = command.members.map((identity) => {
    const { memberId, groupInstanceId } = identity;
    try {
      const member = leaver(step.group, identity);
      leaving.set(member.memberId, member);
      return { memberId, groupInstanceId, errorCode: ErrorCodes.NONE };
    } catch (failure) {
      return { memberId, groupInstanceId, errorCode: errorCodeOf(failure) };
    }
  });
  const reply: LeaveReply = { members };
  step.reply(reply);
  return fenceMembers(step, [...leaving.values()]);
}

/** Without a member id an administrator removes a static member. */
function leaver(group: ConsumerGroup, { memberId, groupInstanceId }: MemberIdentity): ConsumerMember {
  if (groupInstanceId === null) return requireMember(group, memberId);
  const known = group.staticMembers.get(groupInstanceId) ?? '';
  return requireStaticMember(group, memberId === UNKNOWN_MEMBER_ID ? known : memberId, groupInstanceId);
}

function requireClassicMember(
  group: ConsumerGroup,
  command: SyncCommand | HeartbeatCommand,
): { member: ConsumerMember; classic: ClassicMemberMetadata } {
  const { memberId, groupInstanceId, generationId } = command;
  const member =
    groupInstanceId === null
      ? requireMember(group, memberId)
      : requireStaticMember(group, memberId, groupInstanceId);
  if (member.classic === null) throw new CoordinatorError(ErrorCodes.UNKNOWN_MEMBER_ID);
  if (member.memberEpoch !== generationId) throw new CoordinatorError(ErrorCodes.ILLEGAL_GENERATION);
  return { member, classic: member.classic };
}
