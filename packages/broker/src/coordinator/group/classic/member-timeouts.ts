import { hasAllMembersJoined } from './classic-group.ts';
import type { GroupCoordinatorConfig } from '../group-coordinator-config.ts';
import { cancelMember } from './group-timers.ts';
import type { GroupTransition } from './group-transition.ts';
import { expel } from './leave-group.ts';
import { removeMember } from './membership.ts';
import { completeJoin, prepareRebalance, prepareRebalanceOrCompleteJoin } from './rebalance.ts';

/** A member's session has ended, or a pending one has not come back with its id. */
export function memberExpired(step: GroupTransition, memberId: string, config: GroupCoordinatorConfig): void {
  const { group } = step;
  if (group.pendingJoinMembers.has(memberId)) {
    removeMember(step, memberId);
    if (group.state === 'PreparingRebalance' && hasAllMembersJoined(group)) completeJoin(step);
    return;
  }
  const member = step.member(memberId);
  if (member === undefined) return;
  // Whoever waits for a join or a sync cannot send heartbeats, and needs none; new members are the exception.
  if (!member.isNew && (member.awaitingJoin !== null || member.awaitingSync !== null)) return;
  expel(step, memberId);
  if (group.state === 'Stable' || group.state === 'CompletingRebalance')
    prepareRebalanceOrCompleteJoin(step, config);
  else if (group.state === 'PreparingRebalance' && hasAllMembersJoined(group)) completeJoin(step);
}

/** The time to sync is over: who has not sent SyncGroup is out. */
export function syncExpired(
  step: GroupTransition,
  generationId: number,
  config: GroupCoordinatorConfig,
): void {
  const { group } = step;
  if (group.generationId !== generationId || group.pendingSyncMembers.size === 0) return;
  if (group.state !== 'CompletingRebalance' && group.state !== 'Stable') return;
  for (const memberId of group.pendingSyncMembers) {
    removeMember(step, memberId);
    cancelMember(step, memberId);
  }
  prepareRebalance(step, config);
}
