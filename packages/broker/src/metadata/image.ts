import type { ClientQuotas } from './client-quotas-image.ts';
import type { ScramCredentials } from './scram-image.ts';
import type { MetadataRecord } from './records.ts';

/**
 * The metadata image: what the records of `__cluster_metadata` up to one offset amount to. Immutable; a new image
 * shares every part that its records did not touch. Handlers read `store.current()` once per request.
 */
export interface MetadataImage {
  /** Offset of the last metadata record applied; -1 for the empty image. */
  readonly offset: number;
  readonly clusterId: string;
  readonly controllerId: number;
  readonly brokers: ReadonlyMap<number, BrokerImage>;
  readonly topics: TopicsImage;
  readonly configs: ConfigsImage;
  /** First producer id not yet handed out to a broker. */
  readonly nextProducerId: number;
  /** Finalized feature levels: `metadata.version`, `group.version`, ... */
  readonly features: ReadonlyMap<string, number>;
  readonly scramCredentials: ScramCredentials;
  readonly clientQuotas: ClientQuotas;
  /**
   * Records that no part of this broker reads yet (ACLs, tokens, controller registrations), by identity.
   * They are kept so that a snapshot loses nothing that a real Kafka wrote into the log.
   */
  readonly keptRecords?: ReadonlyMap<string, MetadataRecord>;
}

export interface BrokerImage {
  readonly id: number;
  readonly epoch: number;
  readonly incarnationId: string;
  readonly rack: string | null;
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  readonly endpoints: readonly EndpointImage[];
  /** Uuids of its log directories (KIP-858). */
  readonly logDirs: readonly string[];
  /** Uuids of directories that take no new replicas (KIP-1066); null before the broker said so. */
  readonly cordonedLogDirs?: readonly string[] | null;
  /** Feature levels it supports, as [min, max] by name. */
  readonly supportedFeatures?: ReadonlyMap<string, readonly [number, number]>;
}

export interface EndpointImage {
  readonly listenerName: string;
  readonly host: string;
  readonly port: number;
  /** Kafka's SecurityProtocol id: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
  readonly securityProtocol: number;
}

export interface TopicsImage {
  readonly byName: ReadonlyMap<string, TopicImage>;
  readonly byId: ReadonlyMap<string, TopicImage>;
}

export interface TopicImage {
  readonly name: string;
  /** 22-character topic id. */
  readonly id: string;
  /** Indexed by partition number; dense. */
  readonly partitions: readonly PartitionImage[];
}

export interface PartitionImage {
  readonly partition: number;
  /** Broker id, or -1 when there is no leader. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly removingReplicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly elr: readonly number[];
  readonly lastKnownElr: readonly number[];
  /** Log directory uuid of each replica, in the order of `replicas`. */
  readonly directories: readonly string[];
  /** 1 while the leader recovers from an unclean election, else 0. */
  readonly leaderRecoveryState?: number;
}

/** Kafka's ConfigResource types. */
export const ConfigResourceType = {
  topic: 2,
  broker: 4,
  brokerLogger: 8,
  clientMetrics: 16,
  group: 32,
} as const;

/** Dynamic configs as set through AlterConfigs and CreateTopics; defaults are not in here. */
export interface ConfigsImage {
  /** The overrides of one resource; an empty map when there are none. `name` is the topic, the broker id (empty string: cluster default) or the group. */
  get(resourceType: number, name: string): ReadonlyMap<string, string>;
  /** Every resource that has at least one override, as [type, name]. */
  resources(): Iterable<readonly [number, string]>;
}

/** Who is told of a change: the replica manager, the coordinators, the dynamic broker config. */
export interface MetadataListener {
  /** Called on the event loop after each committed batch of records, in offset order, before the command that caused it is answered. */
  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void;
}

/** What one batch of records touched, by topic id and config resource. */
export interface MetadataDelta {
  readonly previous: MetadataImage;
  /** Ids of topics created or changed (partitions added, leader changed). */
  readonly changedTopicIds: ReadonlySet<string>;
  readonly deletedTopics: ReadonlyMap<string, TopicImage>;
  /** `[type, name]` of config resources that changed, as `${type}/${name}` keys. */
  readonly changedConfigs: ReadonlySet<string>;
}

/** Holds the current image; the controller publishes into it, everybody else reads. */
export interface MetadataStore {
  current(): MetadataImage;
  subscribe(listener: MetadataListener): void;
}
