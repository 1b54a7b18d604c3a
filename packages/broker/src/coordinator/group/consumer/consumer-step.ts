import type { GroupTimer } from '../group-types.ts';
import { GroupStep } from '../modern/group-step.ts';
import { memberTimerKey, type MemberTimerKind } from '../modern/member-timers.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';

const MEMBER_TIMERS: readonly MemberTimerKind[] = ['session', 'rebalance', 'join', 'sync'];

/** One step of one consumer group. */
export class ConsumerStep extends GroupStep<ConsumerGroup> {
  /** A member that is not heard of for this long is out. */
  startSession(memberId: string, timeoutMs: number): void {
    this.#startMemberTimer('session', memberId, timeoutMs);
  }

  /** A classic member was told to rejoin; the first time counts. */
  startJoin(memberId: string, timeoutMs: number): void {
    this.#startMemberTimer('join', memberId, timeoutMs, true);
  }

  startSync(memberId: string, timeoutMs: number): void {
    this.#startMemberTimer('sync', memberId, timeoutMs);
  }

  /** A member has until then to give up what was revoked from it. */
  startRebalance(member: ConsumerMember): void {
    this.setTimer(rebalanceTimer(this.groupId, member));
  }

  cancelMemberTimers(memberId: string): void {
    for (const kind of MEMBER_TIMERS) this.cancelMemberTimer(kind, memberId);
  }

  // oxlint-disable-next-line max-params -- one timer, spelled out
  #startMemberTimer(kind: MemberTimerKind, memberId: string, delayMs: number, ifAbsent = false): void {
    const { groupId } = this;
    this.setMemberTimer(kind, memberId, {
      delayMs,
      command: { type: 'consumer-member-expired', groupId, memberId },
      ...(ifAbsent && { ifAbsent }),
    });
  }
}

/** The timer that fences a member which does not give up its partitions. */
export function rebalanceTimer(
  groupId: string,
  { memberId, memberEpoch, rebalanceTimeoutMs }: ConsumerMember,
): GroupTimer {
  return {
    key: memberTimerKey('rebalance', groupId, memberId),
    delayMs: rebalanceTimeoutMs,
    command: { type: 'consumer-rebalance-expired', groupId, memberId, memberEpoch },
  };
}
