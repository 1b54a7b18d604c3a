import type { TimerHandle } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID, type FetchResponse } from '@ottla/protocol';
import { backoffMs } from '../../cluster/backoff.ts';
import { ClosedError } from '../../errors/client-errors.ts';
import { apis } from '../../network/apis.ts';
import type { PartitionState } from '../partition-state.ts';
import { FetchIntake } from './fetch-intake.ts';
import type { FetcherParts } from './fetcher-parts.ts';
import { FetchSession, type FetchPartition, type SessionRequest } from './fetch-session.ts';

/** What is under way at one broker. */
interface NodeFetch {
  readonly session: FetchSession;
  isInFlight: boolean;
  failures: number;
  /** No request before this monotonic time. */
  retryAtMs: number;
  /** The last answer was empty and did not wait, because other partitions had something buffered: these were asked for, and are not again before the time. */
  probed: ReadonlySet<PartitionState>;
  probedUntilMs: number;
}

/** The first version that names topics by id. */
const FIRST_VERSION_WITH_IDS = 13;
/** How much later than it should an answer may come before the connection counts as stuck. */
const ANSWER_PATIENCE_MS = 1_000;
const NOBODY: ReadonlySet<PartitionState> = new Set();

/**
 * Keeps one fetch under way at every broker that has something to give, within the memory bound: what is buffered and what is asked for
 * never exceed `maxBufferedBytes`, so a slow application stops the reading and not the process.
 */
export class Fetcher {
  readonly #parts: FetcherParts;
  readonly #intake: FetchIntake;
  readonly #nodes = new Map<number, NodeFetch>();
  readonly #abort = new AbortController();
  #isPoked = false;
  #isClosed = false;
  /** Asked for and not answered yet. */
  #reservedBytes = 0;
  #timer: TimerHandle | null = null;
  #timerDueMs = Infinity;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
    this.#intake = new FetchIntake({ ...parts, onFreed: () => this.poke() });
  }

  /** Bytes of answers that have not been handed out. */
  get bufferedBytes(): number {
    return this.#intake.bufferedBytes;
  }

  /** Looks for something to fetch, a turn later; cheap to call often. */
  poke(): void {
    if (this.#isPoked || this.#isClosed) return;
    this.#isPoked = true;
    queueMicrotask(() => {
      this.#isPoked = false;
      if (!this.#isClosed) this.#plan();
    });
  }

  /** Pokes when the time has come. */
  pokeAt(atMs: number): void {
    if (this.#isClosed || atMs >= this.#timerDueMs) return;
    const { clock } = this.#parts.cluster.options;
    this.#timer?.cancel();
    this.#timerDueMs = atMs;
    this.#timer = clock.setTimer(Math.max(0, Math.ceil(atMs - clock.monotonicMs())), () => {
      this.#timerDueMs = Infinity;
      this.poke();
    });
  }

  /** Ends what is under way and closes the sessions at the brokers as well as that works within the time. */
  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#abort.abort(new ClosedError('The consumer was closed'));
    const { cluster } = this.#parts;
    // A broker answers in order: a session whose fetch still waits there would make us wait too, and times out by itself.
    const idle = [...this.#nodes].filter(([, node]) => !node.isInFlight);
    await Promise.allSettled(
      idle.map(async ([nodeId, { session }]) => {
        const request = session.close();
        if (request === null || timeoutMs <= 0) return;
        await this.#request(nodeId, request, { maxBytes: 0, maxWaitMs: 0, timeoutMs, signal: undefined });
      }),
    );
    cluster.closeLane(this.#parts.lane);
  }

  #plan(): void {
    const { options, cluster } = this.#parts;
    const nowMs = cluster.options.clock.monotonicMs();
    const byNode = new Map<number, PartitionState[]>();
    const busyNodes = new Set<number>();
    for (const state of this.#parts.states()) {
      if (!this.#isReady(state, nowMs)) continue;
      const nodeId = this.#nodeOf(state, nowMs);
      if (nodeId < 0) continue;
      if (state.bufferedBytes > 0) busyNodes.add(nodeId);
      if (state.bufferedBytes >= Math.max(1, options.maxPartitionFetchBytes)) continue;
      const own = byNode.get(nodeId);
      if (own === undefined) byNode.set(nodeId, [state]);
      else own.push(state);
    }
    for (const [nodeId, wanted] of byNode) this.#fetchFrom(nodeId, wanted, busyNodes.has(nodeId));
    cluster.refreshMetadataIfStale();
  }

  #isReady(state: PartitionState, nowMs: number): boolean {
    if (state.isPaused || state.isParked || state.isLeaving || state.error !== null) return false;
    if (state.phase !== 'ready') {
      if (state.phase === 'unknown' && state.retryAtMs <= nowMs) this.#parts.onTrouble(state);
      return false;
    }
    if (state.retryAtMs > nowMs) {
      this.pokeAt(state.retryAtMs);
      return false;
    }
    return true;
  }

  /** The broker to ask: a replica that the leader preferred for us (KIP-392), else the leader; -1 when there is none just now. */
  #nodeOf(state: PartitionState, nowMs: number): number {
    const { cluster } = this.#parts;
    const known = cluster.partition(state.topic, state.partition);
    if (known === undefined || known.leaderId < 0) {
      cluster.requestMetadataUpdate();
      this.#backOff(state, nowMs);
      return -1;
    }
    if (state.fetchEpoch >= 0 && known.leaderEpoch > state.validatedEpoch) {
      // Another leader since the last check: is what we have read still there? (KIP-320)
      state.phase = 'validating';
      this.#parts.onTrouble(state);
      return -1;
    }
    state.validatedEpoch = Math.max(state.validatedEpoch, known.leaderEpoch);
    if (state.preferredReplica >= 0) {
      if (nowMs < state.preferredUntilMs && cluster.metadata.brokers.has(state.preferredReplica))
        return state.preferredReplica;
      state.preferredReplica = -1;
    }
    return known.leaderId;
  }

  #backOff(state: PartitionState, nowMs: number): void {
    state.retryAtMs = nowMs + this.#parts.cluster.options.retryBackoffMs;
    this.pokeAt(state.retryAtMs);
  }

  #fetchFrom(nodeId: number, wanted: readonly PartitionState[], isBusy: boolean): void {
    const { options, cluster } = this.#parts;
    const node = this.#nodes.get(nodeId) ?? {
      session: new FetchSession(),
      isInFlight: false,
      failures: 0,
      retryAtMs: 0,
      probed: NOBODY,
      probedUntilMs: 0,
    };
    this.#nodes.set(nodeId, node);
    if (node.isInFlight) return;
    const nowMs = cluster.options.clock.monotonicMs();
    if (node.retryAtMs > nowMs) return this.pokeAt(node.retryAtMs);
    // Nothing new to ask for: the empty answer of a moment ago still holds.
    if (isBusy && nowMs < node.probedUntilMs && wanted.every((state) => node.probed.has(state)))
      return this.pokeAt(node.probedUntilMs);
    const maxBytes = this.#takeRoom();
    if (maxBytes < 0) return;
    // While others have something buffered, the broker must not hold the answer back: they may need to be asked for at any time.
    const maxWaitMs = isBusy ? 0 : options.fetchMaxWaitMs;
    node.isInFlight = true;
    node.probed = NOBODY;
    void this.#run(nodeId, node, { wanted, maxBytes, maxWaitMs });
  }

  /** Bytes that the next answer may have; -1 when it has to wait until something is handed out. */
  #takeRoom(): number {
    const { maxBufferedBytes, fetchMaxBytes } = this.#parts.options;
    const used = this.#intake.bufferedBytes + this.#reservedBytes;
    const free = maxBufferedBytes - used;
    // Small remains are not worth a request each.
    if (used > 0 && free < Math.min(fetchMaxBytes, maxBufferedBytes / 4)) return -1;
    const maxBytes = Math.min(fetchMaxBytes, Math.max(free, 1), Math.ceil(maxBufferedBytes / 2));
    this.#reservedBytes += maxBytes;
    return maxBytes;
  }

  async #run(
    nodeId: number,
    node: NodeFetch,
    plan: {
      readonly wanted: readonly PartitionState[];
      readonly maxBytes: number;
      readonly maxWaitMs: number;
    },
  ): Promise<void> {
    const { cluster, options } = this.#parts;
    const { clock, requestTimeoutMs } = cluster.options;
    const versions = new Map(plan.wanted.map((state) => [state, state.version]));
    const request = node.session.next(plan.wanted.map((state) => this.#partitionOf(state)));
    const startedMs = clock.monotonicMs();
    try {
      const answer = await this.#request(nodeId, request, {
        maxBytes: plan.maxBytes,
        maxWaitMs: plan.maxWaitMs,
        timeoutMs: Math.max(requestTimeoutMs, plan.maxWaitMs + ANSWER_PATIENCE_MS),
        signal: this.#abort.signal,
      });
      if (this.#isClosed) return;
      if (node.session.handle(answer)) {
        node.failures = 0;
        const latencyMs = clock.monotonicMs() - startedMs;
        const count = this.#intake.take(node.session, answer, { asked: versions, latencyMs });
        if (count === 0 && plan.maxWaitMs < options.fetchMaxWaitMs) this.#rest(node, plan.wanted);
      } else this.#onSessionError(node, answer);
    } catch (error) {
      node.session.reset();
      if (this.#isClosed) return;
      node.retryAtMs = clock.monotonicMs() + this.#delayMs(node);
      node.failures += 1;
      for (const state of plan.wanted) if (state.preferredReplica === nodeId) state.preferredReplica = -1;
      cluster.requestMetadataUpdate();
      cluster.options.logger.debug({ err: error, nodeId }, 'A fetch failed and is tried again');
    } finally {
      node.isInFlight = false;
      this.#reservedBytes -= plan.maxBytes;
      this.poke();
    }
  }

  #rest(node: NodeFetch, wanted: readonly PartitionState[]): void {
    const { cluster, options } = this.#parts;
    node.probed = new Set(wanted);
    node.probedUntilMs = cluster.options.clock.monotonicMs() + options.fetchMaxWaitMs;
  }

  #delayMs(node: NodeFetch): number {
    const { retryBackoffMs, retryBackoffMaxMs, random } = this.#parts.cluster.options;
    return backoffMs({ initialMs: retryBackoffMs, maxMs: retryBackoffMaxMs }, node.failures, random);
  }

  /** A session that was lost begins anew at once; a broker that fails again is given time. */
  #onSessionError(node: NodeFetch, { errorCode }: FetchResponse): void {
    const { cluster } = this.#parts;
    if (node.failures > 0) node.retryAtMs = cluster.options.clock.monotonicMs() + this.#delayMs(node);
    node.failures += 1;
    const isTopicId =
      errorCode === ErrorCodes.FETCH_SESSION_TOPIC_ID_ERROR ||
      errorCode === ErrorCodes.UNKNOWN_TOPIC_ID ||
      errorCode === ErrorCodes.INCONSISTENT_TOPIC_ID;
    if (isTopicId) cluster.requestMetadataUpdate();
  }

  #partitionOf(state: PartitionState): FetchPartition {
    const { cluster, options } = this.#parts;
    return {
      topic: state.topic,
      topicId: cluster.metadata.topics.get(state.topic)?.topicId ?? ZERO_UUID,
      partition: state.partition,
      currentLeaderEpoch: cluster.partition(state.topic, state.partition)?.leaderEpoch ?? -1,
      fetchOffset: state.fetchOffset,
      partitionMaxBytes: options.maxPartitionFetchBytes,
    };
  }

  #request(
    nodeId: number,
    request: SessionRequest,
    limits: {
      readonly maxBytes: number;
      readonly maxWaitMs: number;
      readonly timeoutMs: number;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<FetchResponse> {
    const { cluster, options, lane } = this.#parts;
    const { sessionId, sessionEpoch, topics, forgottenTopicsData } = request;
    const body = {
      maxWaitMs: limits.maxWaitMs,
      minBytes: limits.maxWaitMs === 0 ? 0 : options.fetchMinBytes,
      maxBytes: limits.maxBytes,
      isolationLevel: options.isReadCommitted ? 1 : 0,
      sessionId,
      sessionEpoch,
      topics,
      forgottenTopicsData,
      rackId: cluster.options.clientRack,
    };
    return cluster.request(
      nodeId,
      apis.fetch,
      // Before sessions there is no way to forget; every request is full.
      (version) =>
        version >= 7 ? body : { ...body, sessionId: 0, sessionEpoch: -1, forgottenTopicsData: [] },
      {
        lane,
        timeoutMs: limits.timeoutMs,
        signal: limits.signal,
        maxVersion: request.needsNames ? FIRST_VERSION_WITH_IDS - 1 : undefined,
      },
    );
  }
}
