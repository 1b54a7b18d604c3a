import type { MetadataImage } from '../../../metadata/image.ts';
import { NO_TICKET, outcome, type Reply } from '../../runtime/state-machine.ts';
import type { CommandContext } from '../command-context.ts';
import type { GroupRecord } from '../group-records.ts';
import type { GroupChange, GroupCommand, GroupOutcome, GroupTimer } from '../group-types.ts';
import { memberTimerKey, type MemberTimerKind } from './member-timers.ts';

/** One step of one group: gathers what the rules decide. The group itself is changed by the records, later. */
export class GroupStep<Group extends { readonly groupId: string }> {
  readonly group: Group;
  readonly context: CommandContext;
  readonly image: MetadataImage;
  readonly #records: GroupRecord[] = [];
  readonly #timers: GroupTimer[] = [];
  readonly #changes: GroupChange[] = [];
  readonly #replies: Reply[] = [];

  constructor(group: Group, context: CommandContext) {
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

  setMemberTimer(kind: MemberTimerKind, memberId: string, timer: MemberTimer): void {
    this.#timers.push({ key: memberTimerKey(kind, this.groupId, memberId), ...timer });
  }

  cancelMemberTimer(kind: MemberTimerKind, memberId: string): void {
    this.#timers.push({ key: memberTimerKey(kind, this.groupId, memberId), delayMs: null });
  }

  finish(): GroupOutcome {
    return outcome({
      changes: this.#changes,
      timers: this.#timers,
      records: this.#records,
      replies: this.#replies,
    });
  }
}

/** The timer of a member, without its key. */
export interface MemberTimer {
  readonly delayMs: number;
  readonly command: GroupCommand;
  /** Leaves a timer that runs already as it is. */
  readonly ifAbsent?: boolean;
}
