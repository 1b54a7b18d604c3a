/** What ends when such a timer goes off; one of each kind for a member. */
export type MemberTimerKind = 'session' | 'rebalance' | 'join' | 'sync';

/**
 * The key of a member's timer. Group and member ids may hold any character, so the length keeps apart what would otherwise
 * run together.
 */
export function memberTimerKey(kind: MemberTimerKind, groupId: string, memberId: string): string {
  return `${kind}/${groupId.length}/${groupId}/${memberId}`;
}
