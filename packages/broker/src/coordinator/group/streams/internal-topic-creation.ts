import type { Clock, Logger } from '@ottla/platform';
import { ErrorCodes, errorMessage } from '@ottla/protocol';
import type { Controller, CreateTopicResult } from '../../../controller/controller.ts';
import type { InternalTopic } from './topology/configured-topology.ts';

/** Errors that are remembered at most; Kafka remembers as many. */
const MAX_ERRORS = 1_000;

interface RememberedError {
  readonly message: string;
  readonly untilMs: number;
}

/**
 * Creates the internal topics of streams groups. Every heartbeat of every member asks for those that are missing, so each is
 * asked for once at a time, and after a refusal not again for a while in which the refusal is what members are told.
 */
export class InternalTopicCreation {
  readonly #controller: Pick<Controller, 'createTopics'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #inFlight = new Set<string>();
  /** In the order in which they came. */
  readonly #errors = new Map<string, RememberedError>();

  constructor(deps: {
    readonly controller: Pick<Controller, 'createTopics'>;
    readonly clock: Clock;
    readonly logger: Logger;
  }) {
    this.#controller = deps.controller;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  /** Starts creating topics; a refusal is remembered for `errorTtlMs`. */
  request(topics: Iterable<InternalTopic>, errorTtlMs: number): void {
    const wanted = [...topics].filter(({ name }) => !this.#inFlight.has(name) && this.#error(name) === null);
    if (wanted.length === 0) return;
    for (const { name } of wanted) this.#inFlight.add(name);
    void this.#create(wanted, errorTtlMs);
  }

  /** Why topics could not be created when it was last tried, by name. */
  errorsOf(names: Iterable<string>): Map<string, string> {
    const errors = new Map<string, string>();
    for (const name of names) {
      const message = this.#error(name);
      if (message !== null) errors.set(name, message);
    }
    return errors;
  }

  async #create(topics: readonly InternalTopic[], errorTtlMs: number): Promise<void> {
    try {
      const results = await this.#controller.createTopics({
        topics: topics.map(newTopic),
        validateOnly: false,
      });
      for (const result of results) this.#note(result, errorTtlMs);
    } catch (err) {
      this.#logger.warn({ topics: topics.map(({ name }) => name), err }, 'Internal topics were not created');
      const message = err instanceof Error ? err.message : String(err);
      for (const { name } of topics) this.#remember(name, message, errorTtlMs);
    } finally {
      for (const { name } of topics) this.#inFlight.delete(name);
    }
  }

  #note({ name, errorCode, errorMessage: own }: CreateTopicResult, errorTtlMs: number): void {
    // A heartbeat that was decided before the topic was there may ask for it again.
    if (errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.TOPIC_ALREADY_EXISTS) return;
    const message = own === null || own === '' ? (errorMessage(errorCode) ?? '') : own;
    this.#logger.warn({ topic: name, errorCode, reason: message }, 'An internal topic was not created');
    this.#remember(name, message, errorTtlMs);
  }

  #remember(name: string, message: string, ttlMs: number): void {
    this.#errors.delete(name);
    this.#errors.set(name, { message, untilMs: this.#clock.monotonicMs() + ttlMs });
    for (const [oldest] of this.#errors) {
      if (this.#errors.size <= MAX_ERRORS) break;
      this.#errors.delete(oldest);
    }
  }

  #error(name: string): string | null {
    const error = this.#errors.get(name);
    if (error === undefined) return null;
    if (error.untilMs > this.#clock.monotonicMs()) return error.message;
    this.#errors.delete(name);
    return null;
  }
}

function newTopic({ name, partitionCount, replicationFactor, configs }: InternalTopic) {
  return {
    name,
    numPartitions: partitionCount,
    replicationFactor: replicationFactor === 0 ? -1 : replicationFactor,
    assignments: [],
    configs: Array.from(configs, ([key, value]) => ({ name: key, value })),
  };
}
