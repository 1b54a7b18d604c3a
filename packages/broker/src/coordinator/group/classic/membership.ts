import { ErrorCodes } from '@ottla/protocol';
import type { ClassicGroup, ClassicMember } from './classic-group.ts';
import type { GroupTransition } from './group-transition.ts';

/** The error for a caller that is not the member it says, or NONE. A static member of another member id is fenced (KIP-345). */
export function memberError(group: ClassicGroup, memberId: string, groupInstanceId: string | null): number {
  if (groupInstanceId !== null) {
    const existing = group.staticMembers.get(groupInstanceId);
    if (existing === undefined) return ErrorCodes.UNKNOWN_MEMBER_ID;
    if (existing !== memberId) return ErrorCodes.FENCED_INSTANCE_ID;
  }
  return group.members.has(memberId) ? ErrorCodes.NONE : ErrorCodes.UNKNOWN_MEMBER_ID;
}

/** Adds a member; the first one decides the protocol type and leads. */
export function addMember(step: GroupTransition, member: ClassicMember, protocolType: string): void {
  const { group } = step;
  if (group.members.size === 0) group.protocolType = protocolType;
  group.leaderId ??= member.memberId;
  step.setMember(member);
  step.removePendingJoin(member.memberId);
}

/** Removes a member or a pending one; the oldest other member leads when it led. */
export function removeMember(step: GroupTransition, memberId: string): void {
  step.deleteMember(memberId);
  if (step.group.leaderId === memberId) step.group.leaderId = firstKey(step.group.members);
}

/**
 * Gives a static member a new member id. Whoever waits under the old id has been
 * fenced; assignment, protocols and leadership go over.
 */
export function replaceStaticMember(
  step: GroupTransition,
  old: ClassicMember,
  newMemberId: string,
): ClassicMember {
  step.completeJoin(old.memberId, {
    errorCode: ErrorCodes.FENCED_INSTANCE_ID,
    memberId: old.memberId,
  });
  step.completeSync(old.memberId, { errorCode: ErrorCodes.FENCED_INSTANCE_ID });
  const ledBefore = step.group.leaderId === old.memberId;
  step.deleteMember(old.memberId);
  const renewed: ClassicMember = {
    ...old,
    memberId: newMemberId,
    awaitingJoin: null,
    awaitingSync: null,
    isNew: false,
  };
  step.setMember(renewed);
  if (ledBefore) step.group.leaderId = newMemberId;
  return renewed;
}

/**
 * When the leader has not rejoined, the first member that has takes over. False when there is nobody to lead: no members,
 * or none that joined.
 */
export function maybeElectNewJoinedLeader(step: GroupTransition): boolean {
  const { group } = step;
  if (group.leaderId === null) return false;
  if ((step.member(group.leaderId)?.awaitingJoin ?? null) !== null) return true;
  for (const member of group.members.values()) {
    if (member.awaitingJoin === null) continue;
    group.leaderId = member.memberId;
    return true;
  }
  return false;
}

function firstKey(members: ReadonlyMap<string, unknown>): string | null {
  for (const memberId of members.keys()) return memberId;
  return null;
}
