import type { GroupTimer } from '../group-types.ts';

/** A member that is not heard of for its session timeout is removed. */
export function memberTimer(groupId: string, memberId: string, sessionTimeoutMs: number): GroupTimer {
  return {
    key: timerKey(groupId, memberId),
    delayMs: sessionTimeoutMs,
    command: { type: 'share-member-expired', groupId, memberId },
  };
}

/** The member is gone: nothing to wait for. */
export function cancelMemberTimer(groupId: string, memberId: string): GroupTimer {
  return { key: timerKey(groupId, memberId), delayMs: null };
}

/** The length tells where the group id ends, so that no two pairs make the same key. */
function timerKey(groupId: string, memberId: string): string {
  return `share-session:${groupId.length}:${groupId}:${memberId}`;
}
