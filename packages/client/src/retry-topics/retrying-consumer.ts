import type { Cluster } from '../cluster/cluster.ts';
import { Consumer } from '../consumer/consumer.ts';
import type { Message } from '../consumer/delivery/message.ts';
import type { ConsumerSource } from '../consumer/subscription.ts';
import { ClosedError, OptionError } from '../errors/client-errors.ts';
import { Producer } from '../producer/producer.ts';
import { topic as declareTopic, type Topic } from '../topic.ts';
import { AcknowledgedHandOver, type HandOver } from './hand-over.ts';
import { headersAfterFailure, RetryInfo } from './retry-headers.ts';
import {
  forConsumers,
  resolveRetryOptions,
  type ResolvedRetryOptions,
  type RetryingConsumerOptions,
} from './retry-options.ts';
import { drawDelayMs, routeAfterFailure } from './retry-route.ts';
import { retryStages, type RetryStage } from './retry-stages.ts';
import { prepareTopics } from './retry-topics.ts';
import { SerialQueue, TransactionalHandOver } from './transactional-hand-over.ts';

/** Handles one record; `info` tells of the attempts before. A rejection sends the record on to the next topic. */
export type RetryHandler<M extends Message> = (message: M, info: RetryInfo) => unknown;

/** A stage at work. */
interface RunningStage {
  readonly stage: RetryStage;
  readonly index: number;
  readonly consumer: Consumer;
  readonly handOver: HandOver;
}

/** Longest time that Spring waits because a header says so. */
const DAY_MS = 86_400_000;

/**
 * Handles the records of topics and, without holding up the ones behind it, tries each that fails again later: it goes through retry
 * topics, whose records wait until their time has come, and at last to a dead-letter topic. Names of topics, groups and headers are
 * those of Spring's `@RetryableTopic`.
 *
 * ```ts
 * await retrying.each((m) => charge(m.key, m.value.total), (m, { failure }) => report(m, failure));
 * ```
 *
 * A record is committed only after what follows from it is stored: a crash can double a record, never lose one; with
 * `transactionalId` neither.
 */
export class RetryingConsumer<M extends Message = Message> implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #options: ResolvedRetryOptions;
  readonly #topics: readonly Topic[];
  readonly #stages: readonly RetryStage[];
  readonly #onClosed: () => void;
  readonly #stop = new AbortController();
  readonly #queue = new SerialQueue();
  #producer: Producer | null = null;
  #running: readonly RunningStage[] = [];
  /** How many partitions the topics have that records go to. */
  #partitionCounts: ReadonlyMap<string, number> = new Map();
  #isBegun = false;
  #closing: Promise<void> | null = null;

  /** Use `ottla.retryingConsumer()`. @throws OptionError for an option or source that is not valid */
  constructor(
    cluster: Cluster,
    setup: { readonly source: ConsumerSource; readonly options: RetryingConsumerOptions },
    onClosed: () => void = () => {},
  ) {
    this.#cluster = cluster;
    this.#options = resolveRetryOptions(setup.options);
    this.#topics = topicsOf(setup.source);
    this.#stages = retryStages(this.#options);
    this.#onClosed = onClosed;
  }

  /** Names of the topics, by what they are for, in the order in which a record goes through them. */
  get topics(): readonly {
    readonly kind: RetryStage['kind'];
    readonly name: string;
    readonly delayMs: number;
  }[] {
    return this.#topics.flatMap(({ name }) =>
      this.#stages.map(({ kind, suffix, delayMs }) => ({ kind, name: name + suffix, delayMs })),
    );
  }

  /** The consumers at work, one for the main topics and one for each stage behind them: for their lag and metrics. */
  get consumers(): readonly Consumer[] {
    return this.#running.map(({ consumer }) => consumer);
  }

  /**
   * Calls the handler for every record of the main and the retry topics, and `onDeadLetter` for those of the dead-letter topic, which is
   * not read without one. Creates missing topics first. Resolves when the consumer is closed or its signal aborts, after the handlers
   * that run have ended; rejects when a topic cannot be created, read or written: what was not handed on comes again. Once.
   */
  async each(handler: RetryHandler<M>, onDeadLetter?: RetryHandler<M>): Promise<void> {
    if (this.#closing !== null) throw new ClosedError('The retrying consumer is closed');
    if (this.#isBegun)
      throw new OptionError(
        'each is running on this retrying consumer; make another one for another handler',
      );
    this.#isBegun = true;
    const { signal } = this.#options;
    const onAbort = (): void => this.#stop.abort(signal!.reason);
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#run(handler, onDeadLetter);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      await this.close();
    }
  }

  /** Lets the handlers that run finish, commits, and leaves the groups; always ends within `timeoutMs` (30 000 by default). Idempotent. */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? 30_000);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#cluster.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    this.#stop.abort(new ClosedError('The retrying consumer was closed'));
    try {
      await Promise.all(this.#running.map(({ consumer }) => consumer.close({ timeoutMs })));
    } finally {
      for (const { handOver } of this.#running) handOver.stop();
      await this.#producer?.close({ timeoutMs: Math.max(1, deadlineMs - clock.monotonicMs()) });
      this.#onClosed();
    }
  }

  async #run(handler: RetryHandler<M>, onDeadLetter: RetryHandler<M> | undefined): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return;
    try {
      this.#partitionCounts = await prepareTopics(this.#cluster, {
        topics: this.#topics,
        suffixes: this.#stages.slice(1).map(({ suffix }) => suffix),
        shape: this.#options.shape,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    this.#producer = new Producer(this.#cluster, this.#options.producer);
    const wanted = [...this.#stages.entries()].filter(
      ([, { kind }]) => kind !== 'dead-letter' || onDeadLetter !== undefined,
    );
    this.#running = wanted.map(([index, stage]) => this.#create(stage, index));
    let failure: { readonly error: unknown } | null = null;
    await Promise.all(
      this.#running.map(async (running) => {
        const handle = running.stage.kind === 'dead-letter' ? onDeadLetter! : handler;
        try {
          await this.#consume(running, handle);
        } catch (error) {
          // A handler that was told to stop has left its record unfinished, as it should.
          if (!signal.aborted || !isAbort(error, signal.reason)) failure ??= { error };
          this.#stop.abort(error);
        }
      }),
    );
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
  }

  #create(stage: RetryStage, index: number): RunningStage {
    const { consumer: options, group, transactionalId } = this.#options;
    const handOver = this.#handOver();
    const isMain = stage.kind === 'main';
    const consumer = new Consumer(this.#cluster, {
      source: this.#topics.map((topic) => ({ ...topic, name: topic.name + stage.suffix })),
      options: {
        ...forConsumers(options),
        group: group + stage.suffix,
        commit: handOver.commit,
        onError: {},
        ...handOver.listener,
        signal: this.#stop.signal,
        // A record may be there before the group has ever read.
        ...(!isMain && { from: 'earliest' }),
        ...(!isMain && transactionalId !== null && { isolationLevel: 'read_committed' }),
      },
    });
    return { stage, index, consumer, handOver };
  }

  #handOver(): HandOver {
    const { consumer: listener, transactionalId, autoCommitIntervalMs } = this.#options;
    const producer = this.#producer!;
    if (transactionalId === null) return new AcknowledgedHandOver(producer);
    const { clock, retryBackoffMs } = this.#cluster.options;
    return new TransactionalHandOver({
      producer,
      queue: this.#queue,
      listener,
      clock,
      commitIntervalMs: autoCommitIntervalMs,
      retryBackoffMs,
    });
  }

  async #consume(running: RunningStage, handle: RetryHandler<M>): Promise<void> {
    const { consumer, handOver, stage } = running;
    handOver.start(consumer);
    await consumer.each(
      async (message) => {
        handOver.begin(message);
        try {
          await handle(message as M, new RetryInfo(message));
        } catch (error) {
          if (this.#stop.signal.aborted && isAbort(error, this.#stop.signal.reason)) throw error;
          await this.#onFailure(running, message, error);
          return;
        }
        handOver.done(message);
      },
      stage.kind === 'main' ? {} : { notBefore: (message) => this.#notBefore(message) },
    );
  }

  /** A time that is further away than any that we write, or than Spring believes, is not waited for. */
  #notBefore(message: Message): number {
    const dueMs = new RetryInfo(message).notBeforeMs ?? 0;
    const longestMs = Math.max(...this.#stages.map(({ delayMs, jitterMs }) => delayMs + jitterMs), DAY_MS);
    return dueMs - this.#cluster.options.clock.nowMs() > longestMs ? 0 : dueMs;
  }

  /** Resolves when the record's next life is stored, or it has none. */
  async #onFailure(
    { stage, index, handOver }: RunningStage,
    message: Message,
    error: unknown,
  ): Promise<void> {
    const { logger, clock, random } = this.#cluster.options;
    const { topic, partition, offset } = message;
    const { attempt, origin } = new RetryInfo(message);
    const failed = { from: index, error, attempt, ageMs: clock.nowMs() - origin.timestamp };
    const to = routeAfterFailure(this.#stages, failed, this.#options);
    const fields = { err: error, topic, partition, offset, attempt };
    if (to === null) {
      logger.error(fields, 'A record keeps failing and is left: there is no topic for it');
      handOver.done(message);
      return;
    }
    const nextTopic = topic.slice(0, topic.length - stage.suffix.length) + to.stage.suffix;
    if (to.stage.kind === 'dead-letter') logger.error(fields, `A failed record goes to ${nextTopic}`);
    else logger.debug(fields, `A failed record goes to ${nextTopic}`);
    const { group, backOff } = this.#options;
    const notBeforeMs = clock.nowMs() + drawDelayMs(to, backOff, random);
    const hasPartition = partition < (this.#partitionCounts.get(nextTopic) ?? 0);
    await handOver.give(message, {
      topic: nextTopic,
      record: {
        key: message.keyBytes,
        value: message.valueBytes,
        headers: headersAfterFailure(message, { error, attempt, group, notBeforeMs }),
        ...(hasPartition && { partition }),
      },
    });
  }
}

/** The topics of a source that has their names. @throws OptionError for one that has not */
function topicsOf(source: ConsumerSource): Topic[] {
  const isList = Array.isArray(source);
  const topics = (isList ? source : [source]) as readonly unknown[];
  if (topics.length === 0) throw new OptionError('The list of topics to consume is empty; name at least one');
  return topics.map((each) => {
    if (typeof each === 'string') return declareTopic(each) as unknown as Topic;
    if (typeof each === 'object' && each !== null && 'name' in each) return each as Topic;
    throw new OptionError(
      'A retrying consumer reads topics by their names, since their retry topics follow from them: give a topic or a list of topics',
    );
  });
}

/** An error that only says that its work was given up, as asked. */
function isAbort(error: unknown, reason: unknown): boolean {
  return error === reason || (error instanceof Error && error.name === 'AbortError');
}
