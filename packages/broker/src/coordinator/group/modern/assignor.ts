import type { SubscriptionType } from './subscription-counts.ts';
import type { TopicPartitions } from './topic-partitions.ts';

/** What an assignor knows of a member. */
export interface AssignorMember {
  readonly instanceId: string | null;
  readonly rackId: string | null;
  /** Ids of the topics it subscribes to; only those that exist. */
  readonly subscribedTopicIds: ReadonlySet<string>;
  /** Its present target assignment. */
  readonly assignment: TopicPartitions;
}

/** What an assignor knows of a group. */
export interface AssignorGroup {
  /** By member id. Where an algorithm takes members one after the other, it takes them in this order. */
  readonly members: ReadonlyMap<string, AssignorMember>;
  readonly subscriptionType: SubscriptionType;
  /** Whether a partition belongs to anybody in the present target assignment. */
  isAssigned(topicId: string, partition: number): boolean;
  /** Partitions of a topic; -1 when it does not exist. */
  partitionCount(topicId: string): number;
}

/** A server-side assignor: a pure function from what is to what should be. Members that it leaves out get nothing. */
export interface Assignor {
  readonly name: string;
  assign(group: AssignorGroup): Map<string, TopicPartitions>;
}
