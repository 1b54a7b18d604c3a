import type { MetadataImage } from '../../../metadata/image.ts';
import { NO_TICKET, outcome, type Reply } from '../../runtime/state-machine.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupChange, GroupOutcome, GroupTimer } from '../group-types.ts';
import { memberTimerKey, type MemberTimerKind } from '../modern/member-timers.ts';
import type { ConsumerGroup } from './consumer-group.ts';
import type { ConsumerMember } from './consumer-member.ts';

const MEMBER_TIMERS: readonly MemberTimerKind[] = ['session', 'rebalance', 'join', 'sync'];

/** One step of one consumer group: gathers what the rules decide. The group itself is changed by the records, later. */
export class ConsumerStep {
  readonly group: ConsumerGroup;
  readonly context: CommandContext;
  readonly image: MetadataImage;
  readonly #records: GroupRecord[] = [];
  readonly #timers: GroupTimer[] = [];
  readonly #changes: GroupChange[] = [];
  readonly #replies: Reply[] = [];

  constructor(group: ConsumerGroup, context: CommandContext) {
    this.group = group;
    this.context = context;
    this.image = context.image();
  }

  get groupId(): string {
    return this.group.groupId;
  }

  append(...records: readonly GroupRecord[]): void {
    for (const record of records) this.#records.push(record);
  }

  setTimer(timer: GroupTimer): void {
    this.#timers.push(timer);
  }

  change(change: GroupChange): void {
    this.#changes.push(change);
  }

  /** Answers the caller of this command. */
  reply(value: unknown): void {
    if (this.context.ticket !== NO_TICKET) this.#replies.push({ ticket: this.context.ticket, value });
  }

  /** Takes over what another step of the same command leads to. */
  include(other: GroupOutcome): void {
    this.append(...other.records);
    this.#timers.push(...other.timers);
    this.#changes.push(...other.changes);
    this.#replies.push(...other.replies);
  }

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
    this.#timers.push(rebalanceTimer(this.groupId, member));
  }

  cancelMemberTimer(kind: MemberTimerKind, memberId: string): void {
    this.#timers.push({ key: memberTimerKey(kind, this.groupId, memberId), delayMs: null });
  }

  cancelMemberTimers(memberId: string): void {
    for (const kind of MEMBER_TIMERS) this.cancelMemberTimer(kind, memberId);
  }

  finish(): GroupOutcome {
    return outcome({
      changes: this.#changes,
      timers: this.#timers,
      records: this.#records,
      replies: this.#replies,
    });
  }

  // oxlint-disable-next-line max-params -- one timer, spelled out
  #startMemberTimer(kind: MemberTimerKind, memberId: string, delayMs: number, ifAbsent = false): void {
    const { groupId } = this;
    this.#timers.push({
      key: memberTimerKey(kind, groupId, memberId),
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
