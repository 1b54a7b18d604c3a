import type { Outcome, TimerEffect } from '../runtime/state-machine.ts';
import type { ClassicGroup, MemberProtocol } from './classic-group.ts';
import type { GroupRecord } from './group-records.ts';

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

/** OffsetCommit, with topics that exist. */
export interface CommitCommand {
  readonly type: 'commit-offsets';
  readonly groupId: string;
  /** -1 for a commit outside of group membership. */
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly apiVersion: number;
  /** -1: the broker's retention. */
  readonly retentionTimeMs: number;
  readonly topics: readonly CommitTopic[];
}

export interface CommitTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly {
    readonly partitionIndex: number;
    readonly committedOffset: number;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string | null;
  }[];
}

/** Per topic and partition, in the order asked. */
export interface TopicErrors {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
}

export interface FetchOffsetsQuery {
  readonly groupId: string;
  /** Null: everything that the group has committed. */
  readonly topics: readonly FetchTopic[] | null;
}

export interface FetchTopic {
  readonly name: string;
  /** The zero uuid when the asker does not know it. */
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

/** OffsetFetch with `requireStable`: answered once no write is under way. */
export interface FetchStableCommand extends FetchOffsetsQuery {
  readonly type: 'fetch-stable-offsets';
}

export interface FetchedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: readonly FetchedOffset[];
}

export interface FetchedOffset {
  readonly partitionIndex: number;
  /** -1 when there is none. */
  readonly committedOffset: number;
  readonly committedLeaderEpoch: number;
  readonly metadata: string;
  readonly errorCode: number;
}

export interface DeleteOffsetsCommand {
  readonly type: 'delete-offsets';
  readonly groupId: string;
  readonly topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[];
}

export interface DeleteGroupsCommand {
  readonly type: 'delete-groups';
  readonly groupIds: readonly string[];
}

/** Topics are gone: so are the offsets committed for them. */
export interface TopicsDeletedCommand {
  readonly type: 'topics-deleted';
  readonly topics: readonly { readonly name: string; readonly topicId: string }[];
}

/** What timers hand back. */
export type TimerCommand =
  | { readonly type: 'member-expired'; readonly groupId: string; readonly memberId: string }
  | { readonly type: 'join-expired'; readonly groupId: string }
  | {
      readonly type: 'initial-delay-over';
      readonly groupId: string;
      readonly delayMs: number;
      readonly remainingMs: number;
    }
  | { readonly type: 'sync-expired'; readonly groupId: string; readonly generationId: number }
  | { readonly type: 'expire-offsets' };

export type GroupCommand =
  | JoinCommand
  | SyncCommand
  | HeartbeatCommand
  | LeaveCommand
  | CommitCommand
  | FetchStableCommand
  | DeleteOffsetsCommand
  | DeleteGroupsCommand
  | TopicsDeletedCommand
  | TimerCommand;

/** The reply to each command; refusals come as errors instead. */
export interface GroupReplies {
  join: JoinReply;
  sync: SyncReply;
  /** The error code: REBALANCE_IN_PROGRESS is a normal answer. */
  heartbeat: number;
  leave: LeaveReply;
  'commit-offsets': readonly TopicErrors[];
  'fetch-stable-offsets': readonly FetchedTopic[];
  'delete-offsets': readonly TopicErrors[];
  'delete-groups': readonly { readonly groupId: string; readonly errorCode: number }[];
  'topics-deleted': null;
}

/** What waits for a write. */
export type GroupFollowUp =
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
export interface GroupChange {
  readonly groupId: string;
  readonly group: ClassicGroup | null;
}

/** The type bundle of the group coordinator. */
export interface GroupTypes {
  readonly command: GroupCommand;
  readonly replies: GroupReplies;
  readonly followUp: GroupFollowUp;
  readonly record: GroupRecord;
  readonly change: GroupChange;
}

export type GroupOutcome = Outcome<GroupTypes>;
export type GroupTimer = TimerEffect<GroupCommand>;

/** Kafka's marker for "no member id yet". */
export const UNKNOWN_MEMBER_ID = '';
