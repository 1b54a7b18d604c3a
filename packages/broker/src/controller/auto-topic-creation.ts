import { ErrorCodes } from '@ottla/protocol';
import type { Logger } from '@ottla/platform';
import type { MetadataStore } from '../metadata/image.ts';
import type { Controller, NewTopic, PartitionChangeQuota } from './controller.ts';
import { CLUSTER_METADATA_TOPIC, topicNameProblem } from './topic-names.ts';

export interface AutoTopicCreationOptions {
  readonly controller: Controller;
  readonly metadata: MetadataStore;
  readonly logger: Logger;
  /** Partitions and configs of a coordinator's topic by name; undefined for ordinary topics. */
  readonly internalTopic: (name: string) => InternalTopicSpec | undefined;
}

/** How a coordinator wants its topic. */
export interface InternalTopicSpec {
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configs: NewTopic['configs'];
}

/**
 * Creates topics because somebody asked for them: a client through Metadata, or a coordinator that needs its own topic.
 * Each topic is asked for once at a time, however many ask.
 */
export class AutoTopicCreation {
  readonly #options: AutoTopicCreationOptions;
  readonly #inFlight = new Map<string, Promise<ReadonlyMap<string, number>>>();

  constructor(options: AutoTopicCreationOptions) {
    this.#options = options;
  }

  /**
   * Starts creating topics for a client and returns the error codes, in the order of the names, that the client is answered
   * with now: clients retry on UNKNOWN_TOPIC_OR_PARTITION until the topic is there. All of them are one command, as in
   * Kafka: thousands would be slow one by one, and the limit on partitions counts for all.
   */
  request(names: readonly string[], quota?: PartitionChangeQuota): number[] {
    const isInvalid = names.map((name) => topicNameProblem(name) !== null);
    // The metadata log's name is answered for, as in Kafka, as if it were on its way, and never made.
    const wanted = names.filter(
      (name, index) =>
        isInvalid[index] === false && name !== CLUSTER_METADATA_TOPIC && !this.#inFlight.has(name),
    );
    if (wanted.length > 0) void this.#create(wanted, quota);
    return isInvalid.map((invalid) =>
      invalid ? ErrorCodes.INVALID_TOPIC_EXCEPTION : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION,
    );
  }

  /**
   * Makes sure that a coordinator's topic exists; resolves to NONE when it does, else to the code of the refusal.
   */
  async ensureInternalTopic(name: string): Promise<number> {
    if (this.#options.metadata.current().topics.byName.has(name)) return ErrorCodes.NONE;
    const created = await (this.#inFlight.get(name) ?? this.#create([name]));
    return created.get(name) ?? ErrorCodes.UNKNOWN_SERVER_ERROR;
  }

  #create(names: readonly string[], quota?: PartitionChangeQuota): Promise<ReadonlyMap<string, number>> {
    const created = this.#createNow(names, quota).finally(() => {
      for (const name of names) this.#inFlight.delete(name);
    });
    for (const name of names) this.#inFlight.set(name, created);
    return created;
  }

  /** The error code of each topic, NONE for one that is there already. */
  async #createNow(names: readonly string[], quota?: PartitionChangeQuota): Promise<Map<string, number>> {
    const { controller, logger } = this.#options;
    const codes = new Map<string, number>();
    const told = new Set<number>();
    try {
      const topics = names.map((name) => this.#newTopic(name));
      for (const { name, errorCode, errorMessage: reason } of await controller.createTopics({
        topics,
        validateOnly: false,
        ...(quota === undefined ? {} : { quota }),
      })) {
        const isThere = errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.TOPIC_ALREADY_EXISTS;
        // One client may ask for thousands of topics: one line for each reason.
        if (!isThere && !told.has(errorCode)) {
          told.add(errorCode);
          logger.warn({ topic: name, errorCode, reason }, 'Automatic topic creation was refused');
        }
        codes.set(name, isThere ? ErrorCodes.NONE : errorCode);
      }
    } catch (error) {
      logger.error({ topics: names.slice(0, 10), err: error }, 'Automatic topic creation failed');
    }
    return codes;
  }

  #newTopic(name: string): NewTopic {
    const internal = this.#options.internalTopic(name);
    if (internal === undefined)
      return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
    // Kafka's default of three replicas would leave a small cluster without consumer groups; it takes what there is.
    let liveBrokers = 0;
    for (const broker of this.#options.metadata.current().brokers.values())
      if (!broker.fenced) liveBrokers += 1;
    const replicationFactor = Math.min(internal.replicationFactor, Math.max(1, liveBrokers));
    return {
      name,
      numPartitions: internal.numPartitions,
      replicationFactor,
      assignments: [],
      configs: internal.configs.map((config) => withinReplicas(config, replicationFactor)),
    };
  }
}

/**
 * More replicas in sync than there are would have every partition reported as below its minimum, and a Kafka that takes the
 * logs over refuse each of the coordinator's writes.
 */
function withinReplicas(
  config: NewTopic['configs'][number],
  replicationFactor: number,
): NewTopic['configs'][number] {
  const { name, value } = config;
  if (name !== 'min.insync.replicas') return config;
  return { name, value: String(Math.min(Number(value), replicationFactor)) };
}
