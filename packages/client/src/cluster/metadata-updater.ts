import { ErrorCodes, type MetadataResponse } from '@ottla/protocol';
import { AuthenticationError, ConnectionError, TimeoutError } from '../errors/client-errors.ts';
import { brokerError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { ResolvedClientOptions } from '../options/client-options.ts';
import { MAIN_LANE, type Connections } from './connections.ts';
import { firstSuccess } from './first-success.ts';
import type { CallLimits } from './limits.ts';
import { applyLeaderHints, mergeMetadata, type Asked } from './merge-metadata.ts';
import { EMPTY_METADATA, type BrokerNode, type ClusterMetadata, type LeaderHint } from './metadata.ts';
import { waitFor } from './wait.ts';

/** What a refresh asks for. */
export interface RefreshRequest {
  /** Beside the topics that are in use; `all` for every topic there is. */
  readonly topics?: Iterable<string> | 'all';
  /** Lets the broker create topics that do not exist, where its `auto.create.topics.enable` allows it. Default: false. */
  readonly allowAutoTopicCreation?: boolean;
}

interface Refresh {
  asked: Asked;
  /** Topics that may be created by being asked for: those alone, since the others' users may not want that. */
  readonly created: Set<string>;
  readonly promise: Promise<ClusterMetadata>;
}

/** Topics that nobody has asked for in this time are no longer refreshed (`metadata.max.idle.ms`). */
const MAX_IDLE_MS = 300_000;
/** A broker that says nothing for this long is given competition. */
const PATIENCE_MS = 1_000;

/**
 * Keeps the cluster's metadata. Any number of callers that want newer metadata share one request: those that ask while one is under
 * way share the next, since the one under way may be older than what they have seen.
 */
export class MetadataUpdater {
  readonly #options: ResolvedClientOptions;
  readonly #connections: Connections;
  readonly #listeners = new Set<(metadata: ClusterMetadata) => void>();
  /** Topics in use, with the monotonic time of the last use. */
  readonly #usedMs = new Map<string, number>();
  /** When each topic that is known was given by a broker last. */
  #refreshedMs = new Map<string, number>();
  /** Topics that are refreshed until they are released, with the number of users. */
  readonly #tracked = new Map<string, number>();
  #current: ClusterMetadata = EMPTY_METADATA;
  #running: Promise<ClusterMetadata> | null = null;
  #next: Refresh | null = null;
  #isUpdateRequested = false;
  /** Monotonic time of the first of the failures since the last success; -1 when the last one succeeded. */
  #failingSinceMs = -1;
  #isClosed = false;

  constructor(options: ResolvedClientOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    for (const [index, address] of options.bootstrap.entries()) connections.setAddress(-1 - index, address);
  }

  get current(): ClusterMetadata {
    return this.#current;
  }

  /** Whether what is known of the topic is no older than `metadata.max.age.ms`. */
  isFresh(name: string): boolean {
    const refreshedMs = this.#refreshedMs.get(name);
    return (
      refreshedMs !== undefined &&
      this.#options.clock.monotonicMs() - refreshedMs <= this.#options.metadataMaxAgeMs
    );
  }

  /** Whether the metadata is older than `metadata.max.age.ms`. */
  get isStale(): boolean {
    const { updatedMs } = this.#current;
    return updatedMs < 0 || this.#options.clock.monotonicMs() - updatedMs > this.#options.metadataMaxAgeMs;
  }

  /** Called with each new metadata; returns how to end that. */
  subscribe(listener: (metadata: ClusterMetadata) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Includes the topics in every refresh until the returned function is called. */
  track(names: Iterable<string>): () => void {
    const held = [...names];
    for (const name of held) this.#tracked.set(name, (this.#tracked.get(name) ?? 0) + 1);
    return () => {
      for (const name of held.splice(0)) {
        const count = (this.#tracked.get(name) ?? 1) - 1;
        if (count > 0) this.#tracked.set(name, count);
        else this.#tracked.delete(name);
      }
    };
  }

  /** Notes that the topics are in use, so that refreshes include them for a while. */
  use(names: Iterable<string>): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const name of names) this.#usedMs.set(name, nowMs);
  }

  /** Fetches metadata that is newer than the call. Rejects with the failure of the last broker that was tried. */
  refresh(request: RefreshRequest, limits: CallLimits): Promise<ClusterMetadata> {
    const timeoutMs = limits.timeoutMs ?? this.#options.requestTimeoutMs;
    return waitFor(this.#join(request), this.#options.clock, {
      timeoutMs,
      signal: limits.signal,
      onTimeout: () => this.#timeoutError(timeoutMs),
    });
  }

  /** Wants newer metadata some time soon: after an error that says that it is old. Never rejects, and is cheap to call often. */
  requestUpdate(): void {
    if (this.#isUpdateRequested || this.#isClosed) return;
    this.#isUpdateRequested = true;
    const { clock, retryBackoffMs } = this.#options;
    const sinceMs = clock.monotonicMs() - this.#current.updatedMs;
    const run = (): void => {
      this.#isUpdateRequested = false;
      if (this.#isClosed) return;
      this.#join({}).catch((error: unknown) =>
        this.#options.logger.debug({ err: error }, 'Refreshing the metadata failed'),
      );
    };
    if (sinceMs >= retryBackoffMs) run();
    else this.#updateTimer = clock.setTimer(retryBackoffMs - sinceMs, run);
  }

  #updateTimer: { cancel(): void } | null = null;

  /** Applies leaders that an answer told of (KIP-951); true when they are news. */
  applyHints(hints: readonly LeaderHint[], endpoints: readonly BrokerNode[]): boolean {
    const after = applyLeaderHints(this.#current, hints, endpoints);
    if (after === this.#current) return false;
    this.#publish(after);
    return true;
  }

  /** Begins again with the bootstrap addresses (KIP-899, KIP-1102). */
  rebootstrap(): void {
    this.#options.logger.info(
      {},
      'No broker that is known can be used: beginning again with the bootstrap addresses',
    );
    this.#failingSinceMs = -1;
    this.#connections.retain(new Set());
    for (const [index, address] of this.#options.bootstrap.entries())
      this.#connections.setAddress(-1 - index, address);
    this.#publish({ ...this.#current, brokers: new Map(), controllerId: -1 });
  }

  /** Nothing is fetched any more. */
  close(): void {
    this.#isClosed = true;
    this.#updateTimer?.cancel();
    this.#listeners.clear();
  }

  /** Nodes to ask, best first: connected ones with the fewest requests, then by when they may be tried. */
  candidates(): number[] {
    const { random } = this.#options;
    const known = [...this.#current.brokers.keys()];
    const nodes = known.length > 0 ? known : this.#options.bootstrap.map((_, index) => -1 - index);
    const nowMs = this.#options.clock.monotonicMs();
    return nodes
      .map((nodeId) => {
        const load = this.#connections.load(nodeId);
        const rank = load.isReady ? load.pendingCount : 1_000_000 + Math.max(0, load.retryAtMs - nowMs);
        return { nodeId, rank, tie: random.nextInt(1_000) };
      })
      .sort((a, b) => a.rank - b.rank || a.tie - b.tie)
      .map(({ nodeId }) => nodeId);
  }

  #join(request: RefreshRequest): Promise<ClusterMetadata> {
    const next = (this.#next ??= this.#createNext());
    const topics = request.topics ?? [];
    if (topics === 'all') next.asked = 'all';
    else if (request.allowAutoTopicCreation === true) for (const name of topics) next.created.add(name);
    else if (next.asked !== 'all') next.asked = new Set([...next.asked, ...topics]);
    return next.promise;
  }

  /** The refresh that begins when the running one is over; a turn later when none runs, so that callers of one turn share it. */
  #createNext(): Refresh {
    const before = this.#running ?? Promise.resolve();
    const promise = before.then(
      () => this.#start(),
      () => this.#start(),
    );
    // Everybody who waits has a promise of its own; nobody may be waiting any more.
    promise.catch(() => {});
    return { asked: new Set<string>(), created: new Set<string>(), promise };
  }

  async #start(): Promise<ClusterMetadata> {
    const request = this.#next!;
    this.#next = null;
    const run = this.#run(request);
    this.#running = run;
    try {
      return await run;
    } finally {
      if (this.#running === run) this.#running = null;
    }
  }

  async #run(request: Refresh): Promise<ClusterMetadata> {
    const { created } = request;
    const asked = request.asked === 'all' ? 'all' : new Set([...request.asked, ...this.#topicsInUse()]);
    if (asked !== 'all') for (const name of created) asked.delete(name);
    try {
      if (created.size > 0) this.#accept(await this.#fetchFromAny(created, true), created);
      if (created.size === 0 || asked === 'all' || asked.size > 0)
        this.#accept(await this.#fetchFromAny(asked, false), asked);
      this.#failingSinceMs = -1;
      return this.#current;
    } catch (error) {
      if (this.#failingSinceMs < 0) this.#failingSinceMs = this.#options.clock.monotonicMs();
      throw error;
    }
  }

  #topicsInUse(): string[] {
    const oldestMs = this.#options.clock.monotonicMs() - MAX_IDLE_MS;
    for (const [name, usedMs] of this.#usedMs) if (usedMs < oldestMs) this.#usedMs.delete(name);
    return [...this.#usedMs.keys(), ...this.#tracked.keys()];
  }

  async #fetchFromAny(asked: Asked, allowAutoTopicCreation: boolean): Promise<MetadataResponse> {
    const { clock, metadataRecoveryStrategy, metadataRecoveryRebootstrapTriggerMs } = this.#options;
    const mayRebootstrap = metadataRecoveryStrategy === 'rebootstrap' && this.#current.brokers.size > 0;
    const failedMs = this.#failingSinceMs < 0 ? 0 : clock.monotonicMs() - this.#failingSinceMs;
    if (mayRebootstrap && failedMs > metadataRecoveryRebootstrapTriggerMs) this.rebootstrap();
    const isFinal = (error: unknown): boolean => this.#isClosed || error instanceof AuthenticationError;
    try {
      return await firstSuccess(clock, this.candidates(), { patienceMs: PATIENCE_MS, isFinal }, (nodeId) =>
        this.#fetch(nodeId, asked, allowAutoTopicCreation),
      );
    } catch (error) {
      const isOneConnected = [...this.#current.brokers.keys()].some(
        (nodeId) => this.#connections.load(nodeId).isReady,
      );
      // The next attempt begins with the addresses that were configured, which may lead to brokers that have moved.
      if (mayRebootstrap && !isFinal(error) && !isOneConnected) this.rebootstrap();
      throw error;
    }
  }

  async #fetch(nodeId: number, asked: Asked, allowAutoTopicCreation: boolean): Promise<MetadataResponse> {
    const timeoutMs = this.#options.requestTimeoutMs;
    const connection = await this.#connections.acquire(nodeId, MAIN_LANE, { timeoutMs });
    const topics = asked === 'all' ? null : [...asked].map((name) => ({ name }));
    // Before version 4 asking for a topic creates it where the broker allows that.
    const body = (version: number) => (version >= 4 ? { topics, allowAutoTopicCreation } : { topics });
    const answer = await connection.send(apis.metadata, body, { timeoutMs });
    if (answer.errorCode === ErrorCodes.REBOOTSTRAP_REQUIRED) {
      if (this.#options.metadataRecoveryStrategy === 'rebootstrap') this.rebootstrap();
      throw new ConnectionError('The broker asks to begin again with the bootstrap addresses', connection);
    }
    if (answer.errorCode !== ErrorCodes.NONE) throw brokerError(answer.errorCode, null, 'Metadata');
    if (answer.brokers.length === 0)
      throw new ConnectionError(`${connection.host}:${connection.port} knows no broker yet`, connection);
    return answer;
  }

  #accept(answer: MetadataResponse, asked: Asked): void {
    const connections = this.#connections;
    for (const broker of answer.brokers) connections.setAddress(broker.nodeId, broker);
    const addresses = this.#options.bootstrap.map((_, index) => -1 - index);
    for (const addressId of addresses) {
      for (const { nodeId } of answer.brokers) connections.adopt(addressId, nodeId);
      connections.closeIdle(addressId);
    }
    connections.retain(new Set([...addresses, ...answer.brokers.map(({ nodeId }) => nodeId)]));
    const nowMs = this.#options.clock.monotonicMs();
    if (asked === 'all') this.#refreshedMs = new Map();
    for (const { name } of answer.topics) if (name !== null) this.#refreshedMs.set(name, nowMs);
    this.#publish(mergeMetadata(this.#current, answer, asked, nowMs));
  }

  #publish(metadata: ClusterMetadata): void {
    this.#current = metadata;
    for (const { nodeId, host, port } of metadata.brokers.values())
      this.#connections.setAddress(nodeId, { host, port });
    for (const listener of this.#listeners) listener(metadata);
  }

  #timeoutError(timeoutMs: number): TimeoutError {
    const candidates = this.candidates();
    const failures = candidates
      .map((nodeId) => this.#connections.lastError(nodeId))
      .filter((error) => error !== null);
    const silent = candidates
      .map((nodeId) => this.#connections.existing(nodeId, MAIN_LANE))
      .filter((connection) => connection !== undefined)
      .map(({ host, port }) => `${host}:${port} has not answered; is it a Kafka broker?`);
    const reasons = failures.length === 0 ? silent : failures.map(({ message }) => message);
    const reason = reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
    return new TimeoutError(`No metadata within ${timeoutMs} ms${reason}`, timeoutMs, failures[0]);
  }
}
