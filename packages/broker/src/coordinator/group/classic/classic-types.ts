import type { ClassicGroup, MemberProtocol } from './classic-group.ts';

/** JoinGroup as the state machine takes it. */
export interface JoinCommand {
  readonly type: 'join';
  readonly groupId: string;
  /** Empty for a caller that has no member id yet. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly MemberProtocol[];
  /** The member id to hand out to a caller without one: made outside, since the machine has no randomness of its own. */
  readonly newMemberId: string;
  /** From version 4 on the caller has to come back with the id it was given (KIP-394). */
  readonly requireKnownMemberId: boolean;
  /** From version 9 on a static leader can be told that its assignment still holds (KIP-814). */
  readonly supportsSkippingAssignment: boolean;
}

export interface JoinReply {
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocolType: string | null;
  /** Null where Kafka has null; versions before 7 turn it into the empty string. */
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment: boolean;
  readonly memberId: string;
  readonly members: readonly JoinReplyMember[];
}

export interface JoinReplyMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

/** SyncGroup as the state machine takes it. */
export interface SyncCommand {
  readonly type: 'sync';
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** Only the leader's count. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface SyncReply {
  readonly errorCode: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

export interface HeartbeatCommand {
  readonly type: 'heartbeat';
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeaveCommand {
  readonly type: 'leave';
  readonly groupId: string;
  /** An empty member id with an instance id removes a static member by administrator's order. */
  readonly members: readonly MemberIdentity[];
}

export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

export interface LeaveReply {
  readonly members: readonly (MemberIdentity & { readonly errorCode: number })[];
}

/** What the timers of classic groups hand back. */
export type ClassicTimerCommand =
  | { readonly type: 'member-expired'; readonly groupId: string; readonly memberId: string }
  | { readonly type: 'join-expired'; readonly groupId: string }
  | {
      readonly type: 'initial-delay-over';
      readonly groupId: string;
      readonly delayMs: number;
      readonly remainingMs: number;
    }
  | { readonly type: 'sync-expired'; readonly groupId: string; readonly generationId: number };

export type ClassicCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | ClassicTimerCommand;

/** The reply to each command; refusals come as errors instead. */
export interface ClassicReplies {
  join: JoinReply;
  sync: SyncReply;
  /** The error code: REBALANCE_IN_PROGRESS is a normal answer. */
  heartbeat: number;
  leave: LeaveReply;
}

/** What waits for a write. */
export type ClassicFollowUp =
  | { readonly type: 'group-created'; readonly groupId: string }
  | { readonly type: 'assignment-stored'; readonly groupId: string; readonly generationId: number }
  | {
      readonly type: 'static-member-stored';
      readonly groupId: string;
      /** As the group was before, to go back to when the write failed. */
      readonly oldMemberId: string;
      readonly newMemberId: string;
      readonly oldProtocols: readonly MemberProtocol[];
      readonly oldRebalanceTimeoutMs: number;
      readonly oldSessionTimeoutMs: number;
      readonly oldLeaderId: string | null;
      readonly supportsSkippingAssignment: boolean;
    };

/** The soft state of a group is replaced; null: forgotten, so that what the records say counts again. */
export interface ClassicChange {
  readonly type: 'classic';
  readonly groupId: string;
  readonly group: ClassicGroup | null;
}

/** Kafka's marker for "no member id yet". */
export const UNKNOWN_MEMBER_ID = '';
