import type { TopicPartition } from '../admin/admin-requests.ts';
import { sleep } from '../cluster/wait.ts';
import type { Ottla } from '../connect.ts';
import type { Consumer as ClientConsumer } from '../consumer/consumer.ts';
import type { ConsumerOptions } from '../consumer/consumer-options.ts';
import type { Message } from '../consumer/delivery/message.ts';
import { serde } from '../serde/serdes.ts';
import { topic as declareTopic } from '../topic.ts';
import type { GroupDescription } from './admin-types.ts';
import type { Assignment } from './assigner-protocol.ts';
import { BatchRunner } from './batch-runner.ts';
import type {
  ConsumerConfig,
  ConsumerRunConfig,
  ConsumerSubscribeTopic,
  ConsumerSubscribeTopics,
  Offsets,
  TopicPartitionOffsetAndMetadata,
  TopicPartitions,
} from './consumer-types.ts';
import { asKafkaJSError, KafkaJSNonRetriableError, KafkaJSNotImplemented, translated } from './errors.ts';
import {
  EventEmitter,
  type InstrumentationEvent,
  type RemoveInstrumentationEventListener,
} from './events.ts';
import { describeGroup } from './group-description.ts';
import type { SharedConfig } from './handle.ts';
import type { KafkaJSLogger } from './logger.ts';
import { kafkaMessage } from './messages.ts';
import { PausedPartitions } from './paused-partitions.ts';
import { roundRobinAssigner } from './round-robin-assigner.ts';

const EVENTS = {
  CONNECT: 'consumer.connect',
  DISCONNECT: 'consumer.disconnect',
  STOP: 'consumer.stop',
  CRASH: 'consumer.crash',
  GROUP_JOIN: 'consumer.group_join',
  REBALANCING: 'consumer.rebalancing',
  COMMIT_OFFSETS: 'consumer.commit_offsets',
  START_BATCH_PROCESS: 'consumer.start_batch_process',
  END_BATCH_PROCESS: 'consumer.end_batch_process',
} as const;

/** kafkajs's defaults where they differ from Kafka's. */
const SESSION_TIMEOUT_MS = 30_000;
const MAX_WAIT_MS = 5_000;
const MAX_BYTES = 10 * 1024 * 1024;
const COMMIT_INTERVAL_MS = 1_000;
const RETRIES = 5;
const INITIAL_RETRY_MS = 300;
const MAX_RETRY_MS = 30_000;
/** A handler may take as long as it likes in kafkajs, as long as it sends heartbeats; here they go out by themselves. */
const MAX_POLL_INTERVAL_MS = 24 * 60 * 60 * 1000;

const bytes = serde.nullable(serde.bytes);

interface Subscribed {
  readonly topic: string;
  readonly fromBeginning: boolean;
}

/** kafkajs's consumer over the client's. */
export class Consumer {
  readonly events = EVENTS;
  readonly #shared: SharedConfig;
  readonly #config: ConsumerConfig;
  readonly #emitter: EventEmitter<typeof EVENTS>;
  readonly #subscribed = new Map<string, Subscribed>();
  readonly #paused = new PausedPartitions();
  /** Where to go on in partitions that are not assigned yet. */
  readonly #seeks = new Map<string, number>();
  #handle: Ottla | null = null;
  #consumer: ClientConsumer | null = null;
  #run: Promise<void> | null = null;
  #isStopped = true;

  /** Use `kafka.consumer()`. */
  constructor(shared: SharedConfig, config: ConsumerConfig) {
    if (config?.groupId === undefined) {
      throw new KafkaJSNonRetriableError('Consumer groupId must be a non-empty string.');
    }
    if (config.partitionAssigners !== undefined) {
      throw new KafkaJSNotImplemented(
        'partitionAssigners of kafkajs do not exist here: leave the option out, or use the assignors option of @ottla/client',
      );
    }
    this.#shared = shared;
    this.#config = config;
    this.#emitter = new EventEmitter(EVENTS, shared.clock);
  }

  async connect(): Promise<void> {
    if (this.#handle !== null) return;
    this.#handle = await this.#shared.open(
      this.#config.retry === undefined ? {} : { retry: this.#config.retry },
    );
    this.#emitter.emit(EVENTS.CONNECT);
  }

  async disconnect(): Promise<void> {
    await this.stop();
    const handle = this.#handle;
    this.#handle = null;
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

  /** Adds topics; a regular expression stands for the topics that it matches now, as in kafkajs. */
  async subscribe(subscription: ConsumerSubscribeTopics | ConsumerSubscribeTopic): Promise<void> {
    if (this.#run !== null) {
      throw new KafkaJSNonRetriableError('Cannot subscribe to topic while consumer is running');
    }
    const { fromBeginning = false } = subscription;
    const wanted = 'topics' in subscription ? subscription.topics : [subscription.topic];
    const names = wanted.filter((topic): topic is string => typeof topic === 'string');
    const patterns = wanted.filter((topic): topic is RegExp => topic instanceof RegExp);
    if (names.length + patterns.length !== wanted.length) {
      throw new KafkaJSNonRetriableError('Invalid topic: it must be a string or a regular expression');
    }
    if (patterns.length > 0) {
      const listed = await translated(() => this.#connected().admin().topics.list());
      for (const { name } of listed) if (patterns.some((pattern) => pattern.test(name))) names.push(name);
    }
    for (const topic of names) this.#subscribed.set(topic, { topic, fromBeginning });
  }

  /** Begins to consume and resolves at once; a second call while it runs does nothing. */
  async run(config: ConsumerRunConfig = {}): Promise<void> {
    this.#connected();
    if (this.#run !== null) return;
    this.#isStopped = false;
    this.#run = this.#keepRunning(config);
  }

  /** Lets the handlers that run finish, commits and leaves the group. */
  async stop(): Promise<void> {
    if (this.#run === null) return;
    this.#isStopped = true;
    await this.#consumer?.close();
    await this.#run;
    this.#run = null;
    this.#emitter.emit(EVENTS.STOP);
  }

  /** Goes on from an offset; also before the partition is assigned. */
  seek({ topic, partition, offset }: { topic: string; partition: number; offset: string }): void {
    const target = Number(offset);
    if (!Number.isInteger(target) || (target < 0 && target !== -1 && target !== -2)) {
      throw new KafkaJSNonRetriableError(`Offset must be a number, got "${offset}"`);
    }
    if (this.#isAssigned({ topic, partition })) this.#seekNow({ topic, partition }, target);
    else this.#seeks.set(`${topic}-${partition}`, target);
  }

  pause(topics: readonly TopicPartitions[]): void {
    this.#paused.pause(topics);
    this.#applyPauses();
  }

  resume(topics: readonly TopicPartitions[]): void {
    this.#paused.resume(topics);
    this.#applyPauses();
  }

  /** What is assigned and paused. */
  paused(): { topic: string; partitions: number[] }[] {
    const byTopic = new Map<string, number[]>();
    for (const place of this.#consumer?.assignment ?? []) {
      if (this.#paused.has(place))
        byTopic.set(place.topic, [...(byTopic.get(place.topic) ?? []), place.partition]);
    }
    return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
  }

  /** Stores offsets, which name the next record to read. */
  async commitOffsets(topicPartitions: readonly TopicPartitionOffsetAndMetadata[]): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === null)
      throw new KafkaJSNonRetriableError(
        'Consumer group was not initialized, consumer#run must be called first',
      );
    const offsets = topicPartitions.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: Number(offset),
      ...(metadata !== undefined && metadata !== null && { metadata }),
    }));
    await translated(() => consumer.commit(offsets));
  }

  async describeGroup(): Promise<GroupDescription> {
    const { groupId } = this.#config;
    const described = await translated(() => this.#connected().admin().groups.members([groupId]));
    return describeGroup(groupId, described.get(groupId)!);
  }

  #connected(): Ottla {
    if (this.#handle === null)
      throw new KafkaJSNonRetriableError('The consumer is not connected: await consumer.connect() first');
    return this.#handle;
  }

  /** Consumes; after a failure that may pass it begins anew, as kafkajs restarts. Never rejects. */
  async #keepRunning(config: ConsumerRunConfig): Promise<void> {
    const { retry } = this.#config;
    const waitMs = retry?.initialRetryTime ?? INITIAL_RETRY_MS;
    while (!this.#isStopped) {
      try {
        await this.#consume(config);
        return;
      } catch (failure) {
        const error = asKafkaJSError(failure);
        const restart = await this.#mayRestart(error);
        this.#shared.logger.error(`Crash: ${error.name}: ${error.message}`, {
          groupId: this.#config.groupId,
        });
        this.#emitter.emit(EVENTS.CRASH, { error, groupId: this.#config.groupId, restart });
        if (!restart || this.#isStopped) return;
        await sleep(this.#shared.clock, waitMs, []);
      }
    }
  }

  /** Asks the program; one that cannot tell has it restarted, as kafkajs does. */
  async #mayRestart(error: ReturnType<typeof asKafkaJSError>): Promise<boolean> {
    const { restartOnFailure } = this.#config.retry ?? {};
    if (restartOnFailure === undefined) return true;
    try {
      return await restartOnFailure(error);
    } catch (failure) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      this.#shared.logger.error(`restartOnFailure failed, restarting: ${reason}`, {
        groupId: this.#config.groupId,
      });
      return true;
    }
  }

  async #consume(config: ConsumerRunConfig): Promise<void> {
    const sources = [...this.#subscribed.keys()].map((name) =>
      declareTopic(name, { key: bytes, value: bytes }),
    );
    const consumer: ClientConsumer = this.#connected().consumer(sources as never, this.#options(config));
    this.#consumer = consumer;
    try {
      if (config.eachBatch !== undefined)
        await this.#batches(consumer, { ...config, eachBatch: config.eachBatch });
      else await this.#messages(consumer, config);
    } finally {
      this.#consumer = null;
      await consumer.close();
    }
  }

  #options(config: ConsumerRunConfig): ConsumerOptions {
    const own = this.#config;
    const commitsItself = config.eachBatch !== undefined || config.autoCommit === false;
    return {
      group: own.groupId,
      assignors: [roundRobinAssigner],
      from: [...this.#subscribed.values()].every(({ fromBeginning }) => fromBeginning)
        ? 'earliest'
        : 'latest',
      commit: commitsItself ? 'manual' : 'auto',
      autoCommitIntervalMs: config.autoCommitInterval ?? COMMIT_INTERVAL_MS,
      isolationLevel: own.readUncommitted === true ? 'read_uncommitted' : 'read_committed',
      sessionTimeoutMs: own.sessionTimeout ?? SESSION_TIMEOUT_MS,
      heartbeatIntervalMs: own.heartbeatInterval,
      maxPollIntervalMs: Math.max(own.rebalanceTimeout ?? 0, MAX_POLL_INTERVAL_MS),
      fetchMinBytes: own.minBytes,
      fetchMaxBytes: own.maxBytes ?? MAX_BYTES,
      maxPartitionFetchBytes: own.maxBytesPerPartition,
      fetchMaxWaitMs: own.maxWaitTimeInMs ?? MAX_WAIT_MS,
      allowAutoTopicCreation: own.allowAutoTopicCreation,
      onAssigned: (partitions) => this.#onAssigned(partitions),
      onRevoked: () => this.#emitter.emit(EVENTS.REBALANCING, this.#member()),
    };
  }

  async #onAssigned(partitions: readonly TopicPartition[]): Promise<void> {
    const isMixed =
      new Set([...this.#subscribed.values()].map(({ fromBeginning }) => fromBeginning)).size > 1;
    if (isMixed) await this.#beginWhereAsked(partitions);
    for (const place of partitions) {
      const id = `${place.topic}-${place.partition}`;
      const target = this.#seeks.get(id);
      if (target === undefined) continue;
      this.#seeks.delete(id);
      this.#seekNow(place, target);
    }
    this.#applyPauses();
    const memberAssignment: Assignment = {};
    for (const { topic, partition } of this.#consumer?.assignment ?? [])
      (memberAssignment[topic] ??= []).push(partition);
    this.#emitter.emit(EVENTS.GROUP_JOIN, {
      ...this.#member(),
      groupProtocol: roundRobinAssigner.name,
      memberAssignment,
    });
  }

  /** Topics with different answers to `fromBeginning`: those that begin at the beginning do so unless something is committed. */
  async #beginWhereAsked(partitions: readonly TopicPartition[]): Promise<void> {
    const consumer = this.#consumer;
    if (consumer === null) return;
    const early = partitions.filter(({ topic }) => this.#subscribed.get(topic)?.fromBeginning === true);
    for (const { topic, partition, offset } of await consumer.committed(early))
      if (offset === null) consumer.seek({ topic, partition }, 'beginning');
  }

  #member(): { groupId: string; memberId: string; generationId: number } {
    const { groupId } = this.#config;
    const metadata = this.#consumer?.groupMetadata;
    return { groupId, memberId: metadata?.memberId ?? '', generationId: metadata?.generationId ?? -1 };
  }

  #messages(consumer: ClientConsumer, config: ConsumerRunConfig): Promise<void> {
    const { eachMessage, autoCommitThreshold = null } = config;
    const retries = this.#config.retry?.retries ?? RETRIES;
    let sinceCommit = 0;
    return consumer.each(
      async (message) => {
        await eachMessage?.({
          topic: message.topic,
          partition: message.partition,
          message: kafkaMessage(message),
          heartbeat: () => Promise.resolve(),
          pause: () => this.#pauseOne(message),
        });
        sinceCommit += 1;
        if (config.autoCommit === false || autoCommitThreshold === null || sinceCommit < autoCommitThreshold)
          return;
        sinceCommit = 0;
        await consumer.commit();
      },
      {
        concurrency: Math.max(1, config.partitionsConsumedConcurrently ?? 1),
        orderBy: 'partition',
        onError: {
          retry: {
            attempts: retries,
            backoffMs: this.#config.retry?.initialRetryTime ?? INITIAL_RETRY_MS,
            maxBackoffMs: this.#config.retry?.maxRetryTime ?? MAX_RETRY_MS,
          },
        },
      },
    );
  }

  #batches(
    consumer: ClientConsumer,
    config: ConsumerRunConfig & { readonly eachBatch: NonNullable<ConsumerRunConfig['eachBatch']> },
  ): Promise<void> {
    const details = ({
      batch,
    }: {
      batch: {
        topic: string;
        partition: number;
        messages: readonly unknown[];
        highWatermark: string;
        offsetLag(): string;
        offsetLagLow(): string;
        firstOffset(): string | null;
        lastOffset(): string;
      };
    }) => ({
      topic: batch.topic,
      partition: batch.partition,
      highWatermark: batch.highWatermark,
      offsetLag: batch.offsetLag(),
      offsetLagLow: batch.offsetLagLow(),
      batchSize: batch.messages.length,
      firstOffset: batch.firstOffset(),
      lastOffset: batch.lastOffset(),
    });
    return new BatchRunner({
      consumer,
      config: {
        ...config,
        eachBatch: (payload) => {
          if (this.#emitter.has(EVENTS.START_BATCH_PROCESS))
            this.#emitter.emit(EVENTS.START_BATCH_PROCESS, details(payload));
          return config.eachBatch(payload);
        },
      },
      isRunning: () => !this.#isStopped,
      nowMs: () => this.#shared.clock.monotonicMs(),
      pause: (place) => this.#pauseOne(place),
      onBatch: (payload, duration) => {
        if (this.#emitter.has(EVENTS.END_BATCH_PROCESS))
          this.#emitter.emit(EVENTS.END_BATCH_PROCESS, { ...details(payload), duration });
      },
      onCommit: ({ topics }: Offsets) =>
        this.#emitter.emit(EVENTS.COMMIT_OFFSETS, { ...this.#member(), topics }),
    }).run();
  }

  #pauseOne({ topic, partition }: TopicPartition | Message): () => void {
    const places = [{ topic, partitions: [partition] }];
    this.pause(places);
    return () => this.resume(places);
  }

  #isAssigned(place: TopicPartition): boolean {
    return (this.#consumer?.assignment ?? []).some(
      ({ topic, partition }) => topic === place.topic && partition === place.partition,
    );
  }

  /** -1 and -2 are the ends of the log, as in kafkajs. */
  #seekNow(place: TopicPartition, target: number): void {
    this.#consumer?.seek(place, target === -1 ? 'end' : target === -2 ? 'beginning' : target);
  }

  #applyPauses(): void {
    const consumer = this.#consumer;
    if (consumer === null) return;
    const { assignment } = consumer;
    consumer.pause(assignment.filter((place) => this.#paused.has(place)));
    consumer.resume(consumer.paused.filter((place) => !this.#paused.has(place)));
  }
}
