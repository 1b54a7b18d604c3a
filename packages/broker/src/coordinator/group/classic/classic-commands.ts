import { ErrorCodes } from '@ottla/protocol';
import { outcome } from '../../runtime/state-machine.ts';
import { refuse, type CommandContext } from '../command-context.ts';
import type { GroupOutcome } from '../group-types.ts';
import type { GroupView } from '../group-view.ts';
import { emptyGroup } from './classic-group.ts';
import {
  UNKNOWN_MEMBER_ID,
  type ClassicCommand,
  type ClassicFollowUp,
  type ClassicTimerCommand,
  type HeartbeatCommand,
  type JoinCommand,
  type LeaveCommand,
  type SyncCommand,
} from './classic-types.ts';
import { assignmentStored, creationFailed, staticMemberStored } from './follow-ups.ts';
import { newGroupRecord } from './group-metadata.ts';
import { rescheduleMember } from './group-timers.ts';
import { GroupTransition } from './group-transition.ts';
import { heartbeat } from './heartbeat.ts';
import { joinGroup } from './join-group.ts';
import { leaveGroup } from './leave-group.ts';
import { memberExpired, syncExpired } from './member-timeouts.ts';
import { completeJoin, initialDelayOver, prepareRebalance } from './rebalance.ts';
import { syncGroup } from './sync-group.ts';

/** A command for a classic group: finds the group and hands both to the rule for it. */
export function handleClassic(command: ClassicCommand, context: CommandContext): GroupOutcome {
  switch (command.type) {
    case 'join':
      return join(command, context);
    case 'sync':
    case 'heartbeat':
    case 'leave':
      return onMembers(command, context);
    default:
      return onTimer(command, context);
  }
}

/** Continues after the write that a step of a classic group waited for. */
export function classicWritten(
  followUp: ClassicFollowUp,
  errorCode: number,
  { state, config, nowMs }: Omit<CommandContext, 'ticket'>,
): GroupOutcome {
  const { groupId } = followUp;
  const group = state.classicGroup(groupId);
  if (group === undefined) return outcome({});
  const step = new GroupTransition(group, nowMs);
  switch (followUp.type) {
    case 'group-created':
      if (errorCode === ErrorCodes.NONE) return outcome({});
      creationFailed(step, errorCode);
      return step.finish(true);
    case 'assignment-stored': {
      const assignments = state.classic.storedAssignments(groupId);
      assignmentStored(step, followUp, { errorCode, assignments, config });
      return step.finish();
    }
    case 'static-member-stored':
      staticMemberStored(step, followUp, errorCode);
      return step.finish();
  }
}

/** Sessions of the members found start anew; a group above a limit that was lowered meanwhile rebalances down to it. */
export function classicLoaded({ state, config, nowMs }: Omit<CommandContext, 'ticket'>): GroupOutcome[] {
  const parts: GroupOutcome[] = [];
  for (const groupId of state.groupIds()) {
    const group = state.classicGroup(groupId);
    if (group === undefined || group.members.size === 0) continue;
    const step = new GroupTransition(group, nowMs);
    for (const member of group.members.values()) rescheduleMember(step, member);
    if (group.members.size > config.maxSize) prepareRebalance(step, config);
    parts.push(step.finish());
  }
  return parts;
}

function join(command: JoinCommand, { state, config, ticket, nowMs }: CommandContext): GroupOutcome {
  const { groupId, memberId } = command;
  const existing = state.classicGroup(groupId);
  const other = existing === undefined ? state.view(groupId) : undefined;
  if (other !== undefined && !makesWay(other)) return refuse(ticket, ErrorCodes.INCONSISTENT_GROUP_PROTOCOL);
  if (existing === undefined && memberId !== UNKNOWN_MEMBER_ID) {
    const step = new GroupTransition(emptyGroup(groupId, nowMs), nowMs);
    step.replyJoin(ticket, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID, memberId });
    return step.finish(true);
  }
  const base = existing ?? emptyGroup(groupId, nowMs);
  const step = new GroupTransition(base, nowMs);
  if (other !== undefined) for (const record of other.tombstones()) step.append(record);
  joinGroup(step, { command, ticket, config });
  if (existing === undefined) {
    // As in Kafka, the log hears of a group with its first caller, members or not.
    step.append(newGroupRecord(base.groupId, base.stateTimestampMs));
    step.whenWritten({ type: 'group-created', groupId: base.groupId });
  }
  return step.finish();
}

/** A group without members of a kind that classic groups may follow. */
function makesWay({ kind, isEmpty }: GroupView): boolean {
  return isEmpty && (kind === 'consumer' || kind === 'streams');
}

function onMembers(
  command: SyncCommand | HeartbeatCommand | LeaveCommand,
  { state, config, ticket, nowMs }: CommandContext,
): GroupOutcome {
  const group = state.classicGroup(command.groupId);
  if (group === undefined) return refuse(ticket, ErrorCodes.UNKNOWN_MEMBER_ID);
  const step = new GroupTransition(group, nowMs);
  switch (command.type) {
    case 'sync':
      syncGroup(step, command, ticket);
      break;
    case 'heartbeat':
      heartbeat(step, command, ticket);
      break;
    case 'leave':
      leaveGroup(step, { command, ticket, config });
      break;
  }
  return step.finish();
}

function onTimer(command: ClassicTimerCommand, { state, config, nowMs }: CommandContext): GroupOutcome {
  const group = state.classicGroup(command.groupId);
  if (group === undefined) return outcome({});
  const step = new GroupTransition(group, nowMs);
  switch (command.type) {
    case 'member-expired':
      memberExpired(step, command.memberId, config);
      break;
    case 'join-expired':
      if (group.state === 'PreparingRebalance') completeJoin(step);
      break;
    case 'initial-delay-over':
      if (group.state === 'PreparingRebalance') initialDelayOver(step, command, config);
      break;
    case 'sync-expired':
      syncExpired(step, command.generationId, config);
      break;
  }
  return step.finish();
}
