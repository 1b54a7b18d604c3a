import type { TransactionalProducer } from '../../runtime/state-machine.ts';

/** OffsetCommit, or TxnOffsetCommit, with topics that exist. */
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
  /** The transaction that the offsets are part of (TxnOffsetCommit); null for a plain commit. */
  readonly producer: TransactionalProducer | null;
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
  /** Who asks (KIP-848): null or empty, with epoch -1, for anybody. */
  readonly memberId: string | null;
  readonly memberEpoch: number;
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

/** Topics are gone: so are the offsets committed for them. */
export interface TopicsDeletedCommand {
  readonly type: 'topics-deleted';
  readonly topics: readonly { readonly name: string; readonly topicId: string }[];
}

export type OffsetCommand =
  | CommitCommand
  | FetchStableCommand
  | DeleteOffsetsCommand
  | TopicsDeletedCommand
  | { readonly type: 'expire-offsets' };

/** The reply to each command; refusals come as errors instead. */
export interface OffsetReplies {
  'commit-offsets': readonly TopicErrors[];
  'fetch-stable-offsets': readonly FetchedTopic[];
  'delete-offsets': readonly TopicErrors[];
  'topics-deleted': null;
}
