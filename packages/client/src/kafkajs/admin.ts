import type { Admin as ClientAdmin } from '../admin/admin.ts';
import type { ConfigResource, ConfigResourceType } from '../admin/configs-admin.ts';
import type { Ottla } from '../connect.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import { bindingOf, entryOf, filterOf } from './acls.ts';
import type {
  AclEntry,
  AclFilter,
  DescribeConfigResponse,
  GroupDescription,
  IResourceConfig,
  ITopicConfig,
  ITopicMetadata,
  ResourceConfigQuery,
  SeekEntry,
} from './admin-types.ts';
import { ConfigResourceTypes, ConfigSource } from './constants.ts';
import {
  asKafkaJSError,
  KafkaJSAggregateError,
  KafkaJSDeleteGroupsError,
  type KafkaJSError,
  KafkaJSNonRetriableError,
  translated,
} from './errors.ts';
import {
  EventEmitter,
  type InstrumentationEvent,
  type RemoveInstrumentationEventListener,
} from './events.ts';
import { describeGroup } from './group-description.ts';
import type { SharedConfig } from './handle.ts';
import type { KafkaJSLogger } from './logger.ts';
import type { RetryOptions } from './config.ts';

export interface AdminConfig {
  readonly retry?: RetryOptions;
}

const EVENTS = { CONNECT: 'admin.connect', DISCONNECT: 'admin.disconnect' } as const;

const RESOURCE_NAMES: Readonly<Record<number, ConfigResourceType>> = {
  [ConfigResourceTypes.TOPIC]: 'topic',
  [ConfigResourceTypes.BROKER]: 'broker',
  [ConfigResourceTypes.BROKER_LOGGER]: 'brokerLogger',
};

/** kafkajs's admin over the client's. Offsets are text, as everywhere in kafkajs. */
export class Admin {
  readonly events = EVENTS;
  readonly #shared: SharedConfig;
  readonly #config: AdminConfig;
  readonly #emitter: EventEmitter<typeof EVENTS>;
  #handle: Ottla | null = null;
  #admin: ClientAdmin | null = null;

  /** Use `kafka.admin()`. */
  constructor(shared: SharedConfig, config: AdminConfig = {}) {
    this.#shared = shared;
    this.#config = config;
    this.#emitter = new EventEmitter(EVENTS, shared.clock);
  }

  async connect(): Promise<void> {
    if (this.#handle !== null) return;
    this.#handle = await this.#shared.open(this.#config);
    this.#admin = this.#handle.admin();
    this.#emitter.emit(EVENTS.CONNECT);
  }

  async disconnect(): Promise<void> {
    const handle = this.#handle;
    this.#handle = this.#admin = null;
    await handle?.close();
    this.#emitter.emit(EVENTS.DISCONNECT);
  }

  logger(): KafkaJSLogger {
    return this.#shared.logger;
  }

  on(
    type: string,
    listener: (event: InstrumentationEvent<never>) => void,
  ): RemoveInstrumentationEventListener {
    return this.#emitter.on(type, listener);
  }

  /** Names of all topics, internal ones among them. */
  async listTopics(): Promise<string[]> {
    const topics = await this.#call((admin) => admin.topics.list({ includeInternal: true }));
    return topics.map(({ name }) => name);
  }

  /** False when one of the topics existed already. Rejects with KafkaJSAggregateError when others failed. */
  async createTopics(options: {
    readonly topics: readonly ITopicConfig[];
    readonly validateOnly?: boolean;
    readonly waitForLeaders?: boolean;
    readonly timeout?: number;
  }): Promise<boolean> {
    const { validateOnly = false, waitForLeaders = true } = options;
    const specs = options.topics.map((topic) => ({
      name: topic.topic,
      ...(topic.replicaAssignment !== undefined && topic.replicaAssignment.length > 0
        ? { assignments: topic.replicaAssignment.map(({ replicas }) => replicas) }
        : { partitions: topic.numPartitions, replicationFactor: topic.replicationFactor }),
      configs: Object.fromEntries((topic.configEntries ?? []).map(({ name, value }) => [name, value])),
    }));
    return this.#call(async (admin) => {
      const failures = failed(await admin.topics.create(specs, { validateOnly }));
      const others = failures.filter(({ error }) => error.name !== 'TOPIC_ALREADY_EXISTS');
      if (others.length > 0) throw aggregate('Topic creation errors', others);
      if (waitForLeaders && !validateOnly) await admin.topics.waitForLeaders(specs.map(({ name }) => name));
      return failures.length === 0;
    });
  }

  async deleteTopics(options: {
    readonly topics: readonly string[];
    readonly timeout?: number;
  }): Promise<void> {
    await this.#call(async (admin) => {
      const [first] = failed(await admin.topics.delete(options.topics));
      if (first !== undefined) throw first.error;
    });
  }

  async createPartitions(options: {
    readonly topicPartitions: readonly {
      readonly topic: string;
      readonly count: number;
      readonly assignments?: readonly (readonly number[])[];
    }[];
    readonly validateOnly?: boolean;
    readonly timeout?: number;
  }): Promise<boolean> {
    const { topicPartitions, validateOnly = false } = options;
    const counts = Object.fromEntries(topicPartitions.map(({ topic, count }) => [topic, count]));
    const assignments = Object.fromEntries(
      topicPartitions.flatMap(({ topic, assignments: own }) => (own === undefined ? [] : [[topic, own]])),
    ) as Record<string, readonly (readonly number[])[]>;
    return this.#call(async (admin) => {
      const failures = failed(await admin.topics.createPartitions(counts, { validateOnly, assignments }));
      if (failures.length > 0) throw aggregate('Partition creation errors', failures);
      return true;
    });
  }

  /** Of all topics when none are named. */
  async fetchTopicMetadata(
    options: { readonly topics?: readonly string[] } = {},
  ): Promise<{ topics: ITopicMetadata[] }> {
    return this.#call(async (admin) => {
      const names =
        options.topics ?? (await admin.topics.list({ includeInternal: true })).map(({ name }) => name);
      const topics = [...(await admin.topics.describe(names)).values()].map((topic) => {
        if (topic instanceof KafkaError) throw topic;
        const partitions = topic.partitions.map(({ partition, leader, replicas, isr, offlineReplicas }) => ({
          partitionErrorCode: 0,
          partitionId: partition,
          leader,
          replicas: [...replicas],
          isr: [...isr],
          offlineReplicas: [...offlineReplicas],
        }));
        return { name: topic.name, partitions };
      });
      return { topics };
    });
  }

  /** What a group has committed; -1 for partitions of named topics of which nothing is. */
  async fetchOffsets(options: {
    readonly groupId: string;
    readonly topics?: readonly string[];
    readonly resolveOffsets?: boolean;
  }): Promise<{ topic: string; partitions: (SeekEntry & { metadata: string | null })[] }[]> {
    const { groupId, topics = [], resolveOffsets = false } = options;
    return this.#call(async (admin) => {
      const committed = await admin.groups.offsets(groupId);
      const found = new Map<string, Map<number, { offset: number; metadata: string | null }>>();
      for (const topic of topics) {
        const { partitions } = await admin.topics.describe(topic);
        found.set(
          topic,
          new Map(partitions.map(({ partition }) => [partition, { offset: -1, metadata: null }])),
        );
      }
      for (const each of committed) {
        if (each.error !== null) throw each.error;
        if (topics.length > 0 && !topics.includes(each.topic)) continue;
        const partitions =
          found.get(each.topic) ?? new Map<number, { offset: number; metadata: string | null }>();
        partitions.set(each.partition, { offset: each.offset, metadata: each.metadata });
        found.set(each.topic, partitions);
      }
      if (resolveOffsets) await this.#resolve(admin, found);
      return [...found].map(([topic, partitions]) => ({
        topic,
        partitions: [...partitions].map(([partition, { offset, metadata }]) => ({
          partition,
          offset: String(offset),
          metadata,
        })),
      }));
    });
  }

  /** Puts the end of the log where nothing is committed. */
  async #resolve(
    admin: ClientAdmin,
    found: ReadonlyMap<string, Map<number, { offset: number; metadata: string | null }>>,
  ): Promise<void> {
    for (const [topic, partitions] of found) {
      for (const end of await admin.offsets.list(topic, 'latest')) {
        if (end.error !== null) throw end.error;
        const entry = partitions.get(end.partition);
        if (entry !== undefined && entry.offset < 0) entry.offset = end.offset;
      }
    }
  }

  async fetchTopicOffsets(topic: string): Promise<(SeekEntry & { high: string; low: string })[]> {
    return this.#call(async (admin) => {
      const [lows, highs] = await Promise.all([
        admin.offsets.list(topic, 'earliest'),
        admin.offsets.list(topic, 'latest'),
      ]);
      const low = new Map(lows.map((each) => [each.partition, offsetOf(each)]));
      return highs.map((each) => ({
        partition: each.partition,
        offset: offsetOf(each),
        high: offsetOf(each),
        low: low.get(each.partition) ?? '0',
      }));
    });
  }

  /** The first record at or after a time; the end of the log where there is none. */
  async fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<SeekEntry[]> {
    return this.#call(async (admin) => {
      const ends = await admin.offsets.list(topic, 'latest');
      if (timestamp === undefined)
        return ends.map((each) => ({ partition: each.partition, offset: offsetOf(each) }));
      const end = new Map(ends.map((each) => [each.partition, offsetOf(each)]));
      const found = await admin.offsets.list(topic, { timestampMs: timestamp });
      return found.map((each) => {
        const offset = offsetOf(each);
        return { partition: each.partition, offset: offset === '-1' ? end.get(each.partition)! : offset };
      });
    });
  }

  async describeCluster(): Promise<{
    brokers: { nodeId: number; host: string; port: number }[];
    controller: number | null;
    clusterId: string;
  }> {
    const { clusterId, controllerId, nodes } = await this.#call((admin) => admin.cluster.describe());
    return {
      brokers: nodes.map(({ nodeId, host, port }) => ({ nodeId, host, port })),
      controller: controllerId < 0 ? null : controllerId,
      clusterId,
    };
  }

  /** Commits offsets for a group without members. */
  async setOffsets(options: {
    readonly groupId: string;
    readonly topic: string;
    readonly partitions: readonly SeekEntry[];
  }): Promise<void> {
    const { groupId, topic, partitions } = options;
    const plan = partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) }));
    await this.#call((admin) => admin.groups.resetOffsets(groupId, plan, plan));
  }

  async resetOffsets(options: {
    readonly groupId: string;
    readonly topic: string;
    readonly earliest?: boolean;
  }): Promise<void> {
    const { groupId, topic, earliest = false } = options;
    await this.#call((admin) => admin.groups.resetOffsets(groupId, topic, earliest ? 'earliest' : 'latest'));
  }

  async describeConfigs(options: {
    readonly resources: readonly ResourceConfigQuery[];
    readonly includeSynonyms?: boolean;
  }): Promise<DescribeConfigResponse> {
    const { includeSynonyms = false } = options;
    return this.#call(async (admin) => {
      const resources = await Promise.all(
        options.resources.map(async ({ type, name, configNames }) => {
          const described = await admin.configs.describe(resourceOf(type, name), {
            includeSynonyms,
            ...(configNames !== undefined && { keys: configNames }),
          });
          const configEntries = [...described.values()].map((entry) => ({
            configName: entry.name,
            configValue: entry.value ?? '',
            isDefault: entry.isDefault,
            configSource: sourceOf(entry.source),
            isSensitive: entry.isSensitive,
            readOnly: entry.isReadOnly,
            configSynonyms: entry.synonyms.map((synonym) => ({
              configName: synonym.name,
              configValue: synonym.value ?? '',
              configSource: sourceOf(synonym.source),
            })),
          }));
          return { configEntries, errorCode: 0, errorMessage: '', resourceName: name, resourceType: type };
        }),
      );
      return { resources, throttleTime: 0 };
    });
  }

  /**
   * Sets what is named. kafkajs's own call replaces the whole resource; here other keys stay as they are, since brokers of Kafka 4 do
   * not offer the old way to everybody.
   */
  async alterConfigs(options: {
    readonly validateOnly?: boolean;
    readonly resources: readonly IResourceConfig[];
  }): Promise<void> {
    const { validateOnly = false } = options;
    await this.#call(async (admin) => {
      for (const { type, name, configEntries } of options.resources) {
        const changes = Object.fromEntries(configEntries.map((entry) => [entry.name, entry.value]));
        await admin.configs.alter(resourceOf(type, name), changes, { validateOnly });
      }
    });
  }

  async listGroups(): Promise<{ groups: { groupId: string; protocolType: string }[] }> {
    const groups = await this.#call((admin) => admin.groups.list());
    return { groups: groups.map(({ groupId, protocolType }) => ({ groupId, protocolType })) };
  }

  /** Rejects with KafkaJSDeleteGroupsError, which names the groups that could not be deleted. */
  async deleteGroups(groupIds: readonly string[]): Promise<{ groupId: string; errorCode: number }[]> {
    return this.#call(async (admin) => {
      const failures = failed(await admin.groups.delete(groupIds));
      if (failures.length > 0) {
        throw new KafkaJSDeleteGroupsError(
          'Error in DeleteGroups',
          failures.map(({ item, error }) => ({
            groupId: item,
            errorCode: error.code,
            error: asKafkaJSError(error) as KafkaJSError,
          })),
        );
      }
      return groupIds.map((groupId) => ({ groupId, errorCode: 0 }));
    });
  }

  async describeGroups(groupIds: readonly string[]): Promise<{ groups: GroupDescription[] }> {
    const described = await this.#call((admin) => admin.groups.members(groupIds));
    return { groups: [...described].map(([groupId, group]) => describeGroup(groupId, group)) };
  }

  async describeAcls(filter: AclFilter) {
    const bindings = await this.#call((admin) => admin.acls.describe(filterOf(filter)));
    const resources = new Map<string, Omit<AclEntry, keyof Acl> & { acls: Acl[] }>();
    for (const binding of bindings) {
      const { resourceType, resourceName, resourcePatternType, ...acl } = entryOf(binding);
      const key = JSON.stringify([resourceType, resourceName, resourcePatternType]);
      const resource = resources.get(key) ?? { resourceType, resourceName, resourcePatternType, acls: [] };
      resource.acls.push(acl);
      resources.set(key, resource);
    }
    return { throttleTime: 0, errorCode: 0, resources: [...resources.values()] };
  }

  async createAcls(options: { readonly acl: readonly AclEntry[] }): Promise<boolean> {
    await this.#call((admin) => admin.acls.create(options.acl.map(bindingOf)));
    return true;
  }

  async deleteAcls(options: { readonly filters: readonly AclFilter[] }) {
    const filters = options.filters.map(filterOf);
    const deleted = await this.#call((admin) => admin.acls.delete(filters));
    const filterResponses = filters.map((filter) => {
      const outcome = deleted.get(filter);
      if (outcome instanceof KafkaError)
        return { errorCode: outcome.code, errorMessage: outcome.message, matchingAcls: [] };
      return {
        errorCode: 0,
        matchingAcls: (outcome ?? []).map((each) => ({ errorCode: 0, ...entryOf(each) })),
      };
    });
    return { throttleTime: 0, filterResponses };
  }

  /** Deletes records before the offsets; -1 deletes all. */
  async deleteTopicRecords(options: {
    readonly topic: string;
    readonly partitions: readonly SeekEntry[];
  }): Promise<void> {
    const { topic } = options;
    const places = options.partitions.map(({ partition, offset }) => ({
      topic,
      partition,
      beforeOffset: Number(offset),
    }));
    await this.#call(async (admin) => {
      for (const { error } of await admin.offsets.deleteRecords(places)) if (error !== null) throw error;
    });
  }

  async alterPartitionReassignments(request: {
    readonly topics: readonly {
      readonly topic: string;
      readonly partitionAssignment: readonly {
        readonly partition: number;
        readonly replicas: readonly number[];
      }[];
    }[];
    readonly timeout?: number;
  }): Promise<void> {
    const moves = request.topics.flatMap(({ topic, partitionAssignment }) =>
      partitionAssignment.map(({ partition, replicas }) => ({ topic, partition, replicas })),
    );
    await this.#call(async (admin) => {
      for (const { error } of await admin.replicas.reassign(moves)) if (error !== null) throw error;
    });
  }

  async listPartitionReassignments(
    request: {
      readonly topics?: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
      readonly timeout?: number;
    } = {},
  ) {
    const places = request.topics?.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    );
    const moves = await this.#call((admin) => admin.replicas.listReassignments(places ?? 'all'));
    const topics = new Map<
      string,
      { partitionIndex: number; replicas: number[]; addingReplicas: number[]; removingReplicas: number[] }[]
    >();
    for (const { topic, partition, replicas, addingReplicas, removingReplicas } of moves) {
      const partitions = topics.get(topic) ?? [];
      topics.set(topic, partitions);
      partitions.push({
        partitionIndex: partition,
        replicas: [...replicas],
        addingReplicas: [...addingReplicas],
        removingReplicas: [...removingReplicas],
      });
    }
    return { topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })) };
  }

  #call<T>(call: (admin: ClientAdmin) => Promise<T>): Promise<T> {
    const admin = this.#admin;
    if (admin === null)
      return Promise.reject(
        new KafkaJSNonRetriableError('The admin is not connected: await admin.connect() first'),
      );
    return translated(() => call(admin));
  }
}

type Acl = Pick<AclEntry, 'principal' | 'host' | 'operation' | 'permissionType'>;

interface Failure {
  readonly item: string;
  readonly error: KafkaError;
}

function failed(outcomes: ReadonlyMap<string, unknown>): Failure[] {
  return [...outcomes].flatMap(([item, outcome]) =>
    outcome instanceof KafkaError ? [{ item, error: outcome }] : [],
  );
}

function aggregate(message: string, failures: readonly Failure[]): KafkaJSAggregateError {
  return new KafkaJSAggregateError(
    message,
    failures.map(({ error }) => asKafkaJSError(error)),
  );
}

function offsetOf(
  found: { readonly offset: number; readonly error: null } | { readonly error: KafkaError },
): string {
  if (found.error !== null) throw found.error;
  return String(found.offset);
}

function resourceOf(type: ConfigResourceTypes, name: string): ConfigResource {
  const known = RESOURCE_NAMES[type];
  if (known === undefined)
    throw new KafkaJSNonRetriableError(`Invalid resource type ${type}: use ConfigResourceTypes`);
  return { type: known, name };
}

function sourceOf(source: string): ConfigSource {
  if (source === 'DYNAMIC_TOPIC_CONFIG') return ConfigSource.TOPIC_CONFIG;
  return ConfigSource[source as keyof typeof ConfigSource] ?? ConfigSource.UNKNOWN;
}
