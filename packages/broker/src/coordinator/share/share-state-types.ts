/** Names the state of one share partition: a group's view of one partition. */
export interface SharePartitionKey {
  readonly groupId: string;
  readonly topicId: string;
  readonly partition: number;
}

/** Kafka's numbers for the delivery state of a record. Acquired (1) is never written: locks live in memory only. */
export const DeliveryState = { available: 0, acquired: 1, acknowledged: 2, archived: 4 } as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

/** The offsets from `firstOffset` to `lastOffset`, both included, that share a delivery state. */
export interface StateBatch {
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly deliveryState: number;
  readonly deliveryCount: number;
}

/** What the records of a share partition amount to. */
export interface ShareState {
  readonly snapshotEpoch: number;
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  /** -1 until the leader of the partition has decided where the group begins. */
  readonly startOffset: number;
  /** Finished records at or above the start offset; -1: unknown. */
  readonly deliveryCompleteCount: number;
  readonly createTimestampMs: number;
  readonly writeTimestampMs: number;
  readonly stateBatches: readonly StateBatch[];
}

interface KeyedCommand extends SharePartitionKey {
  /** Whether the metadata knows the topic partition: the machine has no image of its own. */
  readonly isKnown: boolean;
}

export interface InitializeStateCommand extends KeyedCommand {
  readonly type: 'initialize-state';
  readonly stateEpoch: number;
  readonly startOffset: number;
}

export interface ReadStateCommand extends KeyedCommand {
  readonly type: 'read-state';
  readonly leaderEpoch: number;
}

export interface WriteStateCommand extends KeyedCommand {
  readonly type: 'write-state';
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface DeleteStateCommand extends KeyedCommand {
  readonly type: 'delete-state';
}

export interface ReadStateSummaryCommand extends KeyedCommand {
  readonly type: 'read-state-summary';
  readonly leaderEpoch: number;
}

export type ShareStateCommand =
  | InitializeStateCommand
  | ReadStateCommand
  | WriteStateCommand
  | DeleteStateCommand
  | ReadStateSummaryCommand
  | { readonly type: 'topics-deleted'; readonly topicIds: readonly string[] }
  /** Rewrites states that nobody changed for long, so that what lies before them can be deleted. */
  | { readonly type: 'snapshot-cold' };

/** A refusal is an answer like any other here: it carries Kafka's text. */
export interface ShareStateResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface ReadStateResult extends ShareStateResult {
  readonly stateEpoch: number;
  readonly startOffset: number;
  readonly stateBatches: readonly StateBatch[];
}

export interface ReadStateSummaryResult extends ShareStateResult {
  readonly stateEpoch: number;
  readonly leaderEpoch: number;
  readonly startOffset: number;
  readonly deliveryCompleteCount: number;
}

export interface ShareStateReplies {
  'initialize-state': ShareStateResult;
  'read-state': ReadStateResult;
  'write-state': ShareStateResult;
  'delete-state': ShareStateResult;
  'read-state-summary': ReadStateSummaryResult;
  'topics-deleted': null;
  'snapshot-cold': null;
}
