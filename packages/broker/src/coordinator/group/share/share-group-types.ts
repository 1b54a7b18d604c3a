import type { TopicsImage } from '../../../metadata/image.ts';
import type { Assignment } from './share-group.ts';

/** What applies to one share group: its own configs over the broker's. */
export interface ShareGroupSettings {
  /** `share.session.timeout.ms`. */
  readonly sessionTimeoutMs: number;
  /** `share.heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs: number;
  /** `share.assignment.interval.ms`. */
  readonly assignmentIntervalMs: number;
  /** `group.share.max.size`. */
  readonly maxSize: number;
  /** `group.share.initialize.retry.interval.ms`. */
  readonly initializeRetryIntervalMs: number;
}

/** ShareGroupHeartbeat as the state machine takes it. */
export interface ShareHeartbeatCommand {
  readonly type: 'share-heartbeat';
  readonly groupId: string;
  readonly memberId: string;
  /** 0: joins; -1: leaves. */
  readonly memberEpoch: number;
  /** Null: as before. */
  readonly rackId: string | null;
  /** Null: as before. */
  readonly subscribedTopicNames: readonly string[] | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface ShareHeartbeatReply {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null when it is as the member knows it. */
  readonly assignment: Assignment | null;
  /** Share partitions whose state is to be made now; null when there are none. */
  readonly initialize: InitializeRequest | null;
}

/** Share partitions that need state at the share coordinator. */
export interface InitializeRequest {
  readonly groupId: string;
  readonly stateEpoch: number;
  readonly partitions: readonly {
    readonly topicId: string;
    readonly partition: number;
    /** -1: the leader of the partition finds it by `share.auto.offset.reset`. */
    readonly startOffset: number;
  }[];
}

/** The outcome of initializing: the share partitions that have state now, and those for which it failed. */
export interface StatesInitializedCommand {
  readonly type: 'share-states-initialized';
  readonly groupId: string;
  readonly initialized: Assignment;
  readonly failed: Assignment;
}

/** AlterShareGroupOffsets: makes the group's state anew from these offsets. */
export interface AlterShareOffsetsCommand {
  readonly type: 'share-alter-offsets';
  readonly groupId: string;
  readonly topics: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly startOffset: number }[];
  }[];
  readonly image: TopicsImage;
}

export interface AlterShareOffsetsReply {
  readonly topics: readonly {
    readonly topicName: string;
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly errorMessage: string | null;
    }[];
  }[];
  readonly initialize: InitializeRequest;
}

/** DeleteShareGroupOffsets and DeleteGroups begin with this: marks topics as going; null: all of them. */
export interface BeginDeleteStatesCommand {
  readonly type: 'share-begin-delete-states';
  readonly groupId: string;
  readonly topicNames: readonly string[] | null;
  readonly image: TopicsImage;
}

export interface BeginDeleteStatesReply {
  readonly deleting: readonly {
    readonly topicId: string;
    readonly topicName: string;
    readonly partitions: readonly number[];
  }[];
  /** Topics that cannot be deleted, with the reason. */
  readonly refused: readonly {
    readonly topicId: string;
    readonly topicName: string;
    readonly errorCode: number;
    readonly errorMessage: string;
  }[];
}

/** The states of these topics are gone. */
export interface StatesDeletedCommand {
  readonly type: 'share-states-deleted';
  readonly groupId: string;
  readonly topicIds: readonly string[];
}

export type ShareGroupCommand =
  | ShareHeartbeatCommand
  | StatesInitializedCommand
  | AlterShareOffsetsCommand
  | BeginDeleteStatesCommand
  | StatesDeletedCommand
  | { readonly type: 'describe-share-group'; readonly groupId: string; readonly image: TopicsImage }
  | { readonly type: 'share-state-topics'; readonly groupId: string }
  | { readonly type: 'share-topics-deleted'; readonly topicIds: readonly string[] }
  | { readonly type: 'share-member-expired'; readonly groupId: string; readonly memberId: string };

/** A share group as ShareGroupDescribe shows it. */
export interface DescribedShareGroup {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly assignorName: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly rackId: string | null;
    readonly memberEpoch: number;
    readonly clientId: string;
    readonly clientHost: string;
    readonly subscribedTopicNames: readonly string[];
    readonly assignment: readonly {
      readonly topicId: string;
      readonly topicName: string;
      readonly partitions: readonly number[];
    }[];
  }[];
}

/** What each command is answered, by its type; GROUP_ID_NOT_FOUND is thrown where there is no share group of the id. */
export interface ShareGroupReplies {
  'share-heartbeat': ShareHeartbeatReply;
  'share-states-initialized': null;
  'share-alter-offsets': AlterShareOffsetsReply;
  'share-begin-delete-states': BeginDeleteStatesReply;
  'share-states-deleted': null;
  'describe-share-group': DescribedShareGroup;
  /** The topics with state, by id. */
  'share-state-topics': ReadonlyMap<
    string,
    { readonly name: string; readonly partitions: readonly number[] }
  >;
}

/** Memory notes when a group asked for states, to ask again. */
export interface ShareGroupChange {
  readonly type: 'share-initializing';
  readonly groupId: string;
  readonly nowMs: number;
}
