import { ErrorCodes } from '@ottla/protocol';
import type { Logger } from '@ottla/platform';
import type { MetadataStore } from '../metadata/image.ts';
import type { Controller, NewTopic } from './controller.ts';
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
  readonly #inFlight = new Map<string, Promise<number>>();

  constructor(options: AutoTopicCreationOptions) {
    this.#options = options;
  }

  /**
   * Starts creating a topic for a client and returns the error code that the client is answered with now: clients retry
   * on UNKNOWN_TOPIC_OR_PARTITION until the topic is there.
   */
  request(name: string): number {
    if (topicNameProblem(name) !== null) return ErrorCodes.INVALID_TOPIC_EXCEPTION;
    // As in Kafka, which answers as if it were on its way and never makes it.
    if (name !== CLUSTER_METADATA_TOPIC) void this.#create(name);
    return ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  }

  /**
   * Makes sure that a coordinator's topic exists; resolves to NONE when it does, else to the code of the refusal.
   */
  async ensureInternalTopic(name: string): Promise<number> {
    if (this.#options.metadata.current().topics.byName.has(name)) return ErrorCodes.NONE;
    return this.#create(name);
  }

  #create(name: string): Promise<number> {
    const running = this.#inFlight.get(name);
    if (running !== undefined) return running;
    const created = this.#createNow(name).finally(() => this.#inFlight.delete(name));
    this.#inFlight.set(name, created);
    return created;
  }

  async #createNow(name: string): Promise<number> {
    const { controller, logger } = this.#options;
    try {
      const [result] = await controller.createTopics({ topics: [this.#newTopic(name)], validateOnly: false });
      const errorCode = result?.errorCode ?? ErrorCodes.UNKNOWN_SERVER_ERROR;
      if (errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.TOPIC_ALREADY_EXISTS)
        return ErrorCodes.NONE;
      logger.warn(
        { topic: name, errorCode, reason: result?.errorMessage },
        'Automatic topic creation was refused',
      );
      return errorCode;
    } catch (error) {
      logger.error({ topic: name, err: error }, 'Automatic topic creation failed');
      return ErrorCodes.UNKNOWN_SERVER_ERROR;
    }
  }

  #newTopic(name: string): NewTopic {
    const internal = this.#options.internalTopic(name);
    if (internal === undefined)
      return { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
    // Kafka's default of three replicas would leave a small cluster without consumer groups; it takes what there is.
    let liveBrokers = 0;
    for (const broker of this.#options.metadata.current().brokers.values())
      if (!broker.fenced) liveBrokers += 1;
    return {
      name,
      numPartitions: internal.numPartitions,
      replicationFactor: Math.min(internal.replicationFactor, Math.max(1, liveBrokers)),
      assignments: [],
      configs: internal.configs,
    };
  }
}
