import type { Clock } from '@ottla/platform';
import {
  ApiKeys,
  ErrorCodes,
  type FetchRequest,
  fetchRequest,
  type FetchResponse,
  fetchResponse,
  ZERO_UUID,
} from '@ottla/protocol';
import type { MetadataImage, MetadataStore } from '../metadata/image.ts';
import type {
  FetchContext,
  FetchSessionCache,
  SessionPartition,
  SessionResult,
} from '../replica/fetch-session.ts';
import type { RateQuota } from '../quota/rate-quota.ts';
import { failedRead, FetchIsolation, type ReadToSend } from '../replica/partition-read.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { leaderHint, NO_LEADER } from './leader-hint.ts';
import { quotaClientOf, throttle } from './throttle.ts';

export interface FetchDependencies {
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
  readonly sessions: FetchSessionCache;
  /** `fetch.max.bytes`: the most a client gets in one response, whatever it asks for. */
  readonly fetchMaxBytes: () => number;
  readonly quota: RateQuota;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

const TOPIC_ID_VERSION = 13;
const REPLICA_STATE_VERSION = 15;
const LEADER_HINT_VERSION = 16;
/** Clients of this version and older do not know KAFKA_STORAGE_ERROR and would give up. */
const LAST_VERSION_WITHOUT_STORAGE_ERROR = 5;
const LAST_VERSION_WITHOUT_ZSTD = 9;
const READ_COMMITTED = 1;
const DEBUGGING_REPLICA_ID = -2;
const NO_DIVERGING_EPOCH = { epoch: -1, endOffset: -1 };
const NO_SNAPSHOT = { endOffset: -1, epoch: -1 };

/**
 * Fetch 4 to 18 (5: log start offset; 7: sessions; 9: leader epoch; 12: diverging epoch; 13: topic ids; 15: replica
 * state; 16: leader hints; 17 and 18: replica directory and high watermark, which only followers send).
 */
export function fetchHandler(deps: FetchDependencies): ApiHandler<FetchRequest, FetchResponse> {
  return {
    apiKey: ApiKeys.Fetch,
    minVersion: 4,
    maxVersion: 18,
    request: fetchRequest,
    response: fetchResponse,
    borrowsFrame: true,

    handle(request, context) {
      const image = deps.metadata.current();
      const session = beginSession(deps, request, { image, version: context.apiVersion });
      if (session.errorCode !== 0) return emptyResponse(session.errorCode, 0);
      return new FetchRun(deps, { request, context, image, session }).run();
    },

    errorResponse(request, errorCode, context) {
      const answer = emptyResponse(errorCode, request.sessionId);
      // Before sessions there was no place for an error of the whole request.
      if (context.apiVersion >= TOPIC_ID_VERSION) return answer;
      const read = failedRead(errorCode);
      answer.responses = request.topics.map(({ topic, topicId, partitions }) => ({
        topic,
        topicId,
        partitions: partitions.map(({ partition }) => partitionAnswer(partition, read, errorCode)),
      }));
      return answer;
    },
  };
}

function beginSession(
  deps: FetchDependencies,
  request: FetchRequest,
  { image, version }: { image: MetadataImage; version: number },
): FetchContext {
  const usesIds = version >= TOPIC_ID_VERSION;
  const nameOf = (topicId: string): string | undefined => image.topics.byId.get(topicId)?.name;
  const partitions: SessionPartition[] = [];
  for (const topic of request.topics) {
    const name = usesIds ? nameOf(topic.topicId) : topic.topic;
    for (const partition of topic.partitions) {
      partitions.push({
        topic: name ?? '',
        topicId: usesIds ? topic.topicId : ZERO_UUID,
        partition: partition.partition,
        fetchOffset: partition.fetchOffset,
        maxBytes: partition.partitionMaxBytes,
        // Any negative epoch is none here, as in Kafka; other APIs know -1 only.
        currentLeaderEpoch: Math.max(-1, partition.currentLeaderEpoch),
        lastFetchedEpoch: partition.lastFetchedEpoch,
        isNameKnown: name !== undefined,
        sentHighWatermark: -1,
        sentLogStartOffset: -1,
      });
    }
  }
  const forgotten = request.forgottenTopicsData.flatMap((topic) =>
    topic.partitions.map((partition) => ({
      topic: usesIds ? '' : topic.topic,
      topicId: usesIds ? topic.topicId : ZERO_UUID,
      partition,
    })),
  );
  return deps.sessions.begin(
    {
      version,
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      isFromFollower: replicaIdOf(request, version) >= 0,
      partitions,
      forgotten,
    },
    deps.clock.nowMs(),
    nameOf,
  );
}

function replicaIdOf(request: FetchRequest, version: number): number {
  return version >= REPLICA_STATE_VERSION ? request.replicaState.replicaId : request.replicaId;
}

interface FetchInput {
  readonly request: FetchRequest;
  readonly context: RequestContext;
  readonly image: MetadataImage;
  readonly session: FetchContext;
}

/** One fetch request on its way: which of its partitions are read, and which are refused before. */
class FetchRun {
  readonly #deps: FetchDependencies;
  readonly #input: FetchInput;
  readonly #targets: SessionPartition[] = [];
  readonly #refused: SessionResult[] = [];

  constructor(deps: FetchDependencies, input: FetchInput) {
    this.#deps = deps;
    this.#input = input;
    for (const target of input.session.partitions) this.#sortOut(target);
  }

  run(): FetchResponse | Promise<FetchResponse> {
    const { request, context } = this.#input;
    const replicaId = replicaIdOf(request, context.apiVersion);
    const maxBytes = Math.min(
      request.maxBytes,
      this.#deps.fetchMaxBytes(),
      this.#deps.quota.maxAtOnce(quotaClientOf(context)),
    );
    const operation = this.#deps.replicaManager.fetch(
      {
        maxWaitMs: this.#targets.length === 0 ? 0 : request.maxWaitMs,
        minBytes: Math.min(request.minBytes, maxBytes),
        maxBytes,
        isolation: isolationOf(replicaId, request.isolationLevel),
        requireLeader: replicaId !== DEBUGGING_REPLICA_ID,
      },
      this.#targets,
    );
    const reads = operation.run();
    if (!(reads instanceof Promise)) return this.#answer(reads);
    context.connection.pendingWait = operation;
    return reads.then((done) => this.#answer(done));
  }

  /** How long the client has to wait before it gets such an answer; 0: it gets it now. */
  #throttle(results: readonly SessionResult[]): number {
    const { quota } = this.#deps;
    if (!quota.isOn) return 0;
    const bytes = results.reduce((sum, { read }) => sum + answerBytes(read), 0);
    const { context } = this.#input;
    const throttleTimeMs = throttle(quota, context, bytes);
    if (throttleTimeMs > 0) quota.takeBack(quotaClientOf(context), bytes);
    return throttleTimeMs;
  }

  #sortOut(target: SessionPartition): void {
    const { request, context, image } = this.#input;
    if (!target.isNameKnown) {
      this.#refuse(target, ErrorCodes.UNKNOWN_TOPIC_ID);
    } else if (image.topics.byName.get(target.topic)?.partitions[target.partition] === undefined) {
      this.#refuse(target, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    } else if (replicaIdOf(request, context.apiVersion) >= 0) {
      // No other broker replicates from this one yet, so whoever says it does is not in the replica set.
      const isEpochKnown = target.currentLeaderEpoch >= 0;
      const errorCode = isEpochKnown ? ErrorCodes.UNKNOWN_LEADER_EPOCH : ErrorCodes.NOT_LEADER_OR_FOLLOWER;
      this.#refused.push({ target, read: failedRead(errorCode) });
    } else {
      this.#targets.push(target);
    }
  }

  /** Kafka's refusal before a partition is looked at has an empty list of aborted transactions, a later one has none. */
  #refuse(target: SessionPartition, errorCode: number): void {
    this.#refused.push({ target, read: { ...failedRead(errorCode), abortedTransactions: [] } });
  }

  #answer(reads: readonly ReadToSend[]): FetchResponse {
    this.#input.context.onSent = () => {
      for (const read of reads) read.lease?.release();
    };
    const results: SessionResult[] = [];
    for (let i = 0; i < reads.length; i++) results.push({ target: this.#targets[i]!, read: reads[i]! });
    for (const refused of this.#refused) results.push(refused);
    const throttleTimeMs = this.#throttle(results);
    // Nothing is said then, and nothing noted as said: the client asks again for the same.
    if (throttleTimeMs > 0) return { ...emptyResponse(0, this.#input.session.sessionId), throttleTimeMs };
    const { sessionId, errorCode, included } = this.#input.session.finish(results);
    const response = emptyResponse(errorCode, sessionId);
    for (const { target, read } of included) this.#add(response, target, read);
    return response;
  }

  /** Adds a partition; neighbours of the same topic share an entry, as in Kafka. */
  #add(response: FetchResponse, target: SessionPartition, read: ReadToSend): void {
    const usesIds = this.#input.context.apiVersion >= TOPIC_ID_VERSION;
    let topic = response.responses.at(-1);
    const isSame =
      topic !== undefined && (usesIds ? topic.topicId === target.topicId : topic.topic === target.topic);
    if (!isSame) {
      topic = { topic: usesIds ? '' : target.topic, topicId: target.topicId, partitions: [] };
      response.responses.push(topic);
    }
    const answer = this.#partition(target, read);
    if (this.#input.context.apiVersion >= LEADER_HINT_VERSION) this.#addLeaderHint(response, target, answer);
    topic!.partitions.push(answer);
  }

  #partition(target: SessionPartition, read: ReadToSend): PartitionAnswer {
    const { apiVersion } = this.#input.context;
    let { errorCode } = read;
    if (errorCode === ErrorCodes.KAFKA_STORAGE_ERROR && apiVersion <= LAST_VERSION_WITHOUT_STORAGE_ERROR) {
      errorCode = ErrorCodes.NOT_LEADER_OR_FOLLOWER;
    }
    if (apiVersion <= LAST_VERSION_WITHOUT_ZSTD && this.#isZstdTopic(target)) {
      return partitionAnswer(
        target.partition,
        failedRead(ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE),
        ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE,
      );
    }
    return partitionAnswer(target.partition, read, errorCode);
  }

  #isZstdTopic(target: SessionPartition): boolean {
    const partition = this.#deps.replicaManager.partition(target.topic, target.partition);
    return typeof partition !== 'number' && partition.log?.config.compressionType === 'zstd';
  }

  #addLeaderHint(response: FetchResponse, target: SessionPartition, answer: PartitionAnswer): void {
    const { errorCode } = answer;
    if (errorCode !== ErrorCodes.NOT_LEADER_OR_FOLLOWER && errorCode !== ErrorCodes.FENCED_LEADER_EPOCH)
      return;
    const { context } = this.#input;
    const { leader, endpoint } = leaderHint(this.#deps.metadata.current(), {
      topic: target.topic,
      partition: target.partition,
      listenerName: context.connection.listenerName,
    });
    answer.currentLeader = leader;
    if (endpoint !== null && response.nodeEndpoints.every((node) => node.nodeId !== endpoint.nodeId)) {
      response.nodeEndpoints.push(endpoint);
    }
  }
}

function isolationOf(replicaId: number, isolationLevel: number): FetchIsolation {
  if (replicaId !== -1) return FetchIsolation.logEnd;
  return isolationLevel === READ_COMMITTED ? FetchIsolation.txnCommitted : FetchIsolation.highWatermark;
}

function partitionAnswer(partitionIndex: number, read: ReadToSend, errorCode: number): PartitionAnswer {
  return {
    partitionIndex,
    errorCode,
    highWatermark: read.highWatermark,
    lastStableOffset: read.lastStableOffset,
    logStartOffset: read.logStartOffset,
    divergingEpoch: read.divergingEpoch ?? NO_DIVERGING_EPOCH,
    currentLeader: NO_LEADER,
    snapshotId: NO_SNAPSHOT,
    abortedTransactions: read.abortedTransactions as PartitionAnswer['abortedTransactions'],
    preferredReadReplica: -1,
    // The encoder passes on what is large as it is, slices too, and looks at its length only; the type knows one buffer.
    records: read.records as unknown as Buffer,
  };
}

/** What a partition's fields take beside its records, about. */
const PARTITION_BYTES = 50;

function answerBytes({ records }: ReadToSend): number {
  let bytes = PARTITION_BYTES;
  for (const part of records) bytes += part.length;
  return bytes;
}

function emptyResponse(errorCode: number, sessionId: number): FetchResponse {
  return { throttleTimeMs: 0, errorCode, sessionId, responses: [], nodeEndpoints: [] };
}
