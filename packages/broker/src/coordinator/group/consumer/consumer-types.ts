import type { TopicPartitionsEntry } from '../modern/topic-partitions.ts';

/** ConsumerGroupHeartbeat as the state machine takes it; a field that has not changed since the last one is null. */
export interface ConsumerHeartbeatCommand {
  readonly type: 'consumer-heartbeat';
  readonly groupId: string;
  readonly memberId: string;
  /** 0: joins. -1: leaves. -2: a static member leaves for a while. */
  readonly memberEpoch: number;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** -1: unchanged. */
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopicNames: readonly string[] | null;
  readonly subscribedTopicRegex: string | null;
  readonly serverAssignor: string | null;
  /** What the member owns. */
  readonly topicPartitions: readonly TopicPartitionsEntry[] | null;
  readonly clientId: string;
  readonly clientHost: string;
}

export interface ConsumerHeartbeatReply {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** Null when it is as the member knows it. */
  readonly assignment: readonly TopicPartitionsEntry[] | null;
}

/** ConsumerGroupDescribe for one group. */
export interface DescribeConsumerGroupCommand {
  readonly type: 'describe-consumer-group';
  readonly groupId: string;
}

/** A consumer group as ConsumerGroupDescribe shows it. */
export interface DescribedConsumerGroup {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly assignorName: string;
  readonly members: readonly DescribedConsumerMember[];
}

export interface DescribedConsumerMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly subscribedTopicNames: string[];
  readonly subscribedTopicRegex: string | null;
  readonly assignment: { readonly topicPartitions: DescribedPartitions[] };
  readonly targetAssignment: { readonly topicPartitions: DescribedPartitions[] };
  /** 0: classic protocol, 1: consumer protocol. */
  readonly memberType: number;
}

export interface DescribedPartitions {
  readonly topicId: string;
  readonly topicName: string;
  readonly partitions: number[];
}

/** What the timers of consumer groups hand back. */
export type ConsumerTimerCommand =
  /** A member has not been heard of for too long: its session, its join or its sync is over. */
  | { readonly type: 'consumer-member-expired'; readonly groupId: string; readonly memberId: string }
  /** A member has not given up its partitions in time. */
  | {
      readonly type: 'consumer-rebalance-expired';
      readonly groupId: string;
      readonly memberId: string;
      readonly memberEpoch: number;
    }
  /** Match the regular expressions of a group against the topics. */
  | { readonly type: 'resolve-regexes'; readonly groupId: string };

export type ConsumerCommand = ConsumerHeartbeatCommand | DescribeConsumerGroupCommand | ConsumerTimerCommand;

/** The reply to each command; refusals come as errors instead. */
export interface ConsumerReplies {
  'consumer-heartbeat': ConsumerHeartbeatReply;
  'describe-consumer-group': DescribedConsumerGroup;
}
