import { ErrorCodes } from '@ottla/protocol';
import type { TopicPartition } from '../../admin/admin-requests.ts';
import type { MachineOptions, MemberEffect, MemberEvent } from './member-effects.ts';
import { withoutPartitions } from './partition-sets.ts';

/** A topic by its id, with partitions: how the new protocols name them. */
export interface TopicIdPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** What a member wants: names, or a pattern that the broker matches (RE2J). */
export interface MemberWants {
  readonly topics: readonly string[] | null;
  readonly regex: string | null;
}

export interface ConsumerMemberOptions extends MachineOptions {
  readonly memberId: string;
}

export type ConsumerEvent =
  | MemberEvent
  | { readonly type: 'subscribed'; readonly wants: MemberWants }
  | {
      readonly type: 'heartbeat-answered';
      readonly round: number;
      readonly errorCode: number;
      readonly detail: string | null;
      readonly memberId: string | null;
      readonly memberEpoch: number;
      readonly heartbeatIntervalMs: number;
      readonly assignment: readonly TopicIdPartitions[] | null;
    }
  /** The names of the topics of an assignment. */
  | { readonly type: 'resolved'; readonly round: number; readonly partitions: readonly TopicPartition[] }
  | { readonly type: 'failed'; readonly round: number };

export type ConsumerEffect =
  | MemberEffect
  | {
      readonly do: 'heartbeat';
      readonly round: number;
      readonly memberId: string;
      readonly memberEpoch: number;
      /** Everything is said anew; otherwise only what is not null. */
      readonly isFull: boolean;
      readonly wants: MemberWants | null;
      readonly owned: readonly TopicPartition[] | null;
    }
  /** Finds the names behind topic ids and answers `resolved`. */
  | { readonly do: 'resolve'; readonly round: number; readonly assignment: readonly TopicIdPartitions[] };

/**
 * ```
 * idle -> joining -> stable <-> resolving -> dropping -> taking -> stable (acknowledged with the next heartbeat)
 *            ^                                                        |
 *            +------ fenced (partitions lost) <-----------------------+
 * expired: the application took too long; left; failed
 * ```
 */
type Phase =
  | 'idle'
  | 'joining'
  | 'stable'
  | 'resolving'
  | 'dropping'
  | 'taking'
  | 'fenced'
  | 'expired'
  | 'left'
  | 'failed';

/** Member epochs that say goodbye: for good, and of a static member that will be back. */
const LEAVE_EPOCH = -1;
const LEAVE_STATIC_EPOCH = -2;

/** Until the first answer says how often. */
const FIRST_INTERVAL_MS = 5_000;

/**
 * A member of a group of KIP-848 (and of a share group, whose assignments are simpler): the broker assigns, the member follows with its
 * heartbeats. Events in, effects out.
 */
export class ConsumerMember {
  readonly #options: ConsumerMemberOptions;
  #phase: Phase = 'idle';
  #memberId: string;
  #memberEpoch = 0;
  #wants: MemberWants = { topics: [], regex: null };
  #owned: readonly TopicPartition[] = [];
  #kept: readonly TopicPartition[] = [];
  #target: readonly TopicPartition[] = [];
  /** An assignment that came while another was being taken over. */
  #nextAssignment: readonly TopicIdPartitions[] | null = null;
  #intervalMs = FIRST_INTERVAL_MS;
  /** Of heartbeats, and of the steps of an assignment. */
  #beat = 0;
  #round = 0;
  #isBeating = false;
  /** Something has to be said with the next heartbeat, which goes out at once. */
  #isFullDue = true;
  #areWantsDue = false;
  #isOwnedDue = false;
  /** The coordinator was told what is owned now: it need not be told again of an assignment that changes nothing. */
  #isOwnedSaid = false;
  #effects: ConsumerEffect[] = [];

  constructor(options: ConsumerMemberOptions) {
    this.#options = options;
    this.#memberId = options.memberId;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get memberEpoch(): number {
    return this.#memberEpoch;
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned;
  }

  /** Takes an event and says what is to be done about it. */
  handle(event: ConsumerEvent): readonly ConsumerEffect[] {
    this.#effects = [];
    if (this.#phase !== 'left' && this.#phase !== 'failed') this.#take(event);
    return this.#effects;
  }

  #take(event: ConsumerEvent): void {
    if (event.type === 'subscribed') {
      this.#wants = event.wants;
      this.#areWantsDue = true;
      if (this.#isMember) this.#heartbeat();
    } else if (event.type === 'start') this.#join();
    else if (event.type === 'rejoin') {
      if (this.#isMember) this.#heartbeat();
    } else if (event.type === 'timer') this.#onTimer();
    else if (event.type === 'heartbeat-answered') {
      if (event.round === this.#beat) this.#onAnswer(event);
    } else if (event.type === 'failed') {
      if (event.round === this.#beat) this.#onNoAnswer();
    } else if (event.type === 'poll-expired') this.#expire();
    else if (event.type === 'polled') {
      if (this.#phase === 'expired' && this.#owned.length === 0) this.#join();
    } else if (event.type === 'leave') this.#leave(event.leavesGroup);
    else if (event.round === this.#round) this.#onStep(event);
  }

  get #isMember(): boolean {
    return this.#phase !== 'idle' && this.#phase !== 'expired' && this.#phase !== 'fenced';
  }

  #join(): void {
    this.#phase = 'joining';
    this.#memberEpoch = 0;
    this.#isFullDue = true;
    this.#heartbeat();
  }

  #onTimer(): void {
    if (this.#isMember) this.#heartbeat();
  }

  /** Sends one, or remembers to when the one under way is answered. */
  #heartbeat(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#beat += 1;
    const isFull = this.#isFullDue;
    this.#effects.push(
      { do: 'cancel-timer', name: 'heartbeat' },
      {
        do: 'heartbeat',
        round: this.#beat,
        memberId: this.#memberId,
        memberEpoch: this.#memberEpoch,
        isFull,
        wants: isFull || this.#areWantsDue ? this.#wants : null,
        owned: isFull || this.#isOwnedDue ? this.#owned : null,
      },
    );
    if (isFull || this.#isOwnedDue) this.#isOwnedSaid = true;
    this.#isFullDue = false;
    this.#areWantsDue = false;
    this.#isOwnedDue = false;
  }

  #onAnswer(event: Extract<ConsumerEvent, { type: 'heartbeat-answered' }>): void {
    this.#isBeating = false;
    if (!this.#isMember) return;
    if (event.errorCode !== ErrorCodes.NONE) return this.#onError(event.errorCode, event.detail);
    this.#memberId = event.memberId ?? this.#memberId;
    this.#memberEpoch = event.memberEpoch;
    // None is no answer to how often: heartbeats without a pause would help nobody.
    if (event.heartbeatIntervalMs > 0) this.#intervalMs = event.heartbeatIntervalMs;
    if (this.#phase === 'joining') this.#phase = 'stable';
    if (event.assignment !== null) this.#nextAssignment = event.assignment;
    this.#reconcile();
    if (this.#areWantsDue || this.#isOwnedDue || this.#isFullDue) this.#heartbeat();
    else if (!this.#isBeating) this.#armTimer(this.#intervalMs);
  }

  #onError(errorCode: number, detail: string | null): void {
    this.#isFullDue = true;
    if (errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || errorCode === ErrorCodes.FENCED_MEMBER_EPOCH) {
      this.#phase = 'fenced';
      this.#giveUpAll();
    } else if (errorCode === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS)
      this.#armTimer(this.#options.retryBackoffMs);
    else if (errorCode === ErrorCodes.NOT_COORDINATOR || errorCode === ErrorCodes.COORDINATOR_NOT_AVAILABLE)
      this.#onNoAnswer();
    else {
      this.#stop('failed');
      this.#effects.push({ do: 'fail', errorCode, detail });
    }
  }

  /** The answer may have been lost as well as the request: everything is said again. */
  #onNoAnswer(): void {
    this.#isBeating = false;
    if (!this.#isMember) return;
    this.#isFullDue = true;
    this.#effects.push({ do: 'rediscover' });
    this.#armTimer(this.#options.retryBackoffMs);
  }

  #armTimer(delayMs: number): void {
    this.#effects.push({ do: 'set-timer', name: 'heartbeat', delayMs });
  }

  /** Takes over the newest assignment, one at a time. */
  #reconcile(): void {
    if (this.#phase !== 'stable' || this.#nextAssignment === null) return;
    const assignment = this.#nextAssignment;
    this.#nextAssignment = null;
    this.#phase = 'resolving';
    this.#round += 1;
    this.#effects.push({ do: 'resolve', round: this.#round, assignment });
  }

  #onStep(event: Extract<ConsumerEvent, { readonly round: number }>): void {
    if (event.type === 'resolved' && this.#phase === 'resolving') {
      this.#target = event.partitions;
      const partitions = withoutPartitions(this.#owned, this.#target);
      if (partitions.length === 0) return this.#takeOver();
      this.#phase = 'dropping';
      this.#kept = withoutPartitions(this.#owned, partitions);
      this.#effects.push({ do: 'revoke', round: this.#round, partitions, isLost: false });
    } else if (event.type === 'revoked') this.#onRevoked();
    else if (event.type === 'assigned' && this.#phase === 'taking') {
      this.#phase = 'stable';
      this.#isOwnedDue = !this.#isOwnedSaid;
      this.#reconcile();
      if (this.#isOwnedDue) this.#heartbeat();
    }
  }

  #onRevoked(): void {
    if (this.#phase === 'dropping') {
      this.#owned = this.#kept;
      this.#isOwnedSaid = false;
      this.#takeOver();
    } else if (this.#phase === 'fenced') {
      this.#owned = [];
      this.#join();
    } else if (this.#phase === 'expired') this.#owned = [];
  }

  #takeOver(): void {
    this.#phase = 'taking';
    const added = withoutPartitions(this.#target, this.#owned);
    if (added.length > 0) this.#isOwnedSaid = false;
    this.#owned = this.#target;
    this.#effects.push({ do: 'assign', round: this.#round, added });
  }

  #giveUpAll(): void {
    this.#round += 1;
    this.#nextAssignment = null;
    this.#memberEpoch = 0;
    this.#effects.push(
      { do: 'cancel-timer', name: 'heartbeat' },
      { do: 'revoke', round: this.#round, partitions: this.#owned, isLost: true },
    );
  }

  #expire(): void {
    if (!this.#isMember) return;
    this.#goodbye(this.#options.groupInstanceId === null ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH);
    this.#phase = 'expired';
    this.#giveUpAll();
  }

  #leave(leavesGroup: boolean): void {
    const isStatic = this.#options.groupInstanceId !== null;
    if (this.#isMember && (leavesGroup || isStatic))
      this.#goodbye(leavesGroup ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH);
    this.#stop('left');
  }

  #goodbye(memberEpoch: number): void {
    this.#beat += 1;
    this.#isBeating = false;
    const { memberId } = this;
    this.#effects.push({
      do: 'heartbeat',
      round: this.#beat,
      memberId,
      memberEpoch,
      isFull: false,
      wants: null,
      owned: null,
    });
  }

  #stop(phase: Phase): void {
    this.#phase = phase;
    this.#effects.push({ do: 'cancel-timer', name: 'heartbeat' });
  }
}
