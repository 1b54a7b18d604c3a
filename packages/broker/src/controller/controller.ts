import type { QuotaEntity } from '../metadata/client-quotas-image.ts';
import type { Voter } from './metadata-batches.ts';

/**
 * The controller as the handlers see it: commands in, per-item results out, answered once the metadata records are durable
 * and applied to the image. Behind it stands the pure state machine of this folder with a local `__cluster_metadata` log.
 */
export interface Controller {
  createTopics(command: CreateTopicsCommand): Promise<CreateTopicResult[]>;
  deleteTopics(command: DeleteTopicsCommand): Promise<DeleteTopicResult[]>;
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
  /** Notes in which directory a broker has a replica. The error is UNKNOWN_TOPIC_OR_PARTITION. */
  assignDirectory(assignment: DirectoryAssignment): Promise<ItemResult>;
  /** Elects leaders of partitions, or of all of them. */
  electLeaders(command: ElectLeadersCommand): Promise<TopicPartitionResults[]>;
  /** Moves partitions to other replicas, or takes such moves back. */
  reassignPartitions(command: ReassignmentCommand): Promise<TopicPartitionResults[]>;
  /** Takes a broker out of the metadata. The error is BROKER_ID_NOT_REGISTERED. */
  unregisterBroker(brokerId: number): Promise<ItemResult>;
  /** Sets levels of features, all or none. The error is INVALID_UPDATE_VERSION. */
  updateFeatures(command: UpdateFeaturesCommand): Promise<ItemResult>;
  /** Sets and deletes SCRAM credentials; a result for each user. */
  alterScramCredentials(alterations: ScramAlterations): Promise<UserResult[]>;
  /** Sets and removes quotas; a result for each entity. */
  alterClientQuotas(command: AlterQuotasCommand): Promise<QuotaResult[]>;
  /** The quorum of the metadata log as it is now. */
  describeQuorum(): QuorumDescription;
  /** A block of producer ids for this broker: [first, first + length). */
  allocateProducerIds(): Promise<{ first: number; length: number }>;
}

/** Kafka's error code (0 = done) with the message that goes to the client. */
export interface ItemResult {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

/** Who keeps the metadata log, and how far it is. */
export interface QuorumDescription {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
  /** Level of `kraft.version`: 1 when the voters stand in the log (KIP-853), 0 when the configuration names them. */
  readonly kraftVersion: number;
  readonly voters: readonly Voter[];
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

/**
 * Counts partitions that a command makes or deletes for its client, also when it only validates; false when the client's quota
 * does not allow them (KIP-599).
 */
export type PartitionChangeQuota = (partitionCount: number) => boolean;

export interface CreateTopicsCommand {
  readonly topics: readonly NewTopic[];
  /** Absent: the broker itself is the client. */
  readonly quota?: PartitionChangeQuota;
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

export interface DeleteTopicsCommand {
  readonly topics: readonly TopicReference[];
  readonly quota?: PartitionChangeQuota;
}

export interface CreatePartitionsCommand {
  readonly quota?: PartitionChangeQuota;
  readonly topics: readonly {
    readonly name: string;
    readonly count: number;
    readonly assignments: readonly { readonly brokerIds: readonly number[] }[] | null;
  }[];
  readonly validateOnly: boolean;
}

export interface ElectLeadersCommand {
  /** Kafka's ElectionType: 0 preferred, 1 unclean. */
  readonly electionType: number;
  /** Null: every partition. */
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[] | null;
}

export interface ReassignmentCommand {
  readonly allowReplicationFactorChange: boolean;
  readonly topics: readonly {
    readonly topic: string;
    /** `replicas` null: the move in progress is taken back. */
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly replicas: readonly number[] | null;
    }[];
  }[];
}

/** A result for each partition that was asked about, topic by topic. */
export interface TopicPartitionResults {
  readonly topic: string;
  readonly partitions: readonly ({ readonly partitionIndex: number } & ItemResult)[];
}

export interface FeatureUpdate {
  readonly feature: string;
  /** 0: the feature is off. */
  readonly level: number;
  /** Kafka's UpgradeType: 1 upgrade, 2 safe downgrade, 3 unsafe downgrade. */
  readonly upgradeType: number;
}

export interface UpdateFeaturesCommand {
  readonly updates: readonly FeatureUpdate[];
  readonly validateOnly: boolean;
}

export interface ScramUpsertion {
  readonly user: string;
  /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
  readonly mechanism: number;
  readonly iterations: number;
  readonly salt: Buffer;
  readonly saltedPassword: Buffer;
}

export interface ScramAlterations {
  readonly deletions: readonly { readonly user: string; readonly mechanism: number }[];
  readonly upsertions: readonly ScramUpsertion[];
}

export interface UserResult extends ItemResult {
  readonly user: string;
}

/** A quota to set, or with null to remove. */
export interface QuotaOperation {
  readonly key: string;
  readonly value: number | null;
}

export interface AlterQuotasCommand {
  readonly entries: readonly {
    readonly entity: QuotaEntity;
    readonly operations: readonly QuotaOperation[];
  }[];
  /** Names of `ip` entities that are neither an address nor a host that can be resolved. */
  readonly unresolvable: ReadonlySet<string>;
  readonly validateOnly: boolean;
}

export interface QuotaResult extends ItemResult {
  readonly entity: QuotaEntity;
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

/** Where a broker has its replica of a partition. */
export interface DirectoryAssignment {
  readonly topicId: string;
  readonly partition: number;
  readonly brokerId: number;
  readonly directoryId: string;
}
