import { ErrorCodes } from '@ottla/protocol';
import { outcome, type Reply, type Ticket } from '../../runtime/state-machine.ts';
import {
  NO_ASSIGNMENT,
  type ClassicGroup,
  type ClassicGroupState,
  type ClassicMember,
} from './classic-group.ts';
import type { GroupRecord } from '../group-records.ts';
import { UNKNOWN_MEMBER_ID, type JoinReply, type SyncReply } from './classic-types.ts';
import type { GroupCommand, GroupFollowUp, GroupOutcome, GroupTimer } from '../group-types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * One step of one group. It starts from an immutable `ClassicGroup`, is changed freely by the rules of this folder, and
 * ends as an outcome: the next group beside the records, replies and timers that go with it. The group it started from
 * stays as it was, so a rule that throws half-way has changed nothing.
 *
 * Collections are copied when they are first written to; counts that Kafka's rules ask for often (who awaits a join, how
 * many support a protocol) are kept up in `setMember` and `deleteMember`, and only there.
 */
export class GroupTransition {
  /** The group as it stands in this step. Scalars may be assigned; collections only through the methods below. */
  readonly group: Mutable<ClassicGroup>;
  readonly nowMs: number;
  readonly #base: ClassicGroup;
  readonly #replies: Reply[] = [];
  readonly #timers: GroupTimer[] = [];
  readonly #records: GroupRecord[] = [];
  #followUp: GroupFollowUp | null = null;

  constructor(base: ClassicGroup, nowMs: number) {
    this.#base = base;
    this.group = { ...base };
    this.nowMs = nowMs;
  }

  member(memberId: string): ClassicMember | undefined {
    return this.group.members.get(memberId);
  }

  /** Adds a member or replaces the one of the same id. */
  setMember(member: ClassicMember): void {
    const { group } = this;
    const members = this.#ownMembers();
    const previous = members.get(member.memberId);
    members.set(member.memberId, member);
    group.awaitingJoinCount +=
      Number(member.awaitingJoin !== null) - Number((previous?.awaitingJoin ?? null) !== null);
    if (previous?.protocols !== member.protocols) {
      if (previous !== undefined) this.#count(previous, -1);
      this.#count(member, 1);
    }
    if (
      member.groupInstanceId !== null &&
      group.staticMembers.get(member.groupInstanceId) !== member.memberId
    ) {
      this.#ownStaticMembers().set(member.groupInstanceId, member.memberId);
    }
  }

  /** Removes a member and every trace of its id; returns it. Leadership is a matter of the caller. */
  deleteMember(memberId: string): ClassicMember | undefined {
    const { group } = this;
    const member = group.members.get(memberId);
    if (member !== undefined) {
      this.#ownMembers().delete(memberId);
      if (member.awaitingJoin !== null) group.awaitingJoinCount--;
      this.#count(member, -1);
      if (member.groupInstanceId !== null && group.staticMembers.get(member.groupInstanceId) === memberId)
        this.#ownStaticMembers().delete(member.groupInstanceId);
    }
    this.removePendingJoin(memberId);
    this.removePendingSync(memberId);
    return member;
  }

  addPendingJoin(memberId: string): void {
    this.#ownNames('pendingJoinMembers').add(memberId);
  }

  removePendingJoin(memberId: string): void {
    if (this.group.pendingJoinMembers.has(memberId)) this.#ownNames('pendingJoinMembers').delete(memberId);
  }

  removePendingSync(memberId: string): void {
    if (this.group.pendingSyncMembers.has(memberId)) this.#ownNames('pendingSyncMembers').delete(memberId);
  }

  /** Enters a state and notes when. */
  enter(state: ClassicGroupState): void {
    this.group.previousState = this.group.state;
    this.group.state = state;
    this.group.stateTimestampMs = this.nowMs;
  }

  reply(ticket: Ticket, value: unknown): void {
    this.#replies.push({ ticket, value });
  }

  /** Answers a JoinGroup; what is absent is as in Kafka's empty response. */
  replyJoin(ticket: Ticket, reply: Partial<JoinReply>): void {
    this.reply(ticket, { ...EMPTY_JOIN_REPLY, ...reply });
  }

  replySync(ticket: Ticket, reply: Partial<SyncReply>): void {
    this.reply(ticket, { ...EMPTY_SYNC_REPLY, ...reply });
  }

  /** Answers the JoinGroup that a member waits for, if it does. */
  completeJoin(memberId: string, reply: Partial<JoinReply>): void {
    const member = this.member(memberId);
    if (member === undefined || member.awaitingJoin === null) return;
    this.replyJoin(member.awaitingJoin, reply);
    this.setMember({ ...member, awaitingJoin: null });
  }

  /** Answers the SyncGroup that a member waits for; false when it does not. */
  completeSync(memberId: string, reply: Partial<SyncReply>): boolean {
    const member = this.member(memberId);
    if (member === undefined || member.awaitingSync === null) return false;
    this.replySync(member.awaitingSync, reply);
    this.setMember({ ...member, awaitingSync: null });
    return true;
  }

  setTimer(timer: GroupTimer): void {
    this.#timers.push(timer);
  }

  schedule(key: string, delayMs: number, command: GroupCommand): void {
    this.#timers.push({ key, delayMs, command });
  }

  cancel(key: string): void {
    this.#timers.push({ key, delayMs: null });
  }

  append(record: GroupRecord): void {
    this.#records.push(record);
  }

  /** What to do when the records of this step are written, or could not be. */
  whenWritten(followUp: GroupFollowUp): void {
    this.#followUp = followUp;
  }

  /** Ends the step. `forget` drops the group's soft state, so that only its records count. */
  finish(forget = false): GroupOutcome {
    return outcome({
      changes: [{ type: 'classic', groupId: this.#base.groupId, group: forget ? null : this.group }],
      timers: this.#timers,
      records: this.#records,
      replies: this.#replies,
      followUp: this.#followUp,
    });
  }

  /** The members, as a map that is this step's own: copied by its first change, not by each. */
  #ownMembers(): Map<string, ClassicMember> {
    if (this.group.members === this.#base.members) this.group.members = new Map(this.#base.members);
    return this.group.members as Map<string, ClassicMember>;
  }

  #ownStaticMembers(): Map<string, string> {
    if (this.group.staticMembers === this.#base.staticMembers)
      this.group.staticMembers = new Map(this.#base.staticMembers);
    return this.group.staticMembers as Map<string, string>;
  }

  #ownNames(which: 'pendingJoinMembers' | 'pendingSyncMembers'): Set<string> {
    if (this.group[which] === this.#base[which]) this.group[which] = new Set(this.#base[which]);
    return this.group[which] as Set<string>;
  }

  #count(member: ClassicMember, change: 1 | -1): void {
    if (this.group.supportedProtocols === this.#base.supportedProtocols) {
      this.group.supportedProtocols = new Map(this.#base.supportedProtocols);
    }
    const counts = this.group.supportedProtocols as Map<string, number>;
    // Each name once: a member that lists a protocol twice does not support it twice.
    for (const name of new Set(member.protocols.map((protocol) => protocol.name))) {
      const count = (counts.get(name) ?? 0) + change;
      if (count === 0) counts.delete(name);
      else counts.set(name, count);
    }
  }
}

const EMPTY_JOIN_REPLY: JoinReply = {
  errorCode: ErrorCodes.NONE,
  generationId: -1,
  protocolType: null,
  protocolName: null,
  leader: '',
  skipAssignment: false,
  memberId: UNKNOWN_MEMBER_ID,
  members: [],
};

const EMPTY_SYNC_REPLY: SyncReply = {
  errorCode: ErrorCodes.NONE,
  protocolType: null,
  protocolName: null,
  assignment: NO_ASSIGNMENT,
};
