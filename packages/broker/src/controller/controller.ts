/**
 * The controller as the handlers see it: commands in, per-item results out, answered once the metadata records are durable
 * and applied to the image. Behind it stands the pure state machine of this folder with a local `__cluster_metadata` log.
 */
export interface Controller {
  createTopics(command: CreateTopicsCommand): Promise<CreateTopicResult[]>;
  deleteTopics(topics: readonly TopicReference[]): Promise<DeleteTopicResult[]>;
  createPartitions(command: CreatePartitionsCommand): Promise<ItemResult[]>;
  /** Incremental changes, all keys of one resource at once; validation against the config catalogue happens inside. */
  incrementalAlterConfigs(changes: readonly ConfigChange[], validateOnly: boolean): Promise<ItemResult[]>;
  /** AlterConfigs: replaces the whole set of overrides of each resource. */
  legacyAlterConfigs(
    replacements: readonly ConfigReplacement[],
    validateOnly: boolean,
  ): Promise<ItemResult[]>;
  /**
   * Gives a partition a leader, the same as before or none (-1): either starts a new leader epoch. The error is
   * UNKNOWN_TOPIC_OR_PARTITION, or ELIGIBLE_LEADERS_NOT_AVAILABLE for a broker that is not in sync.
   */
  changeLeader(
    partition: { readonly topic: string; readonly partition: number },
    leader: number,
  ): Promise<ItemResult>;
  /** A block of producer ids for this broker: [first, first + length). */
  allocateProducerIds(): Promise<{ first: number; length: number }>;
}

/** Kafka's error code (0 = done) with the message that goes to the client. */
export interface ItemResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export interface TopicReference {
  /** Exactly one of the two is set. */
  readonly name: string | null;
  readonly id: string | null;
}

export interface NewTopic {
  readonly name: string;
  /** -1: the broker's `num.partitions`. */
  readonly numPartitions: number;
  /** -1: the broker's `default.replication.factor`. */
  readonly replicationFactor: number;
  /** Manual assignment by partition index; empty: automatic. */
  readonly assignments: readonly { readonly partitionIndex: number; readonly brokerIds: readonly number[] }[];
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}

export interface CreateTopicsCommand {
  readonly topics: readonly NewTopic[];
  readonly validateOnly: boolean;
}

export interface CreateTopicResult extends ItemResult {
  readonly name: string;
  readonly topicId: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
}

export interface DeleteTopicResult extends ItemResult {
  readonly name: string | null;
  readonly topicId: string;
}

export interface CreatePartitionsCommand {
  readonly topics: readonly {
    readonly name: string;
    readonly count: number;
    readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
  }[];
  readonly validateOnly: boolean;
}

/** Kafka's AlterConfigOp types. */
export const AlterConfigOp = { set: 0, delete: 1, append: 2, subtract: 3 } as const;

export interface ConfigChange {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly operations: readonly {
    readonly name: string;
    readonly operation: number;
    readonly value: string | null;
  }[];
}

export interface ConfigReplacement {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly configs: readonly { readonly name: string; readonly value: string | null }[];
}
