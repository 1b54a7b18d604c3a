import { ErrorCodes } from '@ottla/protocol';
import type { TopicPartition } from '../../admin/admin-requests.ts';
import type { RebalanceProtocol } from '../assignors/assignor.ts';
import type { MachineOptions, MemberEffect, MemberEvent } from './member-effects.ts';
import { withoutPartitions } from './partition-sets.ts';

export interface ClassicMemberOptions extends MachineOptions {
  readonly heartbeatIntervalMs: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceProtocol: RebalanceProtocol;
}

/** A member as the leader gets it with the answer to its JoinGroup. */
export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

export type ClassicEvent =
  | MemberEvent
  /** Topics that the member wants now. */
  | { readonly type: 'subscribed'; readonly topics: readonly string[] }
  | {
      readonly type: 'joined';
      readonly round: number;
      readonly errorCode: number;
      readonly memberId: string;
      readonly generationId: number;
      readonly leader: string;
      readonly protocolName: string;
      readonly skipAssignment: boolean;
      readonly members: readonly JoinedMember[];
    }
  /** The leader has made the assignment. */
  | { readonly type: 'led'; readonly round: number; readonly assignments: readonly EncodedAssignment[] }
  | {
      readonly type: 'synced';
      readonly round: number;
      readonly errorCode: number;
      readonly partitions: readonly TopicPartition[];
    }
  | { readonly type: 'heartbeat-answered'; readonly generationId: number; readonly errorCode: number }
  /** A request got no answer; `request` is what it was. */
  | {
      readonly type: 'failed';
      readonly request: 'join' | 'lead' | 'sync' | 'heartbeat';
      readonly round: number;
    };

export interface EncodedAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

export type ClassicEffect =
  | MemberEffect
  | {
      readonly do: 'join';
      readonly round: number;
      readonly memberId: string;
      readonly generationId: number;
      readonly owned: readonly TopicPartition[];
      readonly reason: string;
    }
  | {
      readonly do: 'lead';
      readonly round: number;
      readonly protocolName: string;
      readonly members: readonly JoinedMember[];
    }
  | {
      readonly do: 'sync';
      readonly round: number;
      readonly generationId: number;
      readonly memberId: string;
      readonly protocolName: string;
      readonly assignments: readonly EncodedAssignment[];
    }
  | {
      readonly do: 'heartbeat';
      readonly round: number;
      readonly generationId: number;
      readonly memberId: string;
    }
  | { readonly do: 'leave'; readonly memberId: string };

/**
 * ```
 * idle -> revoking -> joining -> [leading] -> syncing -> dropping -> assigning -> stable
 *            ^           ^                                                          |
 *            |           +--- waiting (backoff) <--- errors                         |
 *            +------------- rebalance, subscription changed ------------------------+
 * expired: the application took too long; left; failed
 * ```
 */
type Phase =
  | 'idle'
  | 'revoking'
  | 'joining'
  | 'leading'
  | 'syncing'
  | 'dropping'
  | 'assigning'
  | 'stable'
  | 'waiting'
  | 'expired'
  | 'left'
  | 'failed';

const NO_GENERATION = -1;

/** A member of a classic group: events in, effects out. No I/O, no clock; an answer to an older round is ignored. */
export class ClassicMember {
  readonly #options: ClassicMemberOptions;
  #phase: Phase = 'idle';
  #memberId = '';
  #generationId = NO_GENERATION;
  #protocolName = '';
  #owned: readonly TopicPartition[] = [];
  /** While partitions are given up: those that stay. */
  #kept: readonly TopicPartition[] = [];
  #assigned: readonly TopicPartition[] = [];
  #topics: ReadonlySet<string> = new Set();
  #round = 0;
  #needsRejoin = false;
  #reason = '';
  #isHeartbeating = false;
  #lastHeartbeatMs = 0;
  #effects: ClassicEffect[] = [];

  constructor(options: ClassicMemberOptions) {
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get memberId(): string {
    return this.#memberId;
  }

  get generationId(): number {
    return this.#generationId;
  }

  get owned(): readonly TopicPartition[] {
    return this.#owned;
  }

  /** Takes an event and says what is to be done about it. */
  handle(event: ClassicEvent, nowMs: number): readonly ClassicEffect[] {
    this.#effects = [];
    if (this.#phase !== 'left' && this.#phase !== 'failed') this.#take(event, nowMs);
    return this.#effects;
  }

  #take(event: ClassicEvent, nowMs: number): void {
    if (event.type === 'subscribed') this.#topics = new Set(event.topics);
    else if (event.type === 'start') this.#prepare('the consumer has started');
    else if (event.type === 'rejoin') this.#rejoin(event.reason);
    else if (event.type === 'timer') this.#onTimer(event.name, nowMs);
    else if (event.type === 'heartbeat-answered') this.#onHeartbeat(event, nowMs);
    else if (event.type === 'poll-expired') this.#expire();
    else if (event.type === 'polled') {
      if (this.#phase === 'expired' && this.#owned.length === 0)
        this.#prepare('the application asks for records again');
    } else if (event.type === 'leave') this.#leave(event.leavesGroup);
    else if (event.type === 'failed' && event.request === 'heartbeat') this.#onLostHeartbeat();
    else if (event.round === this.#round) this.#takeAnswer(event, nowMs);
  }

  #takeAnswer(event: Extract<ClassicEvent, { readonly round: number }>, nowMs: number): void {
    if (event.type === 'joined' && this.#phase === 'joining') this.#onJoined(event, nowMs);
    else if (event.type === 'led' && this.#phase === 'leading') this.#sync(event.assignments);
    else if (event.type === 'synced' && this.#phase === 'syncing') this.#onSynced(event);
    else if (event.type === 'revoked') this.#onRevoked();
    else if (event.type === 'assigned' && this.#phase === 'assigning') this.#onAssigned();
    else if (event.type === 'failed') this.#lostCoordinator();
  }

  /** Begins a rebalance: what has to be given up first is given up. */
  #prepare(reason: string): void {
    this.#needsRejoin = false;
    this.#reason = reason;
    this.#round += 1;
    const isLost = this.#generationId === NO_GENERATION;
    const isAll = isLost || this.#options.rebalanceProtocol === 'eager';
    this.#kept = isAll ? [] : this.#owned.filter(({ topic }) => this.#topics.has(topic));
    const partitions = withoutPartitions(this.#owned, this.#kept);
    if (partitions.length === 0) return this.#join();
    this.#phase = 'revoking';
    this.#effects.push({ do: 'revoke', round: this.#round, partitions, isLost });
  }

  #rejoin(reason: string): void {
    if (this.#phase === 'stable') this.#prepare(reason);
    else if (this.#phase !== 'idle' && this.#phase !== 'expired') {
      this.#needsRejoin = true;
      this.#reason = reason;
    }
  }

  #onRevoked(): void {
    if (this.#phase === 'revoking') {
      this.#owned = this.#kept;
      this.#join();
    } else if (this.#phase === 'dropping') {
      this.#owned = this.#kept;
      this.#assign();
    } else if (this.#phase === 'expired') this.#owned = [];
  }

  #join(): void {
    this.#phase = 'joining';
    this.#round += 1;
    // The coordinator keeps a joining member alive by itself.
    this.#effects.push(
      { do: 'cancel-timer', name: 'heartbeat' },
      {
        do: 'join',
        round: this.#round,
        memberId: this.#memberId,
        generationId: this.#generationId,
        owned: this.#owned,
        reason: this.#reason,
      },
    );
  }

  #onJoined(event: Extract<ClassicEvent, { type: 'joined' }>, nowMs: number): void {
    const { errorCode } = event;
    if (errorCode === ErrorCodes.MEMBER_ID_REQUIRED) {
      this.#memberId = event.memberId;
      this.#join();
      return;
    }
    if (errorCode !== ErrorCodes.NONE) return this.#onJoinError(errorCode);
    this.#memberId = event.memberId;
    this.#generationId = event.generationId;
    this.#protocolName = event.protocolName;
    this.#lastHeartbeatMs = nowMs;
    this.#isHeartbeating = false;
    this.#armHeartbeat();
    if (event.leader === event.memberId && !event.skipAssignment) {
      this.#phase = 'leading';
      const { protocolName, members } = event;
      this.#effects.push({ do: 'lead', round: this.#round, protocolName, members });
    } else this.#sync([]);
  }

  /** What JoinGroup and SyncGroup are refused with. */
  #onJoinError(errorCode: number): void {
    if (errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || errorCode === ErrorCodes.ILLEGAL_GENERATION) {
      this.#forgetMembership();
      this.#prepare('the coordinator no longer knew the member');
    } else if (errorCode === ErrorCodes.REBALANCE_IN_PROGRESS) this.#prepare('the group rebalanced again');
    else if (errorCode === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS) this.#wait();
    else if (isLostCoordinator(errorCode)) this.#lostCoordinator();
    else this.#fail(errorCode);
  }

  #sync(assignments: readonly EncodedAssignment[]): void {
    this.#phase = 'syncing';
    this.#effects.push({
      do: 'sync',
      round: this.#round,
      generationId: this.#generationId,
      memberId: this.#memberId,
      protocolName: this.#protocolName,
      assignments,
    });
  }

  #onSynced(event: Extract<ClassicEvent, { type: 'synced' }>): void {
    if (event.errorCode !== ErrorCodes.NONE) return this.#onJoinError(event.errorCode);
    this.#assigned = event.partitions;
    const partitions = withoutPartitions(this.#owned, this.#assigned);
    if (partitions.length === 0) return this.#assign();
    // Cooperative: what others get is given up now, and another rebalance hands it over (KIP-429).
    this.#phase = 'dropping';
    this.#kept = withoutPartitions(this.#owned, partitions);
    this.#needsRejoin = true;
    this.#reason = 'partitions were given up for others';
    this.#effects.push({ do: 'revoke', round: this.#round, partitions, isLost: false });
  }

  #assign(): void {
    this.#phase = 'assigning';
    const added = withoutPartitions(this.#assigned, this.#owned);
    this.#owned = this.#assigned;
    this.#effects.push({ do: 'assign', round: this.#round, added });
  }

  #onAssigned(): void {
    this.#phase = 'stable';
    if (this.#needsRejoin || this.#generationId === NO_GENERATION) this.#prepare(this.#reason);
  }

  #onHeartbeat(event: Extract<ClassicEvent, { type: 'heartbeat-answered' }>, nowMs: number): void {
    if (event.generationId !== this.#generationId) return;
    this.#isHeartbeating = false;
    const { errorCode } = event;
    if (errorCode === ErrorCodes.NONE) this.#lastHeartbeatMs = nowMs;
    else if (errorCode === ErrorCodes.REBALANCE_IN_PROGRESS) {
      this.#lastHeartbeatMs = nowMs;
      // While something is given up, we are on our way to the rebalance already.
      if (this.#phase !== 'revoking') this.#rejoin('the group is rebalancing');
    } else if (errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || errorCode === ErrorCodes.ILLEGAL_GENERATION) {
      this.#forgetMembership();
      this.#rejoin('the coordinator no longer knew the member');
    } else if (isLostCoordinator(errorCode)) this.#effects.push({ do: 'rediscover' });
    else if (errorCode !== ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS) this.#fail(errorCode);
  }

  #onLostHeartbeat(): void {
    this.#isHeartbeating = false;
    this.#effects.push({ do: 'rediscover' });
  }

  #onTimer(name: 'heartbeat' | 'backoff', nowMs: number): void {
    if (name === 'backoff') {
      if (this.#phase === 'waiting') this.#prepare(this.#reason);
      return;
    }
    if (this.#generationId === NO_GENERATION) return;
    this.#armHeartbeat();
    // Nothing heard for a whole session: perhaps we ask the wrong broker.
    if (nowMs - this.#lastHeartbeatMs > this.#options.sessionTimeoutMs) {
      this.#lastHeartbeatMs = nowMs;
      this.#isHeartbeating = false;
      this.#effects.push({ do: 'rediscover' });
    }
    if (this.#isHeartbeating) return;
    this.#isHeartbeating = true;
    this.#effects.push({
      do: 'heartbeat',
      round: this.#round,
      generationId: this.#generationId,
      memberId: this.#memberId,
    });
  }

  #armHeartbeat(): void {
    this.#effects.push({ do: 'set-timer', name: 'heartbeat', delayMs: this.#options.heartbeatIntervalMs });
  }

  #lostCoordinator(): void {
    this.#effects.push({ do: 'rediscover' });
    this.#wait();
  }

  /** Tries again a moment later. */
  #wait(): void {
    this.#phase = 'waiting';
    this.#effects.push({ do: 'set-timer', name: 'backoff', delayMs: this.#options.retryBackoffMs });
  }

  /** The application is stuck: others get the partitions now instead of waiting for it. */
  #expire(): void {
    if (this.#phase === 'idle' || this.#phase === 'expired') return;
    if (this.#options.groupInstanceId === null && this.#memberId !== '')
      this.#effects.push({ do: 'leave', memberId: this.#memberId });
    this.#forgetMembership();
    this.#round += 1;
    this.#phase = 'expired';
    this.#effects.push(
      { do: 'cancel-timer', name: 'backoff' },
      { do: 'revoke', round: this.#round, partitions: this.#owned, isLost: true },
    );
  }

  #leave(leavesGroup: boolean): void {
    if (this.#memberId !== '' && leavesGroup) this.#effects.push({ do: 'leave', memberId: this.#memberId });
    this.#stop('left');
  }

  #fail(errorCode: number): void {
    this.#stop('failed');
    this.#effects.push({ do: 'fail', errorCode, detail: null });
  }

  #stop(phase: Phase): void {
    this.#phase = phase;
    this.#effects.push({ do: 'cancel-timer', name: 'heartbeat' }, { do: 'cancel-timer', name: 'backoff' });
  }

  #forgetMembership(): void {
    this.#memberId = '';
    this.#generationId = NO_GENERATION;
    this.#effects.push({ do: 'cancel-timer', name: 'heartbeat' });
  }
}

function isLostCoordinator(errorCode: number): boolean {
  return errorCode === ErrorCodes.NOT_COORDINATOR || errorCode === ErrorCodes.COORDINATOR_NOT_AVAILABLE;
}
