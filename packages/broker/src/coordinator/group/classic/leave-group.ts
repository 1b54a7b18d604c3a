import { ErrorCodes } from '@ottla/protocol';
import type { Ticket } from '../../runtime/state-machine.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import { cancelMember } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import {
  UNKNOWN_MEMBER_ID,
  type LeaveCommand,
  type LeaveReply,
  type MemberIdentity,
} from './classic-types.ts';
import { memberError, removeMember } from './membership.ts';
import { maybeCompleteJoin, prepareRebalanceOrCompleteJoin } from './rebalance.ts';

/** LeaveGroup of an existing group: each member leaves or not for itself, then one rebalance for all of them. */
export function leaveGroup(
  step: GroupTransition,
  { command, ticket, config }: { command: LeaveCommand; ticket: Ticket; config: GroupCoordinatorConfig },
): void {
  const members = command.members.map((identity) => ({
    memberId: identity.memberId,
    groupInstanceId: identity.groupInstanceId,
    errorCode: leave(step, identity),
  }));
  const reply: LeaveReply = { members };
  step.reply(ticket, reply);
  if (members.every(({ errorCode }) => errorCode !== ErrorCodes.NONE)) return;
  if (step.group.state === 'PreparingRebalance') maybeCompleteJoin(step);
  else if (step.group.state !== 'Empty') prepareRebalanceOrCompleteJoin(step, config);
}

function leave(step: GroupTransition, { memberId, groupInstanceId }: MemberIdentity): number {
  const { group } = step;
  if (memberId === UNKNOWN_MEMBER_ID) {
    const staticMemberId = groupInstanceId === null ? undefined : group.staticMembers.get(groupInstanceId);
    if (staticMemberId === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
    expel(step, staticMemberId);
    return ErrorCodes.NONE;
  }
  if (group.pendingJoinMembers.has(memberId)) {
    removeMember(step, memberId);
    cancelMember(step, memberId);
    return ErrorCodes.NONE;
  }
  const errorCode = memberError(group, memberId, groupInstanceId);
  if (errorCode === ErrorCodes.NONE) expel(step, memberId);
  return errorCode;
}

/** Removes a member; if it waits, it learns that it is none any more, and joins anew if it still wants to. */
export function expel(step: GroupTransition, memberId: string): void {
  cancelMember(step, memberId);
  step.completeJoin(memberId, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID });
  step.completeSync(memberId, { errorCode: ErrorCodes.UNKNOWN_MEMBER_ID });
  removeMember(step, memberId);
}
