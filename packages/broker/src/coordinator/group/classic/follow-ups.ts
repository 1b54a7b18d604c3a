import { ErrorCodes } from '@ottla/protocol';
import { NO_ASSIGNMENT, isLeader } from './classic-group.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import { joinTimer, rescheduleMember, cancelMember, syncTimer } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import type { GroupFollowUp } from '../group-types.ts';
import { replaceStaticMember } from './membership.ts';
import {
  prepareRebalanceOrCompleteJoin,
  refuseAwaitingSyncs,
  joinedReply,
  subscriptions,
} from './rebalance.ts';

/** A follow-up of one kind. */
type FollowUp<Type extends GroupFollowUp['type']> = Extract<GroupFollowUp, { type: Type }>;

/** The record of a new group could not be written: the group is not there, whoever waits in it is told. */
export function creationFailed(step: GroupTransition, errorCode: number): void {
  const { groupId, members, pendingJoinMembers } = step.group;
  for (const { memberId } of members.values()) {
    step.completeJoin(memberId, { errorCode });
    step.completeSync(memberId, { errorCode });
    cancelMember(step, memberId);
  }
  for (const memberId of pendingJoinMembers) cancelMember(step, memberId);
  step.cancel(joinTimer(groupId));
  step.cancel(syncTimer(groupId));
}

/**
 * The leader's assignment is in the log, or could not be written. The group may have moved on meanwhile; then the
 * assignment is of no use any more, and those who waited for it have been told.
 */
export function assignmentStored(
  step: GroupTransition,
  followUp: FollowUp<'assignment-stored'>,
  {
    errorCode,
    assignments,
    config,
  }: { errorCode: number; assignments: ReadonlyMap<string, Buffer>; config: GroupCoordinatorConfig },
): void {
  const { group } = step;
  if (group.state !== 'CompletingRebalance' || group.generationId !== followUp.generationId) return;
  if (errorCode !== ErrorCodes.NONE) {
    refuseAwaitingSyncs(step, errorCode);
    prepareRebalanceOrCompleteJoin(step, config);
    return;
  }
  for (const member of group.members.values()) {
    const assigned = { ...member, assignment: assignments.get(member.memberId) ?? NO_ASSIGNMENT };
    step.setMember(assigned);
    const { protocolName, protocolType } = group;
    if (step.completeSync(member.memberId, { protocolName, protocolType, assignment: assigned.assignment })) {
      rescheduleMember(step, assigned);
    }
  }
  step.enter('Stable');
}

/** The new id of a static member is in the log, or could not be written and the old one holds again. */
export function staticMemberStored(
  step: GroupTransition,
  followUp: FollowUp<'static-member-stored'>,
  errorCode: number,
): void {
  const { group } = step;
  const { newMemberId, oldMemberId, oldLeaderId } = followUp;
  const member = step.member(newMemberId);
  if (member === undefined) return;
  if (errorCode !== ErrorCodes.NONE) {
    const { generationId, protocolName, protocolType } = group;
    step.completeJoin(newMemberId, {
      errorCode,
      generationId,
      protocolName,
      protocolType,
      leader: oldLeaderId ?? '',
    });
    const restored = {
      ...member,
      awaitingJoin: null,
      protocols: followUp.oldProtocols,
      rebalanceTimeoutMs: followUp.oldRebalanceTimeoutMs,
      sessionTimeoutMs: followUp.oldSessionTimeoutMs,
    };
    rescheduleMember(step, replaceStaticMember(step, restored, oldMemberId));
    return;
  }
  // A leader of an older version would not know that it need not assign, so it is told that the old id still leads.
  const leads = isLeader(group, newMemberId);
  step.completeJoin(newMemberId, {
    ...joinedReply(group, newMemberId),
    ...(followUp.supportsSkippingAssignment
      ? { skipAssignment: leads, members: leads ? subscriptions(group) : [] }
      : { leader: oldLeaderId ?? '', members: [] }),
  });
}
