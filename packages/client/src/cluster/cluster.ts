import { ErrorCodes } from '@ottla/protocol';
import { ClosedError, ConnectionError, TimeoutError } from '../errors/client-errors.ts';
import { brokerError, isKafkaError, isRetriableError } from '../errors/kafka-error.ts';
import type { Api, RequestBody } from '../network/api.ts';
import { apis } from '../network/apis.ts';
import type { Connection } from '../network/connection.ts';
import type { BrokerFeatures, VersionRange } from '../network/handshake.ts';
import type { ResolvedClientOptions } from '../options/client-options.ts';
import { Connections, MAIN_LANE } from './connections.ts';
import { COORDINATOR_TYPES, Coordinators, type CoordinatorType } from './coordinators.ts';
import type { CallLimits } from './limits.ts';
import { MetadataUpdater, type RefreshRequest } from './metadata-updater.ts';
import type {
  BrokerNode,
  ClusterMetadata,
  LeaderHint,
  PartitionMetadata,
  TopicMetadata,
} from './metadata.ts';
import { retry, type Attempt, type RetryOptions } from './retry.ts';
import { waitFor } from './wait.ts';

/** Who gets a request: a node by its id, any broker, the controller, or the coordinator of a group or transactional id. */
export type Target =
  | number
  | 'any'
  | 'controller'
  | { readonly coordinator: CoordinatorType; readonly key: string };

export interface RequestOptions extends CallLimits {
  /**
   * Requests of one lane and node share a connection and are answered in order. Give what may wait at the broker (Fetch, JoinGroup)
   * a lane of its own, and close it with `closeLane` when its user ends. Default: `main`.
   */
  readonly lane?: string | undefined;
  readonly minVersion?: number | undefined;
  readonly maxVersion?: number | undefined;
  /** False for requests that are not answered. Default: true. */
  readonly expectsResponse?: boolean | undefined;
}

export interface TopicsOptions extends CallLimits {
  readonly allowAutoTopicCreation?: boolean;
}

/**
 * The cluster as the producer, the consumers and the admin see it: who leads and coordinates what, and requests to them.
 * Nothing is sent before the first request; everything shares the connections.
 */
export class Cluster {
  readonly options: ResolvedClientOptions;
  readonly #connections: Connections;
  readonly #updater: MetadataUpdater;
  readonly #coordinators: Coordinators;
  /** Aborted when the cluster is closed. */
  readonly #closing = new AbortController();

  constructor(options: ResolvedClientOptions) {
    this.options = options;
    this.#connections = new Connections(options, this.#closing.signal);
    this.#updater = new MetadataUpdater(options, this.#connections);
    this.#coordinators = new Coordinators(
      (type, key) => this.#findCoordinator(type, key),
      ({ nodeId, host, port }) => this.#connections.setAddress(nodeId, { host, port }),
    );
  }

  /** What is known now; empty before the first request. */
  get metadata(): ClusterMetadata {
    return this.#updater.current;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Connections that are open or being opened. */
  get connectionCount(): number {
    return this.#connections.openCount;
  }

  /**
   * Sends one request, once: no error of it is retried here, and error codes inside the answer are the caller's to look at.
   * Rejects with ConnectionError, TimeoutError, UnsupportedApiVersionError, AuthenticationError, BrokenProtocolError, ClosedError or the signal's reason.
   */
  async request<Req, Res>(
    target: Target,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    options: RequestOptions = {},
  ): Promise<Res> {
    const { clock, requestTimeoutMs } = this.options;
    const timeoutMs = options.timeoutMs ?? requestTimeoutMs;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const nodeId =
      typeof target === 'number' ? target : await this.#resolve(target, { ...options, timeoutMs });
    const lane = options.lane ?? MAIN_LANE;
    let connection = this.#connections.existing(nodeId, lane);
    try {
      connection ??= await this.#connections.acquire(nodeId, lane, {
        timeoutMs: deadlineMs - clock.monotonicMs(),
        signal: options.signal,
      });
      return await connection.send(api, body, {
        ...options,
        timeoutMs: Math.max(0, deadlineMs - clock.monotonicMs()),
      });
    } catch (error) {
      this.#onFailure(error, nodeId, connection);
      throw error;
    }
  }

  /** Makes attempts with backoff until one succeeds, fails for good or the time is up. */
  retry<T>(options: RetryOptions, attempt: (attempt: Attempt) => Promise<T>): Promise<T> {
    return retry(this.options, { ...options, closed: this.#closing.signal }, attempt);
  }

  /**
   * The named topics, from what is known or from a broker. Waits for topics that do not exist yet or have no leader, until the time is up:
   * then rejects with the topic's own error, such as UNKNOWN_TOPIC_OR_PARTITION.
   */
  async topics(names: readonly string[], options: TopicsOptions = {}): Promise<Map<string, TopicMetadata>> {
    this.#updater.use(names);
    const known = names.every((name) => this.#updater.isFresh(name)) ? this.#pickTopics(names) : null;
    if (known !== null) return known;
    const what = `Finding topic ${names.map((name) => `"${name}"`).join(', ')}`;
    try {
      return await this.retry({ ...options, what }, async ({ remainingMs, signal }) => {
        const { allowAutoTopicCreation = false } = options;
        await this.#updater.refresh(
          { topics: names, allowAutoTopicCreation },
          { timeoutMs: remainingMs, signal },
        );
        return this.#pickTopics(names) ?? this.#throwTopicError(names);
      });
    } catch (error) {
      // The reason is more than the fact that time passed.
      if (
        error instanceof TimeoutError &&
        isKafkaError(error.cause) &&
        !(error.cause instanceof TimeoutError)
      )
        throw error.cause;
      throw error;
    }
  }

  /** Fetches newer metadata: of the topics in use and of those given. */
  refreshMetadata(request: RefreshRequest = {}, limits: CallLimits = {}): Promise<ClusterMetadata> {
    return this.#updater.refresh(request, limits);
  }

  /** Wants newer metadata soon, after an error that says that it is old; cheap to call often. */
  requestMetadataUpdate(): void {
    this.#updater.requestUpdate();
  }

  /** Fetches newer metadata when it is older than `metadata.max.age.ms`; call it now and then from a running loop. */
  refreshMetadataIfStale(): void {
    if (this.#updater.isStale) this.#updater.requestUpdate();
  }

  /**
   * The topic is in use: refreshes include it for a while, and one follows soon when what is known of it is older than
   * `metadata.max.age.ms`. Cheap; call it whenever the topic is used.
   */
  keepFresh(topic: string): void {
    this.#updater.use([topic]);
    if (!this.#updater.isFresh(topic)) this.#updater.requestUpdate();
  }

  /** Includes the topics in every refresh until the returned function is called. */
  trackTopics(names: Iterable<string>): () => void {
    return this.#updater.track(names);
  }

  /** Called with each new metadata; returns how to end that. */
  onMetadata(listener: (metadata: ClusterMetadata) => void): () => void {
    return this.#updater.subscribe(listener);
  }

  /**
   * The partition as known now; undefined when it is not. What is only looked up here is not kept up to date: call `topics` now and
   * then, `keepFresh` when it is used, or `trackTopics` for as long as it is.
   */
  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.#updater.current.topics.get(topic)?.partitions[partition];
  }

  /** Applies the leaders that a Produce, Fetch or ShareFetch answer told of (KIP-951); true when they are news. */
  applyLeaderHints(hints: readonly LeaderHint[], endpoints: readonly BrokerNode[]): boolean {
    return this.#updater.applyHints(hints, endpoints);
  }

  /** The node that coordinates the group or transactional id, found anew when it is not remembered; waits until there is one. */
  async coordinator(type: CoordinatorType, key: string, limits: CallLimits = {}): Promise<number> {
    const known = this.#coordinators.known(type, key);
    if (known !== undefined) return known;
    const what = `Finding the coordinator of ${type} "${key}"`;
    return this.retry({ ...limits, what }, ({ remainingMs, signal }) =>
      waitFor(this.#coordinators.find(type, key), this.options.clock, {
        timeoutMs: remainingMs,
        signal,
        onTimeout: () => new TimeoutError(`${what} took longer than ${remainingMs} ms`, remainingMs),
      }),
    );
  }

  /** The remembered coordinator is no longer it: after NOT_COORDINATOR or COORDINATOR_NOT_AVAILABLE. */
  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.forget(type, key);
  }

  /** What a node said about itself; connects to it when that is not known. */
  async features(target: Target, limits: CallLimits = {}): Promise<BrokerFeatures> {
    const nodeId = typeof target === 'number' ? target : await this.#resolve(target, limits);
    const known = this.#connections.features(nodeId);
    if (known !== null) return known;
    // Any request will do; this one costs next to nothing.
    await this.request(
      nodeId,
      apis.apiVersions,
      { clientSoftwareName: 'ottla', clientSoftwareVersion: '0.1.0' },
      { ...limits, maxVersion: 4 },
    );
    const features = this.#connections.features(nodeId);
    if (features === null) throw new ConnectionError(`Node ${nodeId} was lost`, { host: '', port: 0 });
    return features;
  }

  /** Versions of an API at a node that was connected to before; undefined when it does not serve the API or is not known. */
  versionsOf(nodeId: number, api: { readonly key: number }): VersionRange | undefined {
    return this.#connections.features(nodeId)?.versions.get(api.key);
  }

  /** Closes the connections of a lane that is not used any more. */
  closeLane(lane: string): void {
    this.#connections.closeLane(lane);
  }

  /** Closes every connection; calls that wait reject with ClosedError. Idempotent. */
  close(): void {
    this.#closing.abort(new ClosedError('The client is closed'));
    this.#updater.close();
    this.#connections.close();
  }

  async #resolve(target: Exclude<Target, number>, limits: CallLimits): Promise<number> {
    this.#closing.signal.throwIfAborted();
    if (typeof target === 'object') return this.coordinator(target.coordinator, target.key, limits);
    if (this.#updater.current.updatedMs < 0) await this.#updater.refresh({}, limits);
    if (target === 'any') return this.#updater.candidates()[0]!;
    if (!this.#updater.current.brokers.has(this.#updater.current.controllerId))
      await this.#updater.refresh({}, limits);
    const { controllerId, brokers } = this.#updater.current;
    if (!brokers.has(controllerId))
      throw brokerError(ErrorCodes.NOT_CONTROLLER, 'The cluster has no controller just now');
    return controllerId;
  }

  /** What is known of the node may be old: it cannot be reached, or has let a connection die. */
  #onFailure(error: unknown, nodeId: number, connection: Connection | undefined): void {
    const isStuck = error instanceof TimeoutError && connection?.isClosed === true;
    if (this.isClosed || (!isStuck && !(error instanceof ConnectionError))) return;
    this.#coordinators.forgetNode(nodeId);
    this.#updater.requestUpdate();
  }

  #findCoordinator(
    type: CoordinatorType,
    key: string,
  ): ReturnType<ConstructorParameters<typeof Coordinators>[0]> {
    const keyType = COORDINATOR_TYPES[type];
    return this.request(
      'any',
      apis.findCoordinator,
      (version) => (version >= 4 ? { keyType, coordinatorKeys: [key] } : { keyType, key }),
      // Version 1 brought transactions.
      { minVersion: 1 },
    );
  }

  #pickTopics(names: readonly string[]): Map<string, TopicMetadata> | null {
    const picked = new Map<string, TopicMetadata>();
    for (const name of names) {
      const topic = this.#updater.current.topics.get(name);
      if (topic === undefined) return null;
      picked.set(name, topic);
    }
    return picked;
  }

  #throwTopicError(names: readonly string[]): never {
    const { topics, topicErrors } = this.#updater.current;
    const missing = names.filter((name) => !topics.has(name));
    // One that cannot be retried comes first.
    const errors = missing.map((name) =>
      brokerError(topicErrors.get(name) ?? ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, null, `topic "${name}"`),
    );
    throw errors.find((error) => !isRetriableError(error)) ?? errors[0]!;
  }
}
