import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, isKafkaError, KafkaError, errorOf } from '../errors/kafka-error.ts';
import { OptionError } from '../errors/client-errors.ts';
import { apis } from '../network/apis.ts';
import type { Topic } from '../topic.ts';
import type { AdminRequests } from './admin-requests.ts';
import {
  describeTopicIds,
  describeTopics,
  type DescribeTopicsOptions,
  type TopicDescription,
} from './describe-topics.ts';
import { only, type PerItem } from './per-item.ts';

/** A topic to create: declared by `topic()`, a name alone, or its shape. Absent numbers are the broker's defaults. */
export type TopicSpec =
  | Topic
  | string
  | {
      readonly name: string;
      readonly partitions?: number | undefined;
      readonly replicationFactor?: number | undefined;
      readonly configs?: Readonly<Record<string, string>> | undefined;
      /** Broker ids of each partition's replicas, instead of the two numbers. */
      readonly assignments?: readonly (readonly number[])[] | undefined;
    };

/** How topics are created. */
export interface CreateTopicsOptions extends CallLimits {
  /** Checks, and creates nothing. */
  readonly validateOnly?: boolean;
  /** Whether to wait out a quota on topic changes (KIP-599). Default: true. */
  readonly retryOnQuotaViolation?: boolean;
}

/** A created topic. Numbers are -1 when the broker does not say. */
export interface CreatedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

/** A topic in a list. */
export interface TopicListing {
  readonly name: string;
  readonly topicId: string;
  /** How many. */
  readonly partitions: number;
  readonly isInternal: boolean;
}

/** How long `ensure` and `create` let the broker work on it, within the call's own time. */
const CREATION_TIMEOUT_MS = 30_000;

/** Topics: create, describe, grow, delete. */
export class TopicsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Creates a topic. Throws TOPIC_ALREADY_EXISTS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG, ... */
  create(topic: TopicSpec, options?: CreateTopicsOptions): Promise<CreatedTopic>;
  /** Creates several, each with an outcome of its own. */
  create(topics: readonly TopicSpec[], options?: CreateTopicsOptions): Promise<PerItem<CreatedTopic>>;
  async create(
    topics: TopicSpec | readonly TopicSpec[],
    options: CreateTopicsOptions = {},
  ): Promise<CreatedTopic | PerItem<CreatedTopic>> {
    const isMany = Array.isArray(topics);
    const specs = (isMany ? topics : [topics]) as readonly TopicSpec[];
    const byName = new Map(specs.map((spec) => [nameOf(spec), spec]));
    const results = await this.#requests.toController(
      'Creating topics',
      [...byName.keys()],
      options,
      async (pending, attempt) => {
        const body = {
          topics: pending.map((name) => creation(byName.get(name)!)),
          timeoutMs: Math.min(CREATION_TIMEOUT_MS, attempt.remainingMs),
          validateOnly: options.validateOnly ?? false,
        };
        // Version 4 brought the broker's defaults.
        const request = { api: apis.createTopics, body, minVersion: 4 };
        const answer = await this.#requests.send('controller', request, attempt);
        return answer.topics.map(({ errorCode, errorMessage, ...created }) => [
          created.name,
          errorCode === ErrorCodes.NONE
            ? {
                name: created.name,
                topicId: created.topicId,
                partitions: created.numPartitions,
                replicationFactor: created.replicationFactor,
              }
            : brokerError(errorCode, errorMessage, `topic "${created.name}"`),
        ]);
      },
    );
    return isMany ? results : only(results);
  }

  /**
   * Creates the topics that do not exist yet and waits until every partition of all of them has a leader. Topics that exist are left as they are.
   * Throws the first error that is not TOPIC_ALREADY_EXISTS.
   */
  async ensure(
    topics: TopicSpec | readonly TopicSpec[],
    options: CallLimits = {},
  ): Promise<{ readonly created: readonly string[]; readonly existing: readonly string[] }> {
    const specs = (Array.isArray(topics) ? topics : [topics]) as readonly TopicSpec[];
    const created: string[] = [];
    const existing: string[] = [];
    for (const [name, outcome] of await this.create(specs, options)) {
      if (!(outcome instanceof KafkaError)) created.push(name);
      else if (isKafkaError(outcome, 'TOPIC_ALREADY_EXISTS')) existing.push(name);
      else throw outcome;
    }
    await this.waitForLeaders([...created, ...existing], options);
    return { created, existing };
  }

  /** Resolves when every partition of the topics has a leader. Rejects with the reason of the last look when the time is up. */
  async waitForLeaders(names: readonly string[], options: CallLimits = {}): Promise<void> {
    const { cluster } = this.#requests;
    await cluster.retry({ ...options, what: 'Waiting for leaders' }, async ({ remainingMs, signal }) => {
      await cluster.refreshMetadata({ topics: names }, { timeoutMs: remainingMs, signal });
      for (const topic of (await cluster.topics(names, { timeoutMs: remainingMs, signal })).values()) {
        const without = topic.partitions.find(({ leaderId }) => leaderId < 0);
        if (without === undefined && topic.partitions.length > 0) continue;
        throw new KafkaError(
          'LEADER_NOT_AVAILABLE',
          `Partition ${topic.name}-${without?.partition ?? 0} has no leader yet`,
        );
      }
    });
  }

  /** All topics, by name. Internal ones only when asked for. */
  async list(options: CallLimits & { readonly includeInternal?: boolean } = {}): Promise<TopicListing[]> {
    const body = { topics: null, allowAutoTopicCreation: false };
    const topics = await this.#requests.ask(
      'any',
      { api: apis.metadata, body },
      options,
      (answer) => answer.topics,
    );
    return topics
      .filter((topic) => topic.name !== null && (options.includeInternal === true || !topic.isInternal))
      .map(({ name, topicId, partitions, isInternal }) => ({
        name: name!,
        topicId,
        partitions: partitions.length,
        isInternal,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Describes a topic. Throws UNKNOWN_TOPIC_OR_PARTITION when there is none of the name. */
  describe(topic: string | Topic, options?: DescribeTopicsOptions): Promise<TopicDescription>;
  /** Describes several, each with an outcome of its own. */
  describe(
    topics: readonly (string | Topic)[],
    options?: DescribeTopicsOptions,
  ): Promise<PerItem<TopicDescription>>;
  async describe(
    topics: string | Topic | readonly (string | Topic)[],
    options: DescribeTopicsOptions = {},
  ): Promise<TopicDescription | PerItem<TopicDescription>> {
    const isMany = Array.isArray(topics);
    const names = ((isMany ? topics : [topics]) as readonly (string | Topic)[]).map(nameOf);
    const results = await describeTopics(this.#requests, [...new Set(names)], options);
    return isMany ? results : only(results);
  }

  /** Describes topics by their ids. */
  describeByIds(
    topicIds: readonly string[],
    options: DescribeTopicsOptions = {},
  ): Promise<PerItem<TopicDescription>> {
    return describeTopicIds(this.#requests, topicIds, options);
  }

  /** Deletes a topic. Throws UNKNOWN_TOPIC_OR_PARTITION, TOPIC_DELETION_DISABLED, ... */
  delete(topic: string | Topic, options?: CallLimits): Promise<void>;
  /** Deletes several, each with an outcome of its own (undefined when it is gone). */
  delete(topics: readonly (string | Topic)[], options?: CallLimits): Promise<PerItem<undefined>>;
  async delete(
    topics: string | Topic | readonly (string | Topic)[],
    options: CallLimits = {},
  ): Promise<void | PerItem<undefined>> {
    const isMany = Array.isArray(topics);
    const names = ((isMany ? topics : [topics]) as readonly (string | Topic)[]).map(nameOf);
    const results = await this.#requests.toController(
      'Deleting topics',
      names,
      options,
      async (pending, attempt) => {
        const timeoutMs = Math.min(CREATION_TIMEOUT_MS, attempt.remainingMs);
        const body = (version: number) =>
          version >= 6
            ? { topics: pending.map((name) => ({ name })), timeoutMs }
            : { topicNames: pending, timeoutMs };
        const answer = await this.#requests.send('controller', { api: apis.deleteTopics, body }, attempt);
        return answer.responses.map(({ name, errorCode, errorMessage }) => [
          name ?? '',
          errorOf(errorCode, errorMessage, `topic "${name}"`),
        ]);
      },
    );
    return isMany ? results : only(results);
  }

  /** Deletes topics by their ids. */
  deleteByIds(topicIds: readonly string[], options: CallLimits = {}): Promise<PerItem<undefined>> {
    return this.#requests.toController('Deleting topics', topicIds, options, async (pending, attempt) => {
      const timeoutMs = Math.min(CREATION_TIMEOUT_MS, attempt.remainingMs);
      const body = { topics: pending.map((topicId) => ({ topicId, name: null })), timeoutMs };
      const request = { api: apis.deleteTopics, body, minVersion: 6 };
      const answer = await this.#requests.send('controller', request, attempt);
      return answer.responses.map(({ topicId, errorCode, errorMessage }) => [
        topicId,
        errorOf(errorCode, errorMessage, `topic id "${topicId}"`),
      ]);
    });
  }

  /**
   * Grows topics to these numbers of partitions in total; keys then go to other partitions than before.
   * @param assignments broker ids of the replicas of each new partition, by topic
   */
  createPartitions(
    counts: Readonly<Record<string, number>>,
    options: CallLimits & {
      readonly validateOnly?: boolean;
      readonly assignments?: Readonly<Record<string, readonly (readonly number[])[]>>;
    } = {},
  ): Promise<PerItem<undefined>> {
    const names = Object.keys(counts);
    return this.#requests.toController('Creating partitions', names, options, async (pending, attempt) => {
      const body = {
        topics: pending.map((name) => ({
          name,
          count: counts[name]!,
          assignments: options.assignments?.[name]?.map((brokerIds) => ({ brokerIds })) ?? null,
        })),
        timeoutMs: Math.min(CREATION_TIMEOUT_MS, attempt.remainingMs),
        validateOnly: options.validateOnly ?? false,
      };
      const answer = await this.#requests.send('controller', { api: apis.createPartitions, body }, attempt);
      return answer.results.map(({ name, errorCode, errorMessage }) => [
        name,
        errorOf(errorCode, errorMessage, `topic "${name}"`),
      ]);
    });
  }
}

/** The name of what describes or names a topic. */
export function nameOf(topic: string | { readonly name: string }): string {
  const name: unknown = typeof topic === 'string' ? topic : topic.name;
  if (typeof name !== 'string')
    throw new OptionError(`The name of a topic is "${String(name)}": give text, or an object with a name`);
  return name;
}

function creation(spec: TopicSpec): {
  name: string;
  numPartitions: number;
  replicationFactor: number;
  assignments: { partitionIndex: number; brokerIds: readonly number[] }[];
  configs: { name: string; value: string }[];
} {
  const shape = typeof spec === 'string' ? { name: spec } : spec;
  const assignments = 'assignments' in shape ? (shape.assignments ?? []) : [];
  const { partitions, replicationFactor, configs } = {
    partitions: undefined,
    replicationFactor: undefined,
    configs: {},
    ...shape,
  };
  if (assignments.length > 0 && (partitions !== undefined || replicationFactor !== undefined))
    throw new OptionError(
      `Topic "${shape.name}": give either assignments or partitions and replicationFactor`,
    );
  return {
    name: shape.name,
    numPartitions: partitions ?? -1,
    replicationFactor: replicationFactor ?? -1,
    assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs ?? {}).map(([name, value]) => ({ name, value })),
  };
}
