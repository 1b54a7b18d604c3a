import type { Clock, Logger, TimerHandle } from '@ottla/platform';
import { type BatchSummary, ErrorCodes, readBatchSummary, ZERO_UUID } from '@ottla/protocol';
import {
  type Log,
  LogError,
  type LogManager,
  type LogReadResult,
  type VerificationGuard,
} from '@ottla/storage';
import {
  ConfigResourceType,
  type MetadataDelta,
  type MetadataImage,
  type MetadataListener,
  type TopicImage,
} from '../metadata/image.ts';
import {
  type AppendOptions,
  type AppendRequest,
  type AppendResult,
  failedAppend,
  type TopicPartition,
  appendWaitMs,
} from './append.ts';
import { DelayedProduce } from './delayed-produce.ts';
import { FetchOperation, type FetchHost, type FetchParams } from './fetch-operation.ts';
import { LogDirMoves } from './log-dir-moves.ts';
import { Partition, type PartitionHost, type PartitionWaiter } from './partition.ts';
import type { PartitionConfigSource } from './partition-config.ts';
import type { FetchTarget } from './partition-read.ts';
import { TurnQueue } from './turn-queue.ts';
import { CLUSTER_METADATA_TOPIC, isInternalTopic } from '../controller/topic-names.ts';

export type { AppendOptions, AppendRequest, AppendResult, TopicPartition } from './append.ts';

/** The part of the replica manager that the coordinators use. The produce and fetch handlers use more of it. */
export interface CoordinatorLogAccess {
  /** Appends a batch that a coordinator built; resolves when it is committed (durable and below the high watermark). */
  append(request: AppendRequest, options: AppendOptions): Promise<AppendResult>;
  /**
   * Reads a partition from its log start to its end in bounded pieces, for replay after a restart.
   * `onBatches` gets whole batches with their summaries in offset order.
   */
  scan(
    partition: TopicPartition,
    onBatches: (records: Buffer, summaries: readonly BatchSummary[]) => void | Promise<void>,
  ): Promise<void>;
}

export interface ReplicaManagerOptions {
  readonly nodeId: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logManager: LogManager;
  readonly configFor: PartitionConfigSource;
  /** The image that requests are judged by. */
  readonly image: () => MetadataImage;
  /** `replica.alter.log.dirs.io.max.bytes.per.second` as it is now; unlimited by default. */
  readonly moveBytesPerSecond?: () => number;
  /** The log of a partition lies in another directory than the metadata says. */
  readonly onDirectoryChange?: (partition: Partition, directoryId: string) => void;
}

const SCAN_BYTES = 1024 * 1024;

/**
 * The partitions this broker hosts, kept in step with the metadata image: creates and removes logs, takes leadership,
 * routes appends and fetches, and answers with Kafka's error when a partition is not here.
 */
export class ReplicaManager implements CoordinatorLogAccess, MetadataListener, PartitionHost, FetchHost {
  readonly nodeId: number;
  readonly clock: Clock;
  readonly logManager: LogManager;
  readonly #options: ReplicaManagerOptions;
  /** By topic name, then partition number. */
  readonly #topics = new Map<string, (Partition | undefined)[]>();
  readonly #turn = new TurnQueue();
  readonly #moves: LogDirMoves;
  #deadlineTimer: TimerHandle | null = null;
  #nextDeadlineMs = Number.POSITIVE_INFINITY;
  #isClosed = false;
  /** A topic with the name of the metadata log that was warned of. */
  #metadataTopicId: string | null = null;

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.clock = options.clock;
    this.logManager = options.logManager;
    this.#moves = new LogDirMoves({
      clock: options.clock,
      logger: options.logger,
      logManager: options.logManager,
      bytesPerSecond: options.moveBytesPerSecond ?? (() => Infinity),
      onMoved: (partition) => this.#onMoved(partition),
    });
  }

  /** Hosts everything that the image assigns to this broker. None of it is new: its records are where an earlier run has put them. */
  start(image: MetadataImage): void {
    for (const topic of image.topics.byId.values()) this.#applyTopic(topic, false);
    for (const log of this.logManager.allLogs()) this.#warnOfStray(log, image);
    for (const { topicPartition } of this.logManager.allFutures()) {
      const { topic, partition } = topicPartition;
      const hosted = this.#topics.get(topic)?.[partition];
      if (hosted !== undefined) this.#moves.resume(hosted);
    }
  }

  onMetadataChange(delta: MetadataDelta, image: MetadataImage): void {
    for (const topic of delta.deletedTopics.values()) this.#removeTopic(topic);
    for (const topicId of delta.changedTopicIds) {
      const topic = image.topics.byId.get(topicId);
      if (topic !== undefined) this.#applyTopic(topic, true);
    }
    for (const key of delta.changedConfigs) this.#applyConfig(key);
  }

  /** The partition, or Kafka's error: offline, known but not here, unknown. */
  partition(topic: string, partition: number): Partition | number {
    const hosted = this.#topics.get(topic)?.[partition];
    if (hosted !== undefined) return hosted;
    const isKnown = this.#options.image().topics.byName.get(topic)?.partitions[partition] !== undefined;
    return isKnown ? ErrorCodes.NOT_LEADER_OR_FOLLOWER : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  }

  lookup(target: FetchTarget): Partition | number {
    const partition = this.partition(target.topic, target.partition);
    if (typeof partition === 'number') return partition;
    const isOtherTopic = target.topicId !== ZERO_UUID && target.topicId !== partition.topicId;
    return isOtherTopic ? ErrorCodes.INCONSISTENT_TOPIC_ID : partition;
  }

  /**
   * Appends to several partitions; the results keep the order of the requests. At once unless acks=all has to wait.
   * Everything is appended when this returns, whatever is still to be waited for.
   */
  appendAll(
    requests: readonly AppendRequest[],
    options: AppendOptions,
    internalTopicsAllowed: boolean,
  ): AppendResult[] | Promise<AppendResult[]> {
    const results: AppendResult[] = [];
    let delayed: DelayedProduce | null = null;
    for (const request of requests) {
      const partition = this.#appendTarget(request, internalTopicsAllowed);
      if (typeof partition === 'number') {
        results.push(failedAppend(partition));
        continue;
      }
      const result = partition.append(request, options);
      results.push(result);
      if (result.errorCode !== 0 || partition.isAcknowledged(result.lastOffset, options.acks)) continue;
      delayed ??= new DelayedProduce(results);
      const deadlineMs = this.clock.monotonicMs() + appendWaitMs(options.timeoutMs);
      const place = { index: results.length - 1, deadlineMs };
      if (partition.waitForCommit(result.lastOffset + 1, delayed, place)) {
        delayed.expectOneMore();
        this.#watchDeadline(deadlineMs);
      }
    }
    return delayed === null ? results : delayed.result;
  }

  /**
   * Resolves when the partition's high watermark is at `offset`, at once when the log does not reach so far, and after
   * `timeoutMs` in any case. What acks=1 has acknowledged may be a flush away from it, where Kafka's single broker has no
   * such gap: whoever asks where a log ends waits for the flush.
   */
  whenCommitted(partition: Partition, offset: number, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiter = { onCommitted: () => resolve() };
      const deadlineMs = this.clock.monotonicMs() + timeoutMs;
      const isThere = offset <= (partition.log?.logEndOffset ?? -1);
      if (!isThere || !partition.waitForCommit(offset, waiter, { index: 0, deadlineMs })) return resolve();
      this.#watchDeadline(deadlineMs);
    });
  }

  async append(request: AppendRequest, options: AppendOptions): Promise<AppendResult> {
    const results = await this.appendAll([request], options, options.origin === 'coordinator');
    return results[0]!;
  }

  async appendMarkers(requests: readonly AppendRequest[], timeoutMs: number): Promise<AppendResult[]> {
    return this.appendAll(requests, { acks: -1, timeoutMs, origin: 'coordinator' }, true);
  }

  isTransactionEnded(place: TopicPartition, producerId: number, producerEpoch: number): boolean {
    return this.#logOf(place)?.transactions.isEnded(producerId, producerEpoch) === true;
  }

  isTransactionOpen(place: TopicPartition, producerId: number, producerEpoch: number): boolean {
    return this.#logOf(place)?.transactions.isOpen(producerId, producerEpoch) === true;
  }

  /**
   * Begins to verify that a partition is part of a producer's transaction; null when nothing has to be verified, because
   * the transaction is open there already or the append will be refused anyway.
   */
  startVerification(
    place: TopicPartition,
    producerId: number,
    producerEpoch: number,
  ): VerificationGuard | null {
    return this.#logOf(place)?.transactions.startVerification(producerId, producerEpoch) ?? null;
  }

  #logOf({ topic, partition }: TopicPartition): Log | null {
    const hosted = this.partition(topic, partition);
    return typeof hosted === 'number' ? null : hosted.log;
  }

  /** Deletes what lies before an offset of a partition that is led here; what cannot be deleted now stays for the next time. */
  trim(topic: string, partition: number, beforeOffset: number): void {
    const hosted = this.partition(topic, partition);
    if (typeof hosted !== 'number') hosted.deleteRecords(beforeOffset);
  }

  /**
   * Moves a partition's log to another of `log.dirs` (KIP-113): begins it and returns 0, or Kafka's error. A partition that is
   * not there yet will be created in that directory.
   */
  alterLogDir({ topic, partition }: TopicPartition, path: string): number {
    const state = this.logManager.directoryState(path);
    if (state !== 'online') {
      return state === 'unknown' ? ErrorCodes.LOG_DIR_NOT_FOUND : ErrorCodes.KAFKA_STORAGE_ERROR;
    }
    const hosted = this.partition(topic, partition);
    if (typeof hosted === 'number') {
      this.logManager.preferDirectory({ topic, partition }, path);
      return hosted;
    }
    if (hosted.log === null) return ErrorCodes.KAFKA_STORAGE_ERROR;
    try {
      this.#moves.start(hosted, hosted.log, path);
      return ErrorCodes.NONE;
    } catch (error) {
      if (error instanceof LogError) return error.errorCode;
      throw error;
    }
  }

  #onMoved(partition: Partition): void {
    const { log, topic, partition: index } = partition;
    if (log === null) return;
    this.#options.logger.info(
      { topic, partition: index, folder: log.folder },
      'A log was moved to another directory',
    );
    this.#options.onDirectoryChange?.(partition, log.directoryId);
  }

  /** Starts a fetch; the caller runs it. */
  fetch(params: FetchParams, targets: readonly FetchTarget[]): FetchOperation {
    return new FetchOperation(this, params, targets);
  }

  async scan(
    { topic, partition }: TopicPartition,
    onBatches: (records: Buffer, summaries: readonly BatchSummary[]) => void | Promise<void>,
  ): Promise<void> {
    const readable = (): Log => {
      const log = this.#logOf({ topic, partition });
      if (log === null) throw new Error(`Partition "${topic}-${partition}" is not readable on this broker`);
      return log;
    };
    let log = readable();
    let offset = log.logStartOffset;
    // The log may be moved to another directory on the way.
    for (; offset < log.logEndOffset; log = readable()) {
      const read = await this.#readForScan(log, offset);
      if (read === null) continue;
      if (read.sizeInBytes === 0) return;
      // Copied, since what is replayed may keep slices of the records.
      const pieces = read.batches.map((piece) => Buffer.from(piece));
      read.lease?.release();
      for (const piece of pieces) await onBatches(piece, summariesOf(piece));
      offset = read.nextOffset;
    }
  }

  /** Null when another log has taken the place of this one. */
  async #readForScan(log: Log, offset: number): Promise<LogReadResult | null> {
    try {
      return await log.read(offset, {
        maxBytes: SCAN_BYTES,
        upToOffset: log.logEndOffset,
        minOneMessage: true,
      });
    } catch (error) {
      const now = this.#logOf(log.topicPartition);
      if (now !== null && now !== log) return null;
      throw error;
    }
  }

  requestFlush(partition: Partition): void {
    this.#turn.flush(partition);
  }

  wake(waiter: PartitionWaiter): void {
    this.#turn.wake(waiter);
  }

  onFlushFailed(partition: Partition, error: unknown): void {
    this.#options.logger.error(
      { topic: partition.topic, partition: partition.partition, err: error },
      'A flush failed',
    );
    partition.close(ErrorCodes.KAFKA_STORAGE_ERROR);
  }

  /** A log directory went offline: its partitions answer KAFKA_STORAGE_ERROR from now on. */
  onDirFailure(dir: string): void {
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions) {
        if (partition === undefined) continue;
        // The log of one that is offline already is none any more.
        const { log } = partition;
        if (log === null || log.parentDir === dir) partition.close(ErrorCodes.KAFKA_STORAGE_ERROR);
      }
    }
  }

  /** Ends all waits; logs stay open for the log manager to close. */
  close(): void {
    this.#isClosed = true;
    this.#moves.close();
    this.#deadlineTimer?.cancel();
    for (const partitions of this.#topics.values()) {
      for (const partition of partitions) partition?.close(ErrorCodes.NOT_LEADER_OR_FOLLOWER);
    }
    this.#turn.run();
  }

  #appendTarget(request: AppendRequest, internalTopicsAllowed: boolean): Partition | number {
    if (!internalTopicsAllowed && isInternalTopic(request.topic)) return ErrorCodes.INVALID_TOPIC_EXCEPTION;
    return this.partition(request.topic, request.partition);
  }

  #applyTopic(topic: TopicImage, isNew: boolean): void {
    // Written by a broker that let clients make it. Its folder is that of the metadata log, which must not be touched.
    if (topic.name === CLUSTER_METADATA_TOPIC) {
      this.#warnOfMetadataTopic(topic);
      return;
    }
    for (const image of topic.partitions) {
      if (!image.replicas.includes(this.nodeId)) {
        this.#removePartition(topic.name, image.partition);
        continue;
      }
      const known = this.#topics.get(topic.name)?.[image.partition];
      if (known !== undefined && known.topicId !== topic.id)
        this.#removePartition(topic.name, image.partition);
      const hosted = this.#topics.get(topic.name)?.[image.partition];
      const partition = hosted ?? this.#host(topic, image.partition, isNew);
      partition.applyImage(image);
    }
  }

  #host(topic: TopicImage, partitionIndex: number, isNew: boolean): Partition {
    const config = this.#options.configFor(topic.name);
    const log = this.#openLog(topic, partitionIndex, isNew);
    // Logs are loaded before the metadata log can be read: only now are the topic's own configs known.
    log?.updateConfig(config.log);
    const identity = { topic: topic.name, partition: partitionIndex, topicId: topic.id };
    const partition = new Partition(identity, this, { log, config });
    let partitions = this.#topics.get(topic.name);
    if (partitions === undefined) {
      partitions = [];
      this.#topics.set(topic.name, partitions);
    }
    partitions[partitionIndex] = partition;
    return partition;
  }

  /** Null when the log cannot be had: the partition is hosted, but offline. */
  #openLog(topic: TopicImage, partition: number, isNew: boolean): Log | null {
    const topicPartition = { topic: topic.name, partition };
    try {
      const found = this.logManager.get(topicPartition);
      // Left over from a topic of the same name whose deletion was not finished.
      const isNamesake = found !== undefined && found.topicId !== null && found.topicId !== topic.id;
      // An empty log in its place would give its offsets to other records, and stand in its way when the directory is back.
      if ((found === undefined || isNamesake) && !isNew && this.logManager.hasOfflineDirectory) {
        throw new LogError(
          ErrorCodes.KAFKA_STORAGE_ERROR,
          `The log of partition ${topic.name}-${partition} is in none of the log directories that can be used. Bring back ` +
            'the others, or delete the topic',
        );
      }
      if (isNamesake) this.logManager.asyncDelete(topicPartition);
      return this.logManager.getOrCreate(topicPartition, topic.id, this.#options.configFor(topic.name).log);
    } catch (error) {
      this.#options.logger.error(
        { topic: topic.name, partition, err: error },
        'A partition is offline because its log cannot be opened',
      );
      return null;
    }
  }

  #removeTopic(topic: TopicImage): void {
    const partitions = this.#topics.get(topic.name);
    if (partitions === undefined) return;
    for (let index = 0; index < partitions.length; index++) {
      if (partitions[index]?.topicId === topic.id) this.#removePartition(topic.name, index);
    }
  }

  #removePartition(topic: string, index: number): void {
    const partitions = this.#topics.get(topic);
    const partition = partitions?.[index];
    if (partitions === undefined || partition === undefined) return;
    partitions[index] = undefined;
    if (partitions.every((other) => other === undefined)) this.#topics.delete(topic);
    partition.close(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    try {
      this.logManager.asyncDelete({ topic, partition: index });
    } catch (error) {
      this.#options.logger.error(
        { topic, partition: index, err: error },
        'A deleted partition could not be removed',
      );
    }
  }

  #applyConfig(key: string): void {
    const slash = key.indexOf('/');
    const type = Number(key.slice(0, slash));
    const name = key.slice(slash + 1);
    if (type === ConfigResourceType.topic) this.#updateConfig(name);
    else if (type === ConfigResourceType.broker)
      for (const topic of this.#topics.keys()) this.#updateConfig(topic);
  }

  #updateConfig(topic: string): void {
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) return;
    const config = this.#options.configFor(topic);
    for (const partition of partitions) partition?.updateConfig(config);
  }

  #warnOfMetadataTopic({ name, id }: TopicImage): void {
    if (this.#metadataTopicId === id) return;
    this.#metadataTopicId = id;
    this.#options.logger.warn(
      { topic: name, topicId: id },
      'The cluster metadata has a topic with the name of the metadata log; it is not served, delete it',
    );
  }

  #warnOfStray(log: Log, image: MetadataImage): void {
    const { topic, partition } = log.topicPartition;
    if (
      topic.startsWith(CLUSTER_METADATA_TOPIC) ||
      image.topics.byName.get(topic)?.partitions[partition] !== undefined
    )
      return;
    this.#options.logger.warn(
      { folder: log.folder },
      'A log belongs to no partition of the cluster metadata; it is left alone',
    );
  }

  /** One timer serves all waiting appends: their time-outs are long and nearly always equal. */
  #watchDeadline(deadlineMs: number): void {
    if (deadlineMs >= this.#nextDeadlineMs || this.#isClosed) return;
    this.#deadlineTimer?.cancel();
    this.#nextDeadlineMs = deadlineMs;
    const delayMs = Math.max(1, deadlineMs - this.clock.monotonicMs());
    this.#deadlineTimer = this.clock.setTimer(delayMs, () => {
      this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
      const nowMs = this.clock.monotonicMs();
      let earliest = Number.POSITIVE_INFINITY;
      for (const partitions of this.#topics.values()) {
        for (const partition of partitions) {
          if (partition !== undefined) earliest = Math.min(earliest, partition.expireCommits(nowMs));
        }
      }
      this.#watchDeadline(earliest);
    });
  }
}

function summariesOf(piece: Buffer): BatchSummary[] {
  const summaries: BatchSummary[] = [];
  for (let position = 0; position < piece.length;) {
    const summary = readBatchSummary(piece, position);
    summaries.push(summary);
    position += summary.sizeInBytes;
  }
  return summaries;
}
