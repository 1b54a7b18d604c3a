import { ApiKeys, ErrorCodes, errorMessage, shareFetchRequest, shareFetchResponse } from '@ottla/protocol';
import type { ShareFetchRequest, ShareFetchResponse } from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { RateQuota } from '../quota/rate-quota.ts';
import { ShareFetchOperation, type ShareFetchResult } from '../share/share-fetch-operation.ts';
import type { SharePartition } from '../share/share-partition.ts';
import type { ShareRefusal } from '../share/share-partition-types.ts';
import type { ShareService } from '../share/share-service.ts';
import {
  FINAL_EPOCH,
  INITIAL_EPOCH,
  type SessionPartition,
  type ShareSession,
} from '../share/share-sessions.ts';
import type { ApiHandler, RequestContext } from './handler.ts';
import { leaderHint } from './leader-hint.ts';
import { acknowledgeAll, acknowledgementsOf } from './share-acknowledgements.ts';
import { isShareEnabled, isShareMemberId } from './share-checks.ts';
import { quotaClientOf, throttle } from './throttle.ts';

export interface ShareFetchDependencies {
  readonly shares: ShareService;
  readonly metadata: MetadataStore;
  /** `fetch.max.bytes`: the most a client gets in one response, whatever it asks for. */
  readonly fetchMaxBytes: () => number;
  /** `consumer_byte_rate`. */
  readonly quota: RateQuota;
}

type TopicAnswer = ShareFetchResponse['responses'][number];
type PartitionAnswer = TopicAnswer['partitions'][number];

/** Share consumers are told of no leader by zeros, where Fetch has -1. */
const NO_LEADER_TOLD = { leaderId: 0, leaderEpoch: 0 };
const NO_REFUSAL: ShareRefusal = { errorCode: ErrorCodes.NONE, errorMessage: null };

/** ShareFetch, versions 1 and 2 (2 adds the acquire mode of KIP-1206 and the renewals of KIP-1222). */
export function shareFetchHandler(
  deps: ShareFetchDependencies,
): ApiHandler<ShareFetchRequest, ShareFetchResponse> {
  return {
    apiKey: ApiKeys.ShareFetch,
    minVersion: 1,
    maxVersion: 2,
    request: shareFetchRequest,
    response: shareFetchResponse,

    async handle(request, context) {
      if (!isShareEnabled(deps.metadata)) return failed(ErrorCodes.UNSUPPORTED_VERSION);
      if (hasProblem(request)) return failed(ErrorCodes.INVALID_REQUEST);
      const session = beginSession(deps.shares, request, context);
      if (session === ErrorCodes.SHARE_SESSION_LIMIT_REACHED)
        await pause(deps.shares, request.maxWaitMs, context);
      if (typeof session === 'number') return failed(session);
      return new ShareFetchRun(deps, { request, context, session }).run();
    },

    errorResponse: (_request, errorCode) => failed(errorCode),
  };
}

/** Whether the request itself is wrong; a renewal must not fetch anything. */
function hasProblem(request: ShareFetchRequest): boolean {
  if (request.groupId === null || !isShareMemberId(request.memberId)) return true;
  const { maxBytes, minBytes, maxRecords, maxWaitMs } = request;
  return request.isRenewAck && [maxBytes, minBytes, maxRecords, maxWaitMs].some((limit) => limit !== 0);
}

function beginSession(
  shares: ShareService,
  request: ShareFetchRequest,
  { connection }: RequestContext,
): ShareSession | number {
  const groupId = request.groupId ?? '';
  const memberId = request.memberId ?? '';
  const added = request.topics.flatMap(({ topicId, partitions }) =>
    partitions.map(({ partitionIndex }) => ({ topicId, partition: partitionIndex })),
  );
  const forgotten = request.forgottenTopicsData.flatMap(({ topicId, partitions }) =>
    partitions.map((partition) => ({ topicId, partition })),
  );
  const session = shares.sessions.fetch({
    groupId,
    memberId,
    epoch: request.shareSessionEpoch,
    connectionId: connection.id,
    added,
    forgotten,
    hasAcknowledgements: acknowledgementsOf(request.topics).length > 0,
  });
  if (typeof session !== 'number' && request.shareSessionEpoch === INITIAL_EPOCH)
    shares.sessionBegan(session, connection);
  return session;
}

/** No room for a session: the client waits as long as it would have waited for records, and does not come back at once. */
function pause({ clock }: ShareService, maxWaitMs: number, { connection }: RequestContext): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(Math.max(0, maxWaitMs), resolve);
    connection.pendingWait = {
      cancel() {
        timer.cancel();
        resolve();
      },
    };
  });
}

interface RunInput {
  readonly request: ShareFetchRequest;
  readonly context: RequestContext;
  readonly session: ShareSession;
}

/** One ShareFetch whose session is in order. */
class ShareFetchRun {
  readonly #deps: ShareFetchDependencies;
  readonly #input: RunInput;
  /** By `topicId:partition`. */
  readonly #acknowledged = new Map<string, ShareRefusal>();
  readonly #fetched = new Map<string, ShareFetchResult>();
  readonly #partitions: readonly SessionPartition[];

  constructor(deps: ShareFetchDependencies, input: RunInput) {
    this.#deps = deps;
    this.#input = input;
    this.#partitions = rotated([...input.session.partitions.values()], input.session.epoch);
  }

  async run(): Promise<ShareFetchResponse> {
    const { request, session } = this.#input;
    const isFinal = request.shareSessionEpoch === FINAL_EPOCH;
    // Before anything is fetched: what is released now may be handed out again by the same request.
    const acknowledging = this.#acknowledge();
    if (isFinal) {
      await acknowledging;
      await this.#deps.shares.endSession(session);
    } else if (request.isRenewAck) {
      await acknowledging;
    } else {
      await Promise.all([acknowledging, this.#fetch()]);
    }
    return this.#answer();
  }

  async #acknowledge(): Promise<void> {
    const { request, session } = this.#input;
    const acknowledgements = acknowledgementsOf(request.topics);
    if (acknowledgements.length === 0) return;
    const how = { member: session, isRenewAllowed: request.isRenewAck };
    const outcomes = await acknowledgeAll(this.#deps, acknowledgements, how);
    for (const [index, outcome] of outcomes.entries()) {
      const { topicId, partition } = acknowledgements[index]!;
      this.#acknowledged.set(`${topicId}:${partition}`, outcome);
    }
  }

  async #fetch(): Promise<void> {
    const { request, context, session } = this.#input;
    const shares: SharePartition[] = [];
    for (const { topicId, partition } of this.#partitions) {
      const opened = this.#open(topicId, partition);
      if (typeof opened !== 'number') shares.push(opened);
      else this.#fetched.set(`${topicId}:${partition}`, refused(opened));
    }
    const isRefused = this.#fetched.size > 0;
    const operation = new ShareFetchOperation(
      shares,
      {
        memberId: session.memberId,
        maxWaitMs: isRefused ? 0 : request.maxWaitMs,
        minBytes: request.minBytes,
        maxBytes: Math.min(
          request.maxBytes,
          this.#deps.fetchMaxBytes(),
          this.#deps.quota.maxAtOnce(quotaClientOf(context)),
        ),
        maxRecords: request.maxRecords,
        batchSize: request.batchSize,
        acquireMode: request.shareAcquireMode,
        isSessionOpen: () => this.#deps.shares.sessions.get(session.groupId, session.memberId) === session,
      },
      this.#deps.shares.clock,
    );
    context.connection.pendingWait = operation;
    context.onSent = () => operation.release();
    for (const [share, result] of await operation.run()) {
      const { topicId, partition } = share.key;
      this.#fetched.set(`${topicId}:${partition}`, result);
    }
  }

  /**
   * A client above its rate gets its records and is not heard for a while. (Kafka gives it nothing, and the records that were
   * acquired for it wait until their locks end.)
   */
  #throttle(): number {
    const { quota } = this.#deps;
    if (!quota.isOn) return 0;
    let bytes = 0;
    for (const { records } of this.#fetched.values()) for (const piece of records) bytes += piece.length;
    return throttle(quota, this.#input.context, bytes);
  }

  #open(topicId: string, partition: number): SharePartition | number {
    const topic = this.#deps.metadata.current().topics.byId.get(topicId);
    if (topic === undefined) return ErrorCodes.UNKNOWN_TOPIC_ID;
    if (topic.partitions[partition] === undefined) return ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    const { groupId } = this.#input.session;
    return this.#deps.shares.partitions.open({ groupId, topicId, partition }, topic.name);
  }

  #answer(): ShareFetchResponse {
    const { session } = this.#input;
    const response = {
      ...failed(0),
      throttleTimeMs: this.#throttle(),
      acquisitionLockTimeoutMs: this.#deps.shares.lockTimeoutMs(session),
    };
    const topics = new Map<string, TopicAnswer>();
    for (const { topicId, partition } of this.#partitions) {
      const name = `${topicId}:${partition}`;
      const fetched = this.#fetched.get(name);
      const acknowledged = this.#acknowledged.get(name);
      if (fetched === undefined && acknowledged === undefined) continue;
      this.#add(topics, { topicId, partition }, response);
    }
    // Acknowledged, and no longer or never a part of the session.
    for (const { topicId, partition } of acknowledgementsOf(this.#input.request.topics)) {
      if (!session.partitions.has(`${topicId}:${partition}`))
        this.#add(topics, { topicId, partition }, response);
    }
    response.responses = [...topics.values()];
    return response;
  }

  #add(
    topics: Map<string, TopicAnswer>,
    { topicId, partition }: { readonly topicId: string; readonly partition: number },
    response: ShareFetchResponse,
  ): void {
    const name = `${topicId}:${partition}`;
    const answer = partitionAnswer(
      partition,
      this.#fetched.get(name),
      this.#acknowledged.get(name) ?? NO_REFUSAL,
    );
    this.#addLeaderHint(topicId, answer, response);
    const topic = topics.get(topicId);
    if (topic === undefined) topics.set(topicId, { topicId, partitions: [answer] });
    else topic.partitions.push(answer);
  }

  #addLeaderHint(topicId: string, answer: PartitionAnswer, response: ShareFetchResponse): void {
    const codes = [answer.errorCode, answer.acknowledgeErrorCode];
    if (
      !codes.some(
        (code) => code === ErrorCodes.NOT_LEADER_OR_FOLLOWER || code === ErrorCodes.FENCED_LEADER_EPOCH,
      )
    )
      return;
    const image = this.#deps.metadata.current();
    const topic = image.topics.byId.get(topicId)?.name;
    if (topic === undefined) return;
    const { leader, endpoint } = leaderHint(image, {
      topic,
      partition: answer.partitionIndex,
      listenerName: this.#input.context.connection.listenerName,
    });
    answer.currentLeader = leader;
    if (endpoint !== null && response.nodeEndpoints.every(({ nodeId }) => nodeId !== endpoint.nodeId))
      response.nodeEndpoints.push(endpoint);
  }
}

/** Each request of a session begins with another partition, so that none is served last for ever. */
function rotated(partitions: readonly SessionPartition[], epoch: number): SessionPartition[] {
  if (partitions.length === 0) return [];
  const start = epoch % partitions.length;
  return [...partitions.slice(start), ...partitions.slice(0, start)];
}

function partitionAnswer(
  partitionIndex: number,
  fetched: ShareFetchResult | undefined,
  acknowledged: ShareRefusal,
): PartitionAnswer {
  return {
    partitionIndex,
    errorCode: fetched?.errorCode ?? 0,
    errorMessage: fetched?.errorMessage ?? null,
    acknowledgeErrorCode: acknowledged.errorCode,
    acknowledgeErrorMessage: acknowledged.errorMessage,
    currentLeader: NO_LEADER_TOLD,
    // The encoder takes a list of buffers by reference; the decoded type knows only one.
    records: (fetched?.records ?? []) as unknown as Buffer,
    acquiredRecords: [...(fetched?.acquired ?? [])],
  };
}

function refused(errorCode: number): ShareFetchResult {
  return { errorCode, errorMessage: errorMessage(errorCode) ?? null, records: [], acquired: [] };
}

/** Kafka leaves the text out here. */
function failed(errorCode: number): ShareFetchResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    acquisitionLockTimeoutMs: 0,
    responses: [],
    nodeEndpoints: [],
  };
}
