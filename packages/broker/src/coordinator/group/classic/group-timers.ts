import type { ClassicMember } from './classic-group.ts';
import type { GroupTimer } from '../group-types.ts';
import type { GroupTransition } from './group-transition.ts';

/**
 * Timer keys. Group and member ids may hold any character but are never longer than their length field says, so the length
 * keeps apart what would otherwise run together.
 */
export function memberTimer(groupId: string, memberId: string): string {
  return `member/${groupId.length}/${groupId}/${memberId}`;
}

/** The timer that ends the join phase of a rebalance. */
export function joinTimer(groupId: string): string {
  return `join/${groupId}`;
}

/** The timer that ends the wait for the members' SyncGroup requests. */
export function syncTimer(groupId: string): string {
  return `sync/${groupId}`;
}

/** The timer that sets a member's deadline back to its session timeout, or to `timeoutMs`. */
export function memberTimerEffect(
  groupId: string,
  { memberId, sessionTimeoutMs }: Pick<ClassicMember, 'memberId' | 'sessionTimeoutMs'>,
  timeoutMs: number = sessionTimeoutMs,
): GroupTimer {
  const command = { type: 'member-expired', groupId, memberId } as const;
  return { key: memberTimer(groupId, memberId), delayMs: timeoutMs, command };
}

/** Sets a member's deadline back to its session timeout, or to `timeoutMs`. */
export function rescheduleMember(
  step: GroupTransition,
  member: Pick<ClassicMember, 'memberId' | 'sessionTimeoutMs'>,
  timeoutMs: number = member.sessionTimeoutMs,
): void {
  step.setTimer(memberTimerEffect(step.group.groupId, member, timeoutMs));
}

/** Stops a member's session timeout. */
export function cancelMember(step: GroupTransition, memberId: string): void {
  step.cancel(memberTimer(step.group.groupId, memberId));
}
