import { ErrorCodes, type ShareFetchResponse } from '@ottla/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { BrokenProtocolError } from '../errors/client-errors.ts';
import { brokerError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import { acknowledgementBatches } from './acknowledgement-batches.ts';
import type { FetchCounters } from '../metrics/fetch-counters.ts';
import type { AcquiredRange } from './acquired-records.ts';
import type { AcknowledgementResult, ResolvedShareOptions } from './share-options.ts';
import type { SharePartition } from './share-partition.ts';
import { ShareSession, type SharePartitionRequest } from './share-session.ts';

export interface ShareNodeParts {
  readonly cluster: Cluster;
  readonly options: ResolvedShareOptions;
  readonly nodeId: number;
  readonly lane: string;
  readonly counters: FetchCounters;
  readonly memberId: () => string;
  readonly signal: AbortSignal;
  readonly onRecords: (
    partition: SharePartition,
    content: { readonly records: Buffer; readonly acquired: readonly AcquiredRange[] },
  ) => void;
  readonly onResults: (results: readonly AcknowledgementResult[]) => void;
  readonly onFailed: (error: Error) => void;
  /** The node is free for another request. */
  readonly onIdle: () => void;
}

/** What a request said, to tell its senders of. */
interface Sent {
  readonly partition: SharePartition;
  readonly offsets: readonly number[];
  readonly request: SharePartitionRequest;
}

type PartitionAnswer = ShareFetchResponse['responses'][number]['partitions'][number];

/** How much later than it should an answer may come before the connection counts as stuck. */
const ANSWER_PATIENCE_MS = 1_000;
/** Acquired offsets of one partition in one answer. */
const MAX_ACQUIRED = 1_000_000;

/** The share session with one broker: one request at a time, as their epochs demand. */
export class ShareNode {
  readonly #parts: ShareNodeParts;
  readonly #session = new ShareSession();
  #running: Promise<void> | null = null;
  /** What goes before anything else when the request under way has ended. */
  readonly #next: (() => void)[] = [];
  #failures = 0;
  retryAtMs = 0;

  constructor(parts: ShareNodeParts) {
    this.#parts = parts;
  }

  /** Asks for records of the partitions and says what there is to say. Does nothing while a request is under way. */
  fetch(wanted: readonly SharePartition[]): void {
    if (this.#running !== null) return;
    this.#start(this.#fetch(wanted));
  }

  /** Says what there is to say; `isFinal` ends the session. Does nothing while a request is under way. */
  acknowledge(partitions: readonly SharePartition[], isFinal = false, timeoutMs?: number): void {
    if (this.#running !== null) return;
    this.#start(this.#acknowledge(partitions, isFinal, timeoutMs));
  }

  /**
   * The same as the very next request, also while a loop asks for more records all the time; resolves when it has ended, and with it
   * everything that was under way. `partitions` is asked for when its turn has come.
   */
  acknowledgeNext(
    partitions: () => readonly SharePartition[],
    final: { readonly timeoutMs: () => number } | null = null,
  ): Promise<void> {
    return new Promise((resolve) => {
      this.#next.push(() => {
        this.acknowledge(partitions(), final !== null, final?.timeoutMs());
        resolve(this.#running ?? undefined);
      });
      if (this.#running === null) this.#goOn();
    });
  }

  #start(work: Promise<void>): void {
    this.#running = work.finally(() => {
      this.#running = null;
      this.#goOn();
    });
  }

  #goOn(): void {
    const next = this.#next.shift();
    if (next === undefined) this.#parts.onIdle();
    else next();
  }

  async #fetch(wanted: readonly SharePartition[]): Promise<void> {
    const { options, cluster, signal } = this.#parts;
    const sent = this.#session.isOpen ? this.#collect(wanted, (partition) => partition.takePending()) : [];
    const request = this.#session.nextFetch(
      wanted,
      sent.map((each) => each.request),
    );
    const { maxRecords, fetchMinBytes, fetchMaxBytes, fetchMaxWaitMs } = options;
    const startedMs = cluster.options.clock.monotonicMs();
    try {
      const answer = await cluster.request(
        this.#parts.nodeId,
        apis.shareFetch,
        {
          groupId: options.group,
          memberId: this.#parts.memberId(),
          ...request,
          topics: request.topics as never,
          maxWaitMs: fetchMaxWaitMs,
          minBytes: fetchMinBytes,
          maxBytes: fetchMaxBytes,
          maxRecords,
          batchSize: maxRecords,
          shareAcquireMode: options.isRecordLimit ? 1 : 0,
        },
        {
          lane: this.#parts.lane,
          timeoutMs: Math.max(cluster.options.requestTimeoutMs, fetchMaxWaitMs + ANSWER_PATIENCE_MS),
          signal,
        },
      );
      this.#failures = 0;
      this.#count(answer, startedMs);
      const isWhole = this.#session.handle(answer.errorCode);
      if (isWhole) this.#takeAnswer(wanted, answer);
      else this.#onError(answer.errorCode, answer.errorMessage);
      this.#report(sent, answer.errorCode, acknowledgeErrors(answer));
    } catch (error) {
      this.#lost(sent, error);
    }
  }

  #count({ responses, throttleTimeMs }: ShareFetchResponse, startedMs: number): void {
    let sizeBytes = 0;
    for (const { partitions } of responses)
      for (const { records } of partitions) sizeBytes += records?.length ?? 0;
    const latencyMs = this.#parts.cluster.options.clock.monotonicMs() - startedMs;
    this.#parts.counters.fetched({ latencyMs, sizeBytes, throttleTimeMs });
  }

  async #acknowledge(
    partitions: readonly SharePartition[],
    isFinal: boolean,
    timeoutMs = this.#parts.cluster.options.requestTimeoutMs,
  ): Promise<void> {
    // Renewals go in a request of their own, which says so.
    if (!isFinal && partitions.some(({ hasRenewals }) => hasRenewals))
      await this.#send(
        this.#collect(partitions, (each) => each.takeRenewals()),
        { isRenewAck: true, isFinal: false, timeoutMs },
      );
    const sent = this.#collect(partitions, (each) => each.takePending());
    if (sent.length > 0 || isFinal) await this.#send(sent, { isRenewAck: false, isFinal, timeoutMs });
  }

  async #send(
    sent: readonly Sent[],
    how: { readonly isRenewAck: boolean; readonly isFinal: boolean; readonly timeoutMs: number },
  ): Promise<void> {
    if (!this.#session.isOpen) {
      // Without a session there is nobody who would know of the records.
      this.#report(sent, ErrorCodes.SHARE_SESSION_NOT_FOUND, new Map());
      return;
    }
    const { options, cluster } = this.#parts;
    const { shareSessionEpoch, topics } = this.#session.nextAcknowledge(
      sent.map((each) => each.request),
      how.isFinal,
    );
    try {
      const answer = await cluster.request(
        this.#parts.nodeId,
        apis.shareAcknowledge,
        {
          groupId: options.group,
          memberId: this.#parts.memberId(),
          shareSessionEpoch,
          ...(how.isRenewAck && { isRenewAck: true }),
          topics: topics as never,
        },
        { lane: this.#parts.lane, timeoutMs: how.timeoutMs },
      );
      if (how.isFinal) this.#session.reset();
      else this.#session.handle(answer.errorCode);
      this.#report(
        sent,
        answer.errorCode,
        errorsByPlace(answer.responses, ({ errorCode }) => errorCode),
      );
    } catch (error) {
      this.#lost(sent, error);
    }
  }

  /** What partitions have to say, as far as the session knows them. */
  #collect(
    partitions: readonly SharePartition[],
    take: (partition: SharePartition) => ReadonlyMap<number, number>,
  ): Sent[] {
    return partitions.flatMap((partition) => {
      const offsets = take(partition);
      if (offsets.size === 0) return [];
      const { topicId, partition: index } = partition;
      const acknowledgements = acknowledgementBatches(offsets);
      return [
        { partition, offsets: [...offsets.keys()], request: { topicId, partition: index, acknowledgements } },
      ];
    });
  }

  #takeAnswer(wanted: readonly SharePartition[], answer: ShareFetchResponse): void {
    const { cluster, onRecords, onFailed } = this.#parts;
    const byPlace = new Map(wanted.map((each) => [`${each.topicId}-${each.partition}`, each]));
    for (const { topicId, partitions } of answer.responses) {
      for (const each of partitions) {
        const partition = byPlace.get(`${topicId}-${each.partitionIndex}`);
        if (partition === undefined) continue;
        if (each.errorCode === ErrorCodes.NONE) {
          if (each.records === null || each.acquiredRecords.length === 0) continue;
          checkAcquired(each.acquiredRecords, partition.id);
          partition.nodeId = this.#parts.nodeId;
          onRecords(partition, { records: each.records, acquired: each.acquiredRecords });
          continue;
        }
        const error = brokerError(each.errorCode, each.errorMessage, `partition ${partition.id}`);
        if (error.name.endsWith('_AUTHORIZATION_FAILED')) onFailed(error);
        partition.retryAtMs = cluster.options.clock.monotonicMs() + cluster.options.retryBackoffMs;
        cluster.requestMetadataUpdate();
        this.#applyHint(partition, each, answer);
      }
    }
  }

  #applyHint(
    partition: SharePartition,
    { currentLeader }: PartitionAnswer,
    answer: ShareFetchResponse,
  ): void {
    if (currentLeader.leaderId < 0 || answer.nodeEndpoints.length === 0) return;
    const hint = { topic: partition.topic, partition: partition.partition, ...currentLeader };
    this.#parts.cluster.applyLeaderHints([hint], answer.nodeEndpoints);
  }

  #onError(errorCode: number, detail: string | null): void {
    const error = brokerError(errorCode, detail, `group "${this.#parts.options.group}"`);
    this.#backOff();
    const isLostSession = !this.#session.isOpen;
    if (!isLostSession && !error.retriable && errorCode !== ErrorCodes.UNKNOWN_SERVER_ERROR)
      this.#parts.onFailed(error);
  }

  #lost(sent: readonly Sent[], error: unknown): void {
    this.#session.reset();
    this.#backOff();
    const failure =
      error instanceof KafkaError ? error : new KafkaError('UNKNOWN_SERVER_ERROR', String(error));
    this.#parts.onResults(sent.map((each) => resultOf(each, failure)));
    if (this.#parts.signal.aborted) return;
    if (!failure.retriable) this.#parts.onFailed(failure);
    this.#parts.cluster.requestMetadataUpdate();
  }

  #backOff(): void {
    const { clock, random, retryBackoffMs, retryBackoffMaxMs } = this.#parts.cluster.options;
    const backoff = { initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs };
    this.retryAtMs = clock.monotonicMs() + backoffMs(backoff, this.#failures, random);
    this.#failures += 1;
  }

  #report(sent: readonly Sent[], errorCode: number, errors: ReadonlyMap<string, number>): void {
    if (sent.length === 0) return;
    this.#parts.onResults(
      sent.map((each) => {
        const { topicId, partition } = each.request;
        const code = errorCode === ErrorCodes.NONE ? (errors.get(`${topicId}-${partition}`) ?? 0) : errorCode;
        return resultOf(
          each,
          code === ErrorCodes.NONE ? null : brokerError(code, null, `partition ${each.partition.id}`),
        );
      }),
    );
  }
}

/** Kafka's brokers give 10,000 at most, and batches whole. @throws BrokenProtocolError for what would only fill the memory */
function checkAcquired(ranges: readonly AcquiredRange[], partition: string): void {
  let count = 0;
  for (const { firstOffset, lastOffset } of ranges) {
    count += lastOffset - firstOffset + 1;
    if (firstOffset < 0 || lastOffset < firstOffset || count > MAX_ACQUIRED)
      throw new BrokenProtocolError(
        `The broker gives offsets ${firstOffset} to ${lastOffset} of partition ${partition}, at most ${MAX_ACQUIRED} are believed`,
      );
  }
}

function resultOf({ partition, offsets }: Sent, error: KafkaError | null): AcknowledgementResult {
  return { topic: partition.topic, partition: partition.partition, offsets, error };
}

function acknowledgeErrors(answer: ShareFetchResponse): ReadonlyMap<string, number> {
  return errorsByPlace(answer.responses, ({ acknowledgeErrorCode }) => acknowledgeErrorCode);
}

function errorsByPlace<P extends { readonly partitionIndex: number }>(
  topics: readonly { readonly topicId: string; readonly partitions: readonly P[] }[],
  read: (partition: P) => number,
): ReadonlyMap<string, number> {
  return new Map(
    topics.flatMap(({ topicId, partitions }) =>
      partitions.map((each) => [`${topicId}-${each.partitionIndex}`, read(each)] as const),
    ),
  );
}
