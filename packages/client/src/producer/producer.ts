import type { TimerHandle } from '@ottla/platform';
import type { ProducerCluster } from './producer-cluster.ts';
import { ClosedError, OptionError } from '../errors/client-errors.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import { onAbort } from '../network/abort.ts';
import { serde } from '../serde/serdes.ts';
import type { Serde } from '../serde/serde.ts';
import { BATCH_HEADER_BYTES } from '@ottla/protocol';
import { Accumulator } from './accumulator.ts';
import { recordBound } from './batch-builder.ts';
import { FailureLedger, type RecordMetadata } from './batch-outcome.ts';
import { IdempotenceGate } from './idempotence-gate.ts';
import { partitionOfKey, toBytes } from './partitioner.ts';
import { TopicQueues, type PartitionQueue } from './partition-queue.ts';
import {
  resolveProducerOptions,
  type ProducerOptions,
  type ResolvedProducerOptions,
} from './producer-options.ts';
import { exactBytesOf, maxBytesOf, type HeaderPair, type RecordBytes } from './record-bytes.ts';
import { headerPairs, type RecordInput, type SendOptions, type TopicToSend } from './record-input.ts';
import { SendWatch } from './send-watch.ts';
import { PendingRecord } from './pending-record.ts';
import { Sender } from './sender.ts';
import { NO_SEQUENCE } from './sequence-tracker.ts';
import { Transaction } from './transaction.ts';
import { TransactionGate } from './transaction-gate.ts';
import { TransactionRequests } from './transaction-requests.ts';
import { WaitingRecords, type Missing, type WaitingRecord } from './waiting-records.ts';

const NO_HEADERS: readonly HeaderPair[] = [];
let producerCount = 0;

/**
 * Sends records. `send` may be called in a hot loop without awaiting it: records gather in batches, and when the buffer is full the
 * returned promise settles later. A failure that nobody awaits is told by `flush` and `close`; only what is no record at all (it has
 * no form as bytes, or the producer is closed) is an unhandled rejection then.
 */
export class Producer implements AsyncDisposable {
  readonly #cluster: ProducerCluster;
  readonly #options: ResolvedProducerOptions;
  readonly #accumulator: Accumulator;
  readonly #gate: IdempotenceGate | TransactionGate;
  readonly #sender: Sender;
  readonly #ledger = new FailureLedger();
  readonly #topics = new Map<string, TopicQueues>();
  readonly #waiting: WaitingRecords;
  /** Interceptors and spans; null when there are none. */
  readonly #watch: SendWatch | null;
  /** What they have not been told of yet. */
  readonly #watched = new Set<Promise<void>>();
  readonly #lane: string;
  readonly #onClosed: () => void;
  readonly #stopWatching: () => void;
  #flushWaiters: (() => void)[] = [];
  #isFull = false;
  #fatal: KafkaError | null = null;
  #closing: Promise<void> | null = null;
  #isClosed = false;

  /** Use `ottla.producer()`. @throws OptionError for an option that is not valid */
  constructor(cluster: ProducerCluster, options: ProducerOptions = {}, onClosed: () => void = () => {}) {
    this.#cluster = cluster;
    this.#options = resolveProducerOptions(options, cluster.options);
    this.#onClosed = onClosed;
    producerCount += 1;
    this.#lane = `producer-${producerCount}`;
    this.#gate = this.#openGate();
    this.#accumulator = new Accumulator({
      options: this.#options,
      clock: cluster.options.clock,
      ledger: this.#ledger,
      onBatchClosed: () => this.#sender.wake(),
    });
    this.#sender = new Sender({
      cluster,
      options: this.#options,
      accumulator: this.#accumulator,
      gate: this.#gate,
      lane: this.#lane,
      queueOf: (topic, partition) => this.#topics.get(topic)!.partitions[partition]!,
      onProgress: () => this.#onProgress(),
    });
    this.#waiting = new WaitingRecords({
      cluster,
      options: this.#options,
      append: (record) => this.#append(record),
      missing: (record) => this.#missing(record),
      ledger: this.#ledger,
      onFailure: (error) => this.#onRecordFailed(error),
    });
    this.#watch = SendWatch.of({
      interceptors: this.#options.interceptors,
      tracer: cluster.options.tracer,
      logger: cluster.options.logger,
      clientId: cluster.options.clientId,
      transactionalId: this.#options.transactionalId,
    });
    this.#stopWatching = cluster.onMetadata(() => {
      this.#waiting.onMetadata();
      this.#sender.wake();
    });
  }

  /**
   * Sends a record; resolves with where it is stored once it has the acknowledgements that `acks` asks for. Rejects with what the
   * broker answered, TimeoutError when it was not acknowledged in time, SerdeError for a key or value that has no form as bytes,
   * BUFFER_EXHAUSTED when too many wait already.
   */
  send<K, V>(
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options: SendOptions = {},
  ): Promise<RecordMetadata> {
    if (this.#gate instanceof TransactionGate && !this.#gate.isOpenTransaction) {
      return Promise.reject(
        new KafkaError(
          'INVALID_TXN_STATE',
          'Begin a transaction first: producer.transaction(async (tx) => ...)',
          {
            retriable: false,
          },
        ),
      );
    }
    return this.sendNow(topic, record, options);
  }

  /** The same without a look at transactions, for them. */
  sendNow<K, V>(
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options: SendOptions = {},
  ): Promise<RecordMetadata> {
    return this.#watch === null
      ? this.#send(topic, record, options)
      : this.#sendWatched(this.#watch, topic, record, options);
  }

  /** The promise tells those who watch first, and is like any other for the application: a failure that nobody awaits is told by `flush`. */
  // oxlint-disable-next-line max-params -- as `send`, and who watches
  #sendWatched<K, V>(
    watch: SendWatch,
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options: SendOptions,
  ): Promise<RecordMetadata> {
    const watched = watch.begin(topic as TopicToSend<never, never>, record);
    const sent = this.#send(watched.topic, watched.record, options);
    const promise = new PendingRecord(this.#ledger);
    const told = sent.then(
      (metadata) => {
        watched.end(metadata);
        promise.follow(sent);
      },
      (error: Error) => {
        watched.end(error);
        promise.fail(error);
      },
    );
    this.#watched.add(told);
    void told.then(() => this.#watched.delete(told));
    return promise;
  }

  #send<K, V>(
    topic: TopicToSend<K, V>,
    record: RecordInput<K, V>,
    options: SendOptions,
  ): Promise<RecordMetadata> {
    let waiting: WaitingRecord;
    try {
      if (this.#isEnded) throw closedError();
      options.signal?.throwIfAborted();
      waiting = this.#encode(topic, record);
    } catch (error) {
      // There is no record of it yet; a transaction may go on without it.
      return Promise.reject(error as Error);
    }
    try {
      this.#throwIfFatal();
      this.#checkSize(waiting);
      if (!this.#waiting.isBehind(waiting) && this.#missing(waiting) === 'nothing') {
        const sent = this.#append(waiting);
        if (sent !== undefined) return sent;
      }
      return this.#waiting.add(waiting, options.signal);
    } catch (error) {
      const refused = new PendingRecord(this.#ledger);
      refused.fail(error as Error);
      this.#onRecordFailed(error as Error);
      return refused;
    }
  }

  /**
   * Resolves when no record waits for metadata or for room, at once when none does: for a loop that does not await each record, as
   * `sendMany`. Rejects with the signal's reason.
   */
  room(options: SendOptions = {}): Promise<void> {
    return this.#waiting.settled(options.signal);
  }

  /**
   * Sends many, waiting for room in between; resolves when all are stored. Rejects with the first failure, or with the reason of the
   * signal: what was sent before is then on its way all the same.
   */
  async sendMany<K, V>(
    topic: TopicToSend<K, V>,
    records: Iterable<RecordInput<K, V>> | AsyncIterable<RecordInput<K, V>>,
    options: SendOptions = {},
  ): Promise<{ readonly count: number }> {
    let count = 0;
    let failure: { readonly error: unknown } | null = null;
    let last: Promise<unknown> = Promise.resolve();
    for await (const record of records) {
      options.signal?.throwIfAborted();
      if (failure !== null) break;
      last = this.send(topic, record, options);
      last.catch((error: unknown) => (failure ??= { error }));
      count += 1;
      if (!this.#waiting.isEmpty) await this.room(options);
    }
    await this.#flushed(options.signal);
    await last.catch(() => {});
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
    return { count };
  }

  /** Sends what lingers and resolves when everything sent so far is answered. Rejects when a record failed that nobody awaited. */
  async flush(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#flushed(options.signal);
    this.#tellFailures();
  }

  /**
   * Runs `body` in a transaction: commits when it resolves, aborts when it rejects or a record failed, and then rejects with that
   * error. Needs the option `transactionalId`.
   */
  async transaction<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const transaction = await this.begin();
    try {
      const result = await body(transaction);
      if (transaction.isOpen) await transaction.commit();
      return result;
    } catch (error) {
      // It may have ended already, and one whose commit was not answered cannot be aborted.
      await transaction.abort().catch(() => {});
      throw error;
    }
  }

  /**
   * Begins a transaction that is committed or aborted by hand. One that failed is aborted first, and one whose end was not answered is
   * asked to end again. Rejects with PRODUCER_FENCED when another producer has taken over.
   */
  async begin(): Promise<Transaction> {
    this.#checkOpen();
    const gate = this.#gate;
    if (!(gate instanceof TransactionGate))
      throw new OptionError('Transactions need transactionalId: give one to producer()');
    if (gate.isUnfinished) await this.#flushed();
    return new Transaction({
      gate,
      generation: await gate.begin(),
      send: (topic, record, options) => this.sendNow(topic, record, options),
      flush: () => this.#flushed(),
      dropUnsent: (error) => this.#dropUnsent(error),
    });
  }

  /** Bytes of the buffer that are in use. */
  get bufferedBytes(): number {
    return this.#accumulator.pool.usedBytes;
  }

  /**
   * Sends what is left, aborts a transaction that is open and closes; what is not answered within `timeoutMs` (30 000 by default)
   * fails. Rejects when a record failed that nobody awaited. Idempotent.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? 30_000);
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    const { clock } = this.#cluster.options;
    const timer: { handle?: TimerHandle } = {};
    const timeout = new Promise<void>((resolve) => {
      timer.handle = clock.setTimer(timeoutMs, resolve);
    });
    try {
      if (this.#fatal === null && !this.#cluster.isClosed) await Promise.race([this.#finish(), timeout]);
    } finally {
      timer.handle?.cancel();
      this.#isClosed = true;
      this.#sender.close();
      this.#failRest(
        `The producer was closed before the record was acknowledged (timeoutMs ${timeoutMs}): give close more time, or await flush first`,
      );
      this.#stopWatching();
      this.#cluster.closeLane(this.#lane);
      this.#onClosed();
    }
    this.#tellFailures();
  }

  /** Whoever still waits is told: a transaction with such records cannot be committed, also by who is about to. */
  #failRest(text: string): void {
    if (!this.#waiting.isEmpty || this.#accumulator.undone.size > 0)
      this.#onRecordFailed(new ClosedError(text));
    this.#waiting.failAll(new ClosedError(text));
    this.#failUndone(() => new ClosedError(text));
    this.#onProgress();
  }

  /** Everything is answered, and no transaction is left open until its timeout. */
  async #finish(): Promise<void> {
    await this.#flushed();
    if (!(this.#gate instanceof TransactionGate)) return;
    await this.#gate.finish().catch((error: unknown) => {
      this.#cluster.options.logger.warn({ err: error }, 'The transaction that was open could not be ended');
    });
  }

  #openGate(): IdempotenceGate | TransactionGate {
    const cluster = this.#cluster;
    const options = this.#options;
    const onFatal = (error: KafkaError): void => this.#onFatal(error);
    const wake = (): void => this.#sender.wake();
    const { transactionalId } = options;
    if (transactionalId === null) return new IdempotenceGate({ cluster, options, onOpen: wake, onFatal });
    return new TransactionGate({
      requests: new TransactionRequests(cluster, options, transactionalId),
      wake,
      onFatal,
      onAbortable: (error) => this.#dropUnsent(error),
    });
  }

  #encode<K, V>(topic: TopicToSend<K, V>, record: RecordInput<K, V>): WaitingRecord {
    const isDeclared = typeof topic !== 'string';
    const name = isDeclared ? topic.name : topic;
    const { key, value, headers, partition } = record;
    const timestamp = record.timestamp ?? this.#cluster.options.clock.nowMs();
    if (!Number.isInteger(timestamp) || timestamp < 0)
      throw new OptionError(
        `timestamp "${String(timestamp)}" is not an integer of at least 0, in milliseconds`,
      );
    if (partition !== undefined && (!Number.isInteger(partition) || partition < 0))
      throw new OptionError(`partition "${String(partition)}" is not an integer of at least 0`);
    return {
      topic: name,
      partition: partition ?? -1,
      timestamp,
      key:
        key === undefined
          ? null
          : isDeclared
            ? fieldOf(topic.key, key, name, 'key')
            : rawField(key, name, 'key'),
      value: isDeclared ? fieldOf(topic.value, value, name, 'value') : rawField(value, name, 'value'),
      headers: headers === undefined ? NO_HEADERS : headerPairs(headers),
    };
  }

  /** As in Java a record that can never be sent is refused at once, by what it takes before it is compressed. */
  #checkSize({ key, value, headers, topic }: WaitingRecord): void {
    const { maxRequestSizeBytes, bufferMemoryBytes } = this.#options;
    const limit = Math.min(maxRequestSizeBytes, bufferMemoryBytes);
    if (BATCH_HEADER_BYTES + recordBound(key, value, headers, maxBytesOf) <= limit) return;
    const sizeBytes = BATCH_HEADER_BYTES + recordBound(key, value, headers, exactBytesOf);
    if (sizeBytes <= limit) return;
    const name = limit === maxRequestSizeBytes ? 'maxRequestSizeBytes' : 'bufferMemoryBytes';
    throw new KafkaError(
      'MESSAGE_TOO_LARGE',
      `A record for topic "${topic}" takes ${sizeBytes} bytes, above ${name} "${limit}": raise it, or send less`,
    );
  }

  /** What a record must wait for before it can go into a batch. */
  #missing({ topic, partition }: WaitingRecord): Missing {
    const queues = this.#queuesOf(topic);
    if (queues === undefined) return 'topic';
    return partition < queues.partitionCount ? 'nothing' : 'partition';
  }

  /**
   * The promise of the record when it went into a batch; undefined when there is no room. Its topic must be known.
   * @throws what a partitioner throws, OptionError for a partition of its that is not there
   */
  #append(record: WaitingRecord): Promise<RecordMetadata> | undefined {
    const queues = this.#topics.get(record.topic)!;
    const { timestamp, key, value, headers } = record;
    const isSticky = record.partition < 0 && key === null && this.#options.partitioner === undefined;
    const partition = isSticky ? queues.sticky.current(queues) : this.#partitionOf(record, queues);
    const queue = queues.partitions[partition]!;
    const sent = this.#accumulator.append(queue, timestamp, key, value, headers);
    if (sent === undefined) {
      this.#setFull(true);
      // Whoever waits for room wants what lingers to go.
      this.#hurry();
    } else if (isSticky) queues.sticky.onAppend(sizeOf(key) + sizeOf(value) + 20, queue.open === undefined);
    return sent;
  }

  #partitionOf(record: WaitingRecord, queues: TopicQueues): number {
    const { partition, topic, key, value } = record;
    if (partition >= 0) return partition;
    const { partitioner } = this.#options;
    const { partitionCount } = queues;
    if (partitioner === undefined) return partitionOfKey(key!, partitionCount);
    const availablePartitions = queues.partitions
      .map((queue) => queue.partition)
      .filter((each) => this.#hasLeader(topic, each));
    const chosen = partitioner({
      topic,
      key: toBytes(key),
      value: toBytes(value),
      partitionCount,
      availablePartitions,
    });
    if (Number.isInteger(chosen) && chosen >= 0 && chosen < partitionCount) return chosen;
    throw new OptionError(
      `The partitioner gave partition "${String(chosen)}" of topic "${topic}", which has ${partitionCount}: give an integer from 0 to ${partitionCount - 1}`,
    );
  }

  /** The queues of a topic; undefined until its partitions are known. */
  #queuesOf(name: string): TopicQueues | undefined {
    const known = this.#topics.get(name);
    const metadata = this.#cluster.metadata.topics.get(name);
    // Also one that is gone: records wait until it is there again, and are told when it does not come.
    if (metadata === undefined) return undefined;
    if (known !== undefined) {
      if (known.partitionCount !== metadata.partitions.length) known.resize(metadata.partitions.length);
      return known;
    }
    const queues = new TopicQueues(name, {
      random: this.#cluster.options.random,
      stickyBytes: this.#options.batchSizeBytes,
      isAdaptive: this.#options.adaptivePartitioning,
      hasLeader: (topic, partition) => this.#hasLeader(topic, partition),
    });
    queues.resize(metadata.partitions.length);
    this.#topics.set(name, queues);
    return queues;
  }

  #hasLeader(topic: string, partition: number): boolean {
    return (this.#cluster.partition(topic, partition)?.leaderId ?? -1) >= 0;
  }

  #onProgress(): void {
    if (this.#isFull && this.#accumulator.pool.availableBytes >= this.#options.batchSizeBytes)
      this.#setFull(false);
    if (!this.#waiting.isEmpty) this.#waiting.proceed();
    const waiters = this.#flushWaiters;
    this.#flushWaiters = [];
    for (const wake of waiters) wake();
  }

  /** A record was given up before it came into a batch: its transaction cannot be committed without it. */
  #onRecordFailed(error: Error): void {
    if (!(this.#gate instanceof TransactionGate)) return;
    this.#gate.onFailure(
      error instanceof KafkaError
        ? error
        : new KafkaError('UNKNOWN_SERVER_ERROR', error.message, { cause: error }),
    );
  }

  #setFull(isFull: boolean): void {
    if (this.#isFull === isFull) return;
    this.#isFull = isFull;
    this.#options.metrics.onFull?.(isFull);
  }

  #hurry(): void {
    this.#accumulator.hurry();
    this.#sender.wake();
  }

  /** Resolves when what is in the buffer and what waits for it now is answered. */
  async #flushed(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const watched = [...this.#watched];
    await this.#waiting.settled(signal);
    const pending = [...this.#accumulator.undone];
    const stop = signal === undefined ? null : onAbort(signal, () => this.#onProgress());
    if (pending.length > 0) this.#hurry();
    try {
      while (pending.some((batch) => !batch.isDone) && !this.#isClosed) {
        signal?.throwIfAborted();
        await new Promise<void>((resolve) => this.#flushWaiters.push(resolve));
      }
      // Parts of a batch that was split are new batches.
      if (pending.some((batch) => batch.outcome.isSplit)) await this.#flushed(signal);
      if (!this.#isClosed) await Promise.all(watched);
    } finally {
      stop?.();
    }
  }

  #tellFailures(): void {
    const failed = this.#ledger.take();
    if (failed === undefined) return;
    const { count, first } = failed;
    const cause =
      first instanceof KafkaError
        ? first
        : new KafkaError('UNKNOWN_SERVER_ERROR', first.message, { cause: first });
    const records = count === 1 ? '1 record was' : `${count} records were`;
    throw new KafkaError(cause.name, `${records} not sent: ${cause.message}`, {
      cause,
      retriable: cause.retriable,
    });
  }

  #checkOpen(): void {
    this.#throwIfFatal();
    if (this.#isEnded) throw closedError();
  }

  #throwIfFatal(): void {
    if (this.#fatal !== null) throw this.#fatal;
  }

  /** It takes nothing any more. */
  get #isEnded(): boolean {
    return this.#isClosed || this.#closing !== null || this.#cluster.isClosed;
  }

  /** Nothing can be sent any more: everything that waits fails. */
  #onFatal(error: KafkaError): void {
    this.#fatal ??= error;
    this.#waiting.failAll(error);
    const { name, message } = error;
    this.#failUndone(() => new KafkaError(name, message, { cause: error, retriable: false, fatal: true }));
    this.#onProgress();
  }

  /** Each batch has an error of its own: what was on the wire may be stored. */
  #failUndone(makeError: () => KafkaError): void {
    for (const batch of Array.from(this.#accumulator.undone)) {
      const error = makeError();
      error.mayBeStored = batch.mayBeStored || batch.openRequests > 0;
      const queue = this.#queueOfBatch(batch.outcome);
      this.#accumulator.drop(queue, batch);
      this.#gate.sequences?.forget(queue.sequences, batch);
      batch.outcome.fail(error, batch.recordCount);
      this.#accumulator.finish(batch);
    }
  }

  /** What was never sent fails: its transaction is lost or being aborted. */
  #dropUnsent(error: KafkaError): void {
    this.#waiting.failAll(error);
    for (const queue of Array.from(this.#accumulator.active)) {
      for (const batch of queue.batches.slice()) {
        if (batch.baseSequence !== NO_SEQUENCE) continue;
        this.#accumulator.drop(queue, batch);
        batch.outcome.fail(error, batch.recordCount);
        this.#accumulator.finish(batch);
      }
    }
    this.#onProgress();
  }

  #queueOfBatch({
    topic,
    partition,
  }: {
    readonly topic: string;
    readonly partition: number;
  }): PartitionQueue {
    return this.#topics.get(topic)!.partitions[partition]!;
  }
}

function closedError(): ClosedError {
  return new ClosedError('The producer is closed');
}

/** Text goes into the batch as it is, without a buffer of its own. */
function fieldOf<T>(codec: Serde<T>, field: T, topic: string, part: 'key' | 'value'): RecordBytes {
  if (typeof field === 'string' && (codec as Serde<unknown>) === serde.string) return field;
  return codec.serialize(field, { topic, part });
}

function rawField(field: unknown, topic: string, part: 'key' | 'value'): RecordBytes {
  if (field === null || typeof field === 'string' || field instanceof Uint8Array) return field;
  throw new OptionError(
    `The ${part} for topic "${topic}" is of type ${typeof field}: to a topic by name send text, bytes or null, or declare it with topic("${topic}", { ${part}: serde.json() })`,
  );
}

function sizeOf(field: RecordBytes): number {
  return field === null ? 0 : field.length;
}
