import type { Outcome, TimerEffect } from '../runtime/state-machine.ts';
import type {
  ClassicChange,
  ClassicCommand,
  ClassicFollowUp,
  ClassicReplies,
} from './classic/classic-types.ts';
import type { ConsumerCommand, ConsumerReplies } from './consumer/consumer-types.ts';
import type { GroupRecord } from './group-records.ts';
import type { DescribedGroup, ListedGroup, ListFilters } from './group-query-types.ts';
import type { OffsetCommand, OffsetReplies } from './offsets/offset-types.ts';
import type { ShareGroupChange, ShareGroupCommand, ShareGroupReplies } from './share/share-group-types.ts';
import type { StreamsCommand, StreamsGroupChange, StreamsReplies } from './streams/streams-types.ts';

/** DeleteGroups: every kind of group. */
export interface DeleteGroupsCommand {
  readonly type: 'delete-groups';
  readonly groupIds: readonly string[];
}

/** ListGroups. A command, not a query: its reply waits until what it saw is committed. */
export interface ListGroupsCommand {
  readonly type: 'list-groups';
  readonly filters: ListFilters;
}

/** DescribeGroups; a command for the same reason. */
export interface DescribeGroupCommand {
  readonly type: 'describe-group';
  readonly groupId: string;
}

export type GroupCommand =
  | ClassicCommand
  | ConsumerCommand
  | OffsetCommand
  | ShareGroupCommand
  | StreamsCommand
  | DeleteGroupsCommand
  | ListGroupsCommand
  | DescribeGroupCommand;

/** The reply to each command; refusals come as errors instead. */
export interface GroupReplies
  extends ClassicReplies, ConsumerReplies, OffsetReplies, ShareGroupReplies, StreamsReplies {
  'delete-groups': readonly { readonly groupId: string; readonly errorCode: number }[];
  'list-groups': readonly ListedGroup[];
  'describe-group': DescribedGroup;
}

/** What waits for a write. */
export type GroupFollowUp = ClassicFollowUp;

/** A change of what only memory knows. */
export type GroupChange = ClassicChange | ShareGroupChange | StreamsGroupChange;

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
