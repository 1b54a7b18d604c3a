import type { CompressionType } from '@ottla/protocol';
import type { Ottla } from '../connect.ts';
import type { Producer as ClientProducer } from '../producer/producer.ts';
import type { HeadersInput } from '../producer/record-input.ts';
import type { Transaction as ClientTransaction } from '../producer/transaction.ts';
import type { PartitionerInput } from '../producer/partitioner.ts';
import { CompressionTypes } from './constants.ts';
import type { IHeaders, Offsets } from './consumer-types.ts';
import { KafkaJSNonRetriableError, translated } from './errors.ts';
import {
  EventEmitter,
  type InstrumentationEvent,
  type RemoveInstrumentationEventListener,
} from './events.ts';
import type { SharedConfig } from './handle.ts';
import type { KafkaJSLogger } from './logger.ts';
import type {
  ICustomPartitioner,
  Message,
  ProducerBatch,
  ProducerConfig,
  ProducerRecord,
  RecordMetadata,
  Sender,
  Transaction,
} from './producer-types.ts';

const EVENTS = { CONNECT: 'producer.connect', DISCONNECT: 'producer.disconnect' } as const;

const NAMES: Readonly<Record<CompressionTypes, CompressionType>> = {
  [CompressionTypes.None]: 'none',
  [CompressionTypes.GZIP]: 'gzip',
  [CompressionTypes.Snappy]: 'snappy',
  [CompressionTypes.LZ4]: 'lz4',
  [CompressionTypes.ZSTD]: 'zstd',
};

/** Where messages go: a producer, or a transaction of one. */
interface Target {
  readonly send: ClientProducer['send'];
  /** See `Producer.room`. */
  readonly room: ClientProducer['room'];
}

/**
 * kafkajs's producer over the client's. What kafkajs says with each call, acks and compression, is said once by a producer of the
 * client, so there is one for each combination that is used.
 */
export class Producer implements Sender {
  readonly events = EVENTS;
  readonly #shared: SharedConfig;
  readonly #config: ProducerConfig;
  readonly #emitter: EventEmitter<typeof EVENTS>;
  readonly #producers = new Map<string, ClientProducer>();
  #handle: Ottla | null = null;

  /** Use `kafka.producer()`. */
  constructor(shared: SharedConfig, config: ProducerConfig = {}) {
    if (config.idempotent === false && config.transactionalId !== undefined) {
      throw new KafkaJSNonRetriableError('Cannot provide transactionalId with idempotent: false');
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

  /** Sends what is on its way and closes. */
  async disconnect(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    this.#producers.clear();
    await translated(async () => handle?.close());
    this.#emitter.emit(EVENTS.DISCONNECT);
  }

  isIdempotent(): boolean {
    return this.#config.idempotent ?? this.#config.transactionalId !== undefined;
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

  /** Resolves with one entry for each partition that got messages; with acks 0 there is none. */
  async send(record: ProducerRecord): Promise<RecordMetadata[]> {
    const { topic, messages, ...options } = record;
    return this.sendBatch({ ...options, topicMessages: [{ topic, messages }] });
  }

  async sendBatch(batch: ProducerBatch): Promise<RecordMetadata[]> {
    this.#refuseInTransactions();
    const { acks = -1, compression = CompressionTypes.None } = batch;
    if (this.isIdempotent() && acks !== -1) {
      throw new KafkaJSNonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      );
    }
    const producer = this.#producerFor(acks, compression);
    return sendAll(producer, batch);
  }

  /** Begins a transaction; needs `transactionalId`. */
  async transaction(): Promise<Transaction> {
    if (this.#config.transactionalId === undefined) {
      throw new KafkaJSNonRetriableError('Must provide transactional id for transactional producer');
    }
    const producer = this.#producerFor(-1, CompressionTypes.None);
    return kafkaTransaction(await translated(() => producer.begin()), producer);
  }

  #refuseInTransactions(): void {
    if (this.#config.transactionalId === undefined) return;
    throw new KafkaJSNonRetriableError(
      'Cannot send outside of a transaction: await producer.transaction() first',
    );
  }

  #producerFor(acks: number, compression: CompressionTypes): ClientProducer {
    const handle = this.#handle;
    if (handle === null)
      throw new KafkaJSNonRetriableError('The producer is disconnected: await producer.connect() first');
    const id = `${acks}/${compression}`;
    const known = this.#producers.get(id);
    if (known !== undefined) return known;
    if (acks !== -1 && acks !== 0 && acks !== 1)
      throw new KafkaJSNonRetriableError(`acks "${acks}" is none of -1, 0 and 1`);
    const { createPartitioner, transactionalId, transactionTimeout, maxInFlightRequests } = this.#config;
    const producer = handle.producer({
      acks,
      // Kafka's own default; kafkajs leaves duplicates after retries to the program.
      ...(acks === -1 && { idempotence: true }),
      compression: NAMES[compression] ?? 'none',
      // kafkajs sends each call at once.
      lingerMs: 0,
      transactionalId,
      transactionTimeoutMs: transactionTimeout,
      maxInFlightRequests: maxInFlightRequests === undefined ? undefined : Math.min(5, maxInFlightRequests),
      allowAutoTopicCreation: this.#config.allowAutoTopicCreation,
      partitioner: createPartitioner === undefined ? undefined : partitionerOf(createPartitioner),
    });
    this.#producers.set(id, producer);
    return producer;
  }
}

/** A kafkajs partitioner sees partitions that have a leader and those that have none; more is not known here. */
function partitionerOf(create: ICustomPartitioner): (record: PartitionerInput) => number {
  const partitioner = create();
  return ({ topic, key, value, partitionCount, availablePartitions }) => {
    const available = new Set(availablePartitions);
    const partitionMetadata = Array.from({ length: partitionCount }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: available.has(partitionId) ? 0 : -1,
      replicas: [],
      isr: [],
    }));
    const message = { key: key as Buffer | null, value: value as Buffer | null };
    return partitioner({ topic, partitionMetadata, message });
  };
}

async function sendAll(target: Target, batch: ProducerBatch): Promise<RecordMetadata[]> {
  const { topicMessages = [], acks = -1 } = batch;
  // All are looked at before the first one is sent.
  const records = topicMessages.flatMap(({ topic, messages }) => {
    if (typeof topic !== 'string' || topic === '') throw new KafkaJSNonRetriableError('Invalid topic');
    if (!Array.isArray(messages))
      throw new KafkaJSNonRetriableError(`Invalid messages array [${String(messages)}] for topic "${topic}"`);
    return messages.map((message: Message) => ({ topic, record: recordOf(topic, message) }));
  });
  const places = await translated(() => sendEach(target, records));
  if (acks === 0) return [];
  const first = new Map<string, { topicName: string; partition: number; offset: number }>();
  for (const { topic, partition, offset } of places) {
    const id = `${partition}/${topic}`;
    const known = first.get(id);
    if (known === undefined) first.set(id, { topicName: topic, partition, offset });
    else if (offset < known.offset) known.offset = offset;
  }
  return [...first.values()].map(({ topicName, partition, offset }) => ({
    topicName,
    partition,
    errorCode: 0,
    baseOffset: String(offset),
    logAppendTime: '-1',
    logStartOffset: '0',
  }));
}

/** However many they are, no more wait in memory than there is room for. Rejects with the first failure. */
async function sendEach(
  target: Target,
  records: readonly { readonly topic: string; readonly record: ReturnType<typeof recordOf> }[],
) {
  const sent: ReturnType<Target['send']>[] = [];
  let hasFailed = false;
  for (const { topic, record } of records) {
    const each = target.send(topic, record);
    each.catch(() => (hasFailed = true));
    sent.push(each);
    await target.room();
    if (hasFailed) break;
  }
  return Promise.all(sent);
}

function recordOf(topic: string, message: Message) {
  if (message?.value === undefined) {
    throw new KafkaJSNonRetriableError(
      `Invalid message without value for topic "${topic}": ${JSON.stringify(message)}`,
    );
  }
  const { key = null, value, partition, headers, timestamp } = message;
  return {
    key,
    value,
    ...(partition !== undefined && { partition }),
    ...(timestamp !== undefined && { timestamp: Number(timestamp) }),
    ...(headers !== undefined && { headers: headersOf(headers) }),
  };
}

function headersOf(headers: IHeaders): HeadersInput {
  return Object.entries(headers).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return (Array.isArray(value) ? value : [value]).map((each) => [name, each] as const);
  });
}

function kafkaTransaction(transaction: ClientTransaction, producer: ClientProducer): Transaction {
  const target: Target = {
    send: (topic, record) => transaction.send(topic, record),
    room: () => producer.room(),
  };
  const sendBatch = (batch: ProducerBatch): Promise<RecordMetadata[]> => sendAll(target, batch);
  return {
    send: ({ topic, messages, ...options }) =>
      sendBatch({ ...options, topicMessages: [{ topic, messages }] }),
    sendBatch,
    sendOffsets: ({ consumerGroupId, topics }: Offsets & { readonly consumerGroupId: string }) =>
      translated(() =>
        transaction.sendOffsets(
          topics.flatMap(({ topic, partitions }) =>
            partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
          ),
          consumerGroupId,
        ),
      ),
    commit: () => translated(() => transaction.commit()),
    abort: () => translated(() => transaction.abort()),
    isActive: () => transaction.isOpen,
  };
}
