/** A broker's address, as the cluster's metadata gives it. */
export interface BrokerNode {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** -1 when there is none just now. */
  readonly leaderId: number;
  /** -1 when the broker did not say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly errorCode: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** `AAAAAAAAAAAAAAAAAAAAAA` before Kafka 2.8. */
  readonly topicId: string;
  readonly isInternal: boolean;
  /** Index is the partition; a number that the broker left out has leader -1. */
  readonly partitions: readonly PartitionMetadata[];
  /** Bits by AclOperation; undefined unless asked for. */
  readonly authorizedOperations: number | undefined;
}

/** What is known of the cluster at one time. Immutable: a new one takes its place. */
export interface ClusterMetadata {
  readonly clusterId: string | null;
  /** -1 when unknown. With KRaft any broker, which forwards to the controller. */
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, BrokerNode>;
  /** Topics that somebody asked for and that exist. */
  readonly topics: ReadonlyMap<string, TopicMetadata>;
  readonly topicNames: ReadonlyMap<string, string>;
  /** Error codes of topics that were asked for and cannot be used, by name. */
  readonly topicErrors: ReadonlyMap<string, number>;
  /** Monotonic time of the last answer; -1 before the first. */
  readonly updatedMs: number;
}

/** Nothing known yet. */
export const EMPTY_METADATA: ClusterMetadata = {
  clusterId: null,
  controllerId: -1,
  brokers: new Map(),
  topics: new Map(),
  topicNames: new Map(),
  topicErrors: new Map(),
  updatedMs: -1,
};

/** A leader that a Produce, Fetch or ShareFetch answer told of (KIP-951). */
export interface LeaderHint {
  readonly topic: string;
  readonly partition: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
}
