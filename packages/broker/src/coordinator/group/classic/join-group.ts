import { ErrorCodes } from '@ottla/protocol';
import type { Ticket } from '../../runtime/state-machine.ts';
import {
  NO_ASSIGNMENT,
  hasSameProtocols,
  isLeader,
  selectProtocol,
  supportsProtocols,
  type ClassicGroup,
  type ClassicMember,
} from './classic-group.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import { groupMetadataRecord } from './group-metadata.ts';
import { memberTimer, rescheduleMember } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import { UNKNOWN_MEMBER_ID, type JoinCommand } from './classic-types.ts';
import { addMember, memberError, removeMember, replaceStaticMember } from './membership.ts';
import {
  joinedReply,
  maybeCompleteJoin,
  prepareRebalance,
  prepareRebalanceOrCompleteJoin,
} from './rebalance.ts';

/** How long a new member's JoinGroup may wait: it cannot send heartbeats yet, and nobody sees that its client is gone. */
const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60 * 1000;

/** A JoinGroup and who waits for its reply. */
interface Join {
  readonly command: JoinCommand;
  readonly ticket: Ticket;
  readonly config: GroupCoordinatorConfig;
}

/** JoinGroup of a group that exists or has just been made for it. */
export function joinGroup(step: GroupTransition, join: Join): void {
  const { command, ticket } = join;
  const { memberId } = command;
  if (!acceptsJoiningMember(step.group, memberId, join.config.maxSize)) {
    removeMember(step, memberId);
    step.replyJoin(ticket, { errorCode: ErrorCodes.GROUP_MAX_SIZE_REACHED });
  } else if (!supportsProtocols(step.group, command.protocolType, command.protocols)) {
    step.replyJoin(ticket, { errorCode: ErrorCodes.INCONSISTENT_GROUP_PROTOCOL, memberId });
  } else if (memberId === UNKNOWN_MEMBER_ID) {
    joinNewMember(step, join);
  } else if (step.group.pendingJoinMembers.has(memberId)) {
    joinPendingMember(step, join);
  } else {
    rejoin(step, join);
  }
}

/**
 * During a rebalance those who have joined count, not the members: so a group that is too large after its limit was
 * lowered shrinks to it, the slowest to rejoin being left out.
 */
function acceptsJoiningMember(group: ClassicGroup, memberId: string, maxSize: number): boolean {
  const member = group.members.get(memberId);
  switch (group.state) {
    case 'Empty':
      return true;
    case 'PreparingRebalance':
      return (member !== undefined && member.awaitingJoin !== null) || group.awaitingJoinCount < maxSize;
    case 'CompletingRebalance':
    case 'Stable':
      return member !== undefined || group.members.size < maxSize;
  }
}

function joinNewMember(step: GroupTransition, join: Join): void {
  const { command, ticket } = join;
  const { groupInstanceId, newMemberId, groupId } = command;
  if (groupInstanceId !== null) {
    const existing = step.member(step.group.staticMembers.get(groupInstanceId) ?? '');
    if (existing === undefined) addNewMember(step, join, newMemberId);
    else rejoinStaticMember(step, join, existing);
  } else if (command.requireKnownMemberId) {
    step.addPendingJoin(newMemberId);
    step.schedule(memberTimer(groupId, newMemberId), command.sessionTimeoutMs, {
      type: 'member-expired',
      groupId,
      memberId: newMemberId,
    });
    step.replyJoin(ticket, { errorCode: ErrorCodes.MEMBER_ID_REQUIRED, memberId: newMemberId });
  } else {
    addNewMember(step, join, newMemberId);
  }
}

function joinPendingMember(step: GroupTransition, join: Join): void {
  const { memberId, groupInstanceId } = join.command;
  if (groupInstanceId !== null) {
    // Ids are handed out to dynamic members only; Kafka fails on this the same way.
    step.replyJoin(join.ticket, { errorCode: ErrorCodes.UNKNOWN_SERVER_ERROR });
    return;
  }
  addNewMember(step, join, memberId);
}

function addNewMember(step: GroupTransition, { command, ticket, config }: Join, memberId: string): void {
  const { group } = step;
  const member: ClassicMember = {
    memberId,
    groupInstanceId: command.groupInstanceId,
    clientId: command.clientId,
    clientHost: command.clientHost,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    protocols: command.protocols,
    assignment: NO_ASSIGNMENT,
    awaitingJoin: ticket,
    awaitingSync: null,
    isNew: true,
  };
  if (group.state === 'PreparingRebalance' && group.previousState === 'Empty') group.newMemberAdded = true;
  addMember(step, member, command.protocolType);
  rescheduleMember(step, member, NEW_MEMBER_JOIN_TIMEOUT_MS);
  prepareRebalanceOrCompleteJoin(step, config);
}

function rejoin(step: GroupTransition, join: Join): void {
  const { command, ticket, config } = join;
  const { memberId } = command;
  const { group } = step;
  const errorCode = memberError(group, memberId, command.groupInstanceId);
  const member = step.member(memberId);
  if (errorCode !== ErrorCodes.NONE || member === undefined) {
    step.replyJoin(ticket, { errorCode, memberId });
    return;
  }
  if (group.state === 'Empty') {
    step.replyJoin(ticket, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID, memberId });
    return;
  }
  // Nothing new: it may have missed the reply. The leader of a stable group rejoins to say that the assignment is due
  // again, for reasons that its subscription does not show.
  const rebalanceAsked = group.state === 'Stable' && isLeader(group, memberId);
  if (
    group.state !== 'PreparingRebalance' &&
    !rebalanceAsked &&
    hasSameProtocols(member, command.protocols)
  ) {
    step.replyJoin(ticket, joinedReply(group, memberId));
    return;
  }
  updateMember(step, member, join);
  prepareRebalanceOrCompleteJoin(step, config);
}

function updateMember(step: GroupTransition, member: ClassicMember, { command, ticket }: Join): void {
  if (member.awaitingJoin !== null) {
    // The member asks anew, so nobody listens to the old request any more; Kafka leaves it unanswered.
    step.replyJoin(member.awaitingJoin, {
      errorCode: ErrorCodes.REBALANCE_IN_PROGRESS,
      memberId: member.memberId,
    });
  }
  step.setMember({
    ...member,
    protocols: command.protocols,
    rebalanceTimeoutMs: command.rebalanceTimeoutMs,
    sessionTimeoutMs: command.sessionTimeoutMs,
    awaitingJoin: ticket,
  });
}

/**
 * A static member comes back without its member id: it gets a new one, and in a stable group keeps its assignment without
 * a rebalance if its choice of protocols does not change the group's (KIP-345).
 */
function rejoinStaticMember(step: GroupTransition, join: Join, old: ClassicMember): void {
  const { command, config } = join;
  const { group } = step;
  const oldLeaderId = group.leaderId;
  const renewed = replaceStaticMember(step, old, command.newMemberId);
  rescheduleMember(step, renewed);
  updateMember(step, renewed, join);
  if (group.state === 'PreparingRebalance') {
    maybeCompleteJoin(step);
    return;
  }
  if (group.state === 'CompletingRebalance') {
    // The leader may be assigning to the old id at this moment; only a new generation brings the new id to it.
    prepareRebalance(step, config);
    return;
  }
  if (selectProtocol(group) !== group.protocolName) {
    prepareRebalanceOrCompleteJoin(step, config);
    return;
  }
  const assignments = new Map(
    Array.from(group.members.values(), (member) => [member.memberId, member.assignment]),
  );
  step.append(groupMetadataRecord(group, assignments));
  step.whenWritten({
    type: 'static-member-stored',
    groupId: group.groupId,
    oldMemberId: old.memberId,
    newMemberId: command.newMemberId,
    oldProtocols: old.protocols,
    oldRebalanceTimeoutMs: old.rebalanceTimeoutMs,
    oldSessionTimeoutMs: old.sessionTimeoutMs,
    oldLeaderId,
    supportsSkippingAssignment: command.supportsSkippingAssignment,
  });
}
