import {
  compress,
  ErrorCodes,
  errorName,
  isRetriable,
  type ErrorName,
  type ProduceResponse,
} from '@ottla/protocol';
import type { TimerHandle } from '@ottla/platform';
import { backoffMs } from '../cluster/backoff.ts';
import type { ProducerCluster } from './producer-cluster.ts';
import { TimeoutError } from '../errors/client-errors.ts';
import { brokerError, isRetriableError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { Accumulator } from './accumulator.ts';
import type { PartitionQueue, TopicQueues } from './partition-queue.ts';
import { leavesOpen, STALE_METADATA } from './produce-errors.ts';
import { answersOf, topicData, type BatchAnswer, type SentBatch } from './produce-request.ts';
import { NO_SEQUENCE, type SequenceTracker } from './sequence-tracker.ts';
import type { ProducerBatch } from './producer-batch.ts';
import type { ResolvedProducerOptions } from './producer-options.ts';

/** What decides beside the queues whether batches may go. */
export interface SendGate {
  /** Null for a producer without idempotence. */
  readonly sequences: SequenceTracker<ProducerBatch> | null;
  readonly transactionalId: string | null;
  /** The highest version of Produce that may be used: version 12 adds partitions to the transaction by itself (KIP-890). */
  readonly maxProduceVersion: number;
  /** Whether batches of the partition may go now; what is missing is fetched, and the sender woken then. */
  isOpen(queue: PartitionQueue): boolean;
  /** A batch has failed for good. */
  onFailure(error: KafkaError): void;
}

/** Names of topics instead of ids end with this version. */
export const LAST_PRODUCE_VERSION_WITH_NAMES = 12;

/** How often it is looked whether the metadata of a topic in use is too old: each time would cost as much as a small batch. */
const FRESHNESS_INTERVAL_MS = 1_000;

/**
 * Sends what the accumulator has ready, each node's batches in one request, and deals with the answers: Kafka's Sender. It runs when
 * it is woken (a batch is full, an answer came, metadata changed) and when the next batch has lingered long enough.
 */
export class Sender {
  readonly #cluster: ProducerCluster;
  readonly #options: ResolvedProducerOptions;
  readonly #accumulator: Accumulator;
  readonly #gate: SendGate;
  readonly #onProgress: () => void;
  readonly #queueOf: (topic: string, partition: number) => PartitionQueue;
  readonly #lane: string;
  /** Requests without an answer, by node. */
  readonly #inFlight = new Map<number, number>();
  /**
   * Nodes that have answered since their last failure. To the others only one request goes at a time: on a connection that is still
   * being opened several could overtake each other, and a broker that knows nothing of a producer takes any first sequence.
   */
  readonly #answering = new Set<number>();
  #isScheduled = false;
  #isClosed = false;
  #timer: TimerHandle | null = null;
  #timerDueMs = Infinity;

  constructor(setup: {
    readonly cluster: ProducerCluster;
    readonly options: ResolvedProducerOptions;
    readonly accumulator: Accumulator;
    readonly gate: SendGate;
    readonly lane: string;
    readonly queueOf: (topic: string, partition: number) => PartitionQueue;
    /** Batches are done, memory is free. */
    readonly onProgress: () => void;
  }) {
    this.#cluster = setup.cluster;
    this.#options = setup.options;
    this.#accumulator = setup.accumulator;
    this.#gate = setup.gate;
    this.#lane = setup.lane;
    this.#onProgress = setup.onProgress;
    this.#queueOf = setup.queueOf;
  }

  /** Looks for something to send once what runs now has ended. */
  wake(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    // After the caller's own loop: what it sends in one go travels in one request.
    process.nextTick(() => {
      this.#isScheduled = false;
      if (!this.#isClosed) this.#drain();
    });
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #drain(): void {
    const nowMs = this.#cluster.options.clock.monotonicMs();
    this.#resolveSequences();
    let nextMs = this.#expire(nowMs);
    const byNode = new Map<number, { batches: SentBatch[]; bytes: number }>();
    const full = new Set<number>();
    // Taking a batch moves its queue to the end of the line, so the line is copied.
    for (const queue of Array.from(this.#accumulator.active)) {
      this.#keepFresh(queue.topic, nowMs);
      const partition = this.#cluster.partition(queue.topic.name, queue.partition);
      const nodeId = partition?.leaderId ?? -1;
      const waitMs = this.#accumulator.waitMs(queue, partition?.leaderEpoch ?? -1, nowMs);
      if (waitMs > 0) {
        nextMs = Math.min(nextMs, waitMs);
        continue;
      }
      if (nodeId < 0) {
        this.#cluster.requestMetadataUpdate();
        nextMs = Math.min(nextMs, this.#options.retryBackoffMs);
        continue;
      }
      if (full.has(nodeId) || !this.#mayGo(queue, nodeId)) continue;
      const request = byNode.get(nodeId) ?? { batches: [], bytes: 0 };
      const sent = this.#take(
        queue,
        partition!.leaderEpoch,
        this.#options.maxRequestSizeBytes - request.bytes,
        request.bytes === 0,
      );
      if (sent === null) {
        full.add(nodeId);
        this.wake();
        continue;
      }
      request.batches.push(sent);
      request.bytes += sent.batch.sizeBytes;
      byNode.set(nodeId, request);
    }
    for (const [nodeId, { batches }] of byNode) void this.#send(nodeId, batches);
    // What one request had no room for, or more of the same partitions, goes into the next one.
    if (byNode.size > 0 && this.#accumulator.active.size > 0) this.wake();
    this.#arm(nextMs);
  }

  /** New partitions, and leaders that moved, are found although nothing fails. */
  #keepFresh(topic: TopicQueues, nowMs: number): void {
    if (nowMs < topic.lookAtMs) return;
    topic.lookAtMs = nowMs + FRESHNESS_INTERVAL_MS;
    this.#cluster.keepFresh(topic.name);
  }

  #mayGo(queue: PartitionQueue, nodeId: number): boolean {
    const { sequences } = this.#gate;
    const most = this.#answering.has(nodeId) ? this.#options.maxInFlightRequests : 1;
    if ((this.#inFlight.get(nodeId) ?? 0) >= most) return false;
    if (!this.#gate.isOpen(queue)) return false;
    // Without idempotence one request in flight is what keeps the order over retries.
    return sequences === null || sequences.maySend(queue.sequences, queue.batches[0]!);
  }

  /** Takes the oldest batch of a queue; null when it does not fit into the rest of the request. */
  #take(queue: PartitionQueue, leaderEpoch: number, roomBytes: number, isFirst: boolean): SentBatch | null {
    const oldest = queue.batches[0]!;
    if (!isFirst && oldest.sizeBytes > roomBytes) return null;
    const batch = this.#accumulator.take(queue);
    if (!batch.isSealed) this.#seal(queue, batch);
    if (this.#gate.sequences !== null && batch.baseSequence === NO_SEQUENCE)
      this.#gate.sequences.assign(queue.sequences, batch);
    batch.attempts += 1;
    batch.lastLeaderEpoch = leaderEpoch;
    batch.openRequests += 1;
    queue.inFlightCount += 1;
    const { producerId, producerEpoch, baseSequence } = batch;
    return { queue, batch, sentAs: { producerId, producerEpoch, baseSequence } };
  }

  #seal(queue: PartitionQueue, batch: ProducerBatch): void {
    const { compression, compressionLevel } = this.#options;
    if (compression === 'none') {
      batch.seal();
      return;
    }
    const plain = batch.plainRecords;
    const packed = compress(compression, plain, compressionLevel);
    batch.seal(packed);
    queue.topic.ratio.observe(packed.length / Math.max(1, plain.length));
  }

  async #send(nodeId: number, sent: readonly SentBatch[]): Promise<void> {
    const { acks, requestTimeoutMs } = this.#options;
    const { transactionalId, maxProduceVersion } = this.#gate;
    const format = { compression: this.#options.compression, isTransactional: transactionalId !== null };
    this.#inFlight.set(nodeId, (this.#inFlight.get(nodeId) ?? 0) + 1);
    let response: ProduceResponse | undefined;
    let failure: unknown;
    try {
      const body = { transactionalId, acks, timeoutMs: requestTimeoutMs, topicData: topicData(sent, format) };
      response = await this.#cluster.request(nodeId, apis.produce, body, {
        timeoutMs: requestTimeoutMs,
        lane: this.#lane,
        maxVersion: maxProduceVersion,
        expectsResponse: acks !== 0,
      });
    } catch (error) {
      failure = error;
    }
    this.#inFlight.set(nodeId, this.#inFlight.get(nodeId)! - 1);
    if (failure === undefined) this.#answering.add(nodeId);
    else this.#answering.delete(nodeId);
    for (const { queue, batch } of sent) {
      queue.inFlightCount -= 1;
      batch.openRequests -= 1;
      if (failure === undefined) continue;
      batch.mayBeStored = true;
      batch.isHeldBySocket = true;
    }
    if (failure !== undefined) this.#onRequestFailed(sent, failure);
    else if (acks === 0)
      for (const each of sent) this.#succeed(each, { baseOffset: -1, logAppendTimeMs: -1 });
    else this.#onAnswered(sent, response!);
    for (const { batch } of sent) this.#accumulator.releaseIfIdle(batch);
    this.#onProgress();
    this.wake();
  }

  #onRequestFailed(sent: readonly SentBatch[], failure: unknown): void {
    const error =
      failure instanceof KafkaError
        ? failure
        : new KafkaError('NETWORK_EXCEPTION', String(failure), { cause: failure });
    for (const each of sent) {
      if (each.batch.isDone) continue;
      if (isRetriableError(error) && this.#hasAttempts(each.batch)) this.#again(each, error.name);
      else this.#fail(each, error, 'NETWORK_EXCEPTION');
    }
  }

  #onAnswered(sent: readonly SentBatch[], response: ProduceResponse): void {
    const hints: { topic: string; partition: number; leaderId: number; leaderEpoch: number }[] = [];
    let isStale = false;
    for (const { each, answer } of answersOf(sent, response)) {
      const { queue, batch } = each;
      const name = answer === undefined ? 'UNKNOWN_SERVER_ERROR' : errorName(answer.errorCode);
      if (answer !== undefined && STALE_METADATA.has(name)) {
        isStale = true;
        const { leaderId, leaderEpoch } = answer.currentLeader;
        if (leaderId >= 0)
          hints.push({ topic: queue.topic.name, partition: queue.partition, leaderId, leaderEpoch });
      }
      // It expired meanwhile: the answer comes too late for anybody.
      if (!batch.isDone) this.#onAnswer(each, answer, name);
    }
    const isNews = hints.length > 0 && this.#cluster.applyLeaderHints(hints, response.nodeEndpoints);
    if (isStale && !isNews) this.#cluster.requestMetadataUpdate();
  }

  #onAnswer(each: SentBatch, answer: BatchAnswer | undefined, name: ErrorName): void {
    const { queue, batch } = each;
    if (
      answer !== undefined &&
      (answer.errorCode === ErrorCodes.NONE || name === 'DUPLICATE_SEQUENCE_NUMBER')
    ) {
      const isDuplicate = answer.errorCode !== ErrorCodes.NONE;
      this.#succeed(each, {
        baseOffset: isDuplicate ? -1 : answer.baseOffset,
        logAppendTimeMs: answer.logAppendTimeMs,
      });
      return;
    }
    if (leavesOpen(name)) batch.mayBeStored = true;
    if (isRenumbered(each) && this.#hasAttempts(batch)) {
      // A refusal of the numbers that it no longer has says nothing of those that it has now.
      this.#again(each, name);
      return;
    }
    // Parts have other numbers than the whole: where an earlier attempt may have stored that, they could be stored twice.
    const maySplit = batch.recordCount > 1 && (this.#gate.sequences === null || !batch.mayBeStored);
    if (name === 'MESSAGE_TOO_LARGE' && maySplit) {
      this.#split(each);
      return;
    }
    const code = answer?.errorCode ?? ErrorCodes.UNKNOWN_SERVER_ERROR;
    const refusal = {
      error: name,
      retriable: isRetriable(code),
      logStartOffset: answer?.logStartOffset ?? -1,
    };
    const { sequences } = this.#gate;
    const mayRetry =
      sequences === null ? refusal.retriable : sequences.mayRetry(queue.sequences, batch, refusal);
    if (mayRetry && this.#hasAttempts(batch)) {
      this.#again(each, name);
      return;
    }
    const what = `${queue.topic.name}-${queue.partition}`;
    this.#fail(each, brokerError(code, answer?.errorMessage ?? null, what), name, answer);
  }

  #hasAttempts(batch: ProducerBatch): boolean {
    const nowMs = this.#cluster.options.clock.monotonicMs();
    return (
      batch.attempts <= this.#options.retries && nowMs - batch.createdMs < this.#options.deliveryTimeoutMs
    );
  }

  #again({ queue, batch }: SentBatch, error: string): void {
    const { clock, random } = this.#cluster.options;
    const backoff = { initialMs: this.#options.retryBackoffMs, maxMs: this.#options.retryBackoffMaxMs };
    const delayMs = backoffMs(backoff, batch.attempts - 1, random);
    this.#accumulator.putBack(queue, batch, clock.monotonicMs() + delayMs);
    const { topic, partition } = batch.outcome;
    this.#options.metrics.onRetry?.({ topic, partition, attempts: batch.attempts, error });
  }

  #split({ queue, batch }: SentBatch): void {
    const parts = this.#accumulator.split(queue, batch);
    this.#gate.sequences?.split(queue.sequences, batch, parts);
    this.#accumulator.finish(batch);
    const { topic, partition } = batch.outcome;
    this.#options.metrics.onSplit?.({ topic, partition, partCount: parts.length });
  }

  #succeed(
    { queue, batch, sentAs }: SentBatch,
    result: { baseOffset: number; logAppendTimeMs: number },
  ): void {
    if (batch.isDone) return;
    this.#gate.sequences?.acknowledge(queue.sequences, batch, {
      baseOffset: result.baseOffset,
      isStale: isRenumbered({ batch, sentAs }),
    });
    batch.outcome.succeed(result);
    this.#report(queue, batch, 'ok');
    this.#accumulator.finish(batch);
  }

  #fail({ queue, batch }: SentBatch, error: KafkaError, name: ErrorName, answer?: BatchAnswer): void {
    error.mayBeStored = batch.mayBeStored;
    this.#gate.sequences?.fail(queue.sequences, batch, name);
    const recordErrors = new Map(
      answer?.recordErrors.map((each) => [each.batchIndex, each.batchIndexErrorMessage]),
    );
    const errorOf =
      recordErrors.size === 0
        ? undefined
        : (index: number) =>
            recordErrors.has(index)
              ? brokerError(error.code, recordErrors.get(index), error.message)
              : new KafkaError(error.name, 'The batch was refused because of another record in it', {
                  cause: error,
                });
    batch.outcome.fail(error, batch.recordCount, errorOf);
    this.#report(queue, batch, error.name);
    this.#accumulator.finish(batch);
    this.#gate.onFailure(error);
  }

  #report(queue: PartitionQueue, batch: ProducerBatch, outcome: string): void {
    this.#options.metrics.onBatch?.({
      topic: queue.topic.name,
      partition: queue.partition,
      recordCount: batch.recordCount,
      batchBytes: batch.sizeBytes,
      plainBytes: batch.plainBytes,
      durationMs: this.#cluster.options.clock.monotonicMs() - batch.createdMs,
      attempts: batch.attempts,
      outcome,
    });
  }

  /** Fails what has waited for `delivery.timeout.ms`; returns how long until the next batch may be due. */
  #expire(nowMs: number): number {
    const { deliveryTimeoutMs } = this.#options;
    let nextMs = Infinity;
    const expired: ProducerBatch[] = [];
    // In the order of their creation, but for parts of a batch that was split, which are older than those before them.
    for (const batch of this.#accumulator.undone) {
      const leftMs = batch.createdMs + deliveryTimeoutMs - nowMs;
      if (leftMs <= 0) {
        expired.push(batch);
      } else {
        nextMs = leftMs;
        break;
      }
    }
    for (const batch of expired) this.#expireOne(batch);
    if (expired.length > 0) this.#onProgress();
    return nextMs;
  }

  #expireOne(batch: ProducerBatch): void {
    const { topic, partition } = batch.outcome;
    const queue = this.#queueOf(topic, partition);
    const error = new TimeoutError(
      `A batch for ${topic}-${partition} was not acknowledged within ${this.#options.deliveryTimeoutMs} ms (deliveryTimeoutMs), attempts: ${batch.attempts}, records: ${batch.recordCount}`,
      this.#options.deliveryTimeoutMs,
    );
    error.mayBeStored = batch.mayBeStored || batch.openRequests > 0;
    this.#accumulator.drop(queue, batch);
    if (batch.baseSequence !== NO_SEQUENCE) this.#gate.sequences?.expire(queue.sequences, batch);
    batch.outcome.fail(error, batch.recordCount);
    this.#report(queue, batch, error.name);
    this.#accumulator.finish(batch);
    this.#gate.onFailure(error);
  }

  #resolveSequences(): void {
    if (this.#gate.sequences?.resolve() !== 'abort') return;
    this.#gate.onFailure(
      new KafkaError(
        'UNKNOWN_PRODUCER_ID',
        'Records of the transaction may be missing: its batches expired without an answer',
        {
          retriable: false,
        },
      ),
    );
  }

  #arm(delayMs: number): void {
    if (delayMs === Infinity) return;
    const { clock } = this.#cluster.options;
    const dueMs = clock.monotonicMs() + delayMs;
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.#timerDueMs = Infinity;
      if (!this.#isClosed) this.#drain();
    });
  }
}

/** Whether a batch has got other numbers while it was on the wire. */
function isRenumbered({ batch, sentAs }: Pick<SentBatch, 'batch' | 'sentAs'>): boolean {
  return (
    sentAs.baseSequence !== batch.baseSequence ||
    sentAs.producerEpoch !== batch.producerEpoch ||
    sentAs.producerId !== batch.producerId
  );
}
