import { ErrorCodes } from '@ottla/protocol';
import type { GroupOutcome } from '../group-types.ts';
import type { ClassicGroup } from './classic-group.ts';
import { cancelMember, joinTimer, memberTimer, syncTimer } from './group-timers.ts';
import { GroupTransition } from './group-transition.ts';

/** A classic group gives way to another kind: whoever waits in it is told to join again, and its timers stop. */
export function dismissGroup(classic: ClassicGroup, nowMs: number): GroupOutcome {
  const transition = new GroupTransition(classic, nowMs);
  const errorCode = ErrorCodes.REBALANCE_IN_PROGRESS;
  for (const memberId of classic.members.keys()) {
    transition.completeJoin(memberId, { errorCode, memberId });
    transition.completeSync(memberId, { errorCode });
    cancelMember(transition, memberId);
  }
  for (const memberId of classic.pendingJoinMembers)
    transition.cancel(memberTimer(classic.groupId, memberId));
  transition.cancel(joinTimer(classic.groupId));
  transition.cancel(syncTimer(classic.groupId));
  return transition.finish(true);
}
