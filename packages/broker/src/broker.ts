import { resolve } from 'node:path';
import { hostName, NodeClock, NodeDisk, NodeRandom, SILENT_LOGGER } from '@ottla/platform';
import type { Clock, Disk, Logger, Random } from '@ottla/platform';
import {
  cleanerThreadUrl,
  LogManager,
  type RecordMemory,
  ThreadCleanRunner,
  type CleanerOptions,
} from '@ottla/storage';
import { BrokerConfigState } from './broker-config-state.ts';
import { BrokerInterventions } from './broker-interventions.ts';
import { endpointsToAdvertise, listenersToBind } from './broker-endpoints.ts';
import { BrokerConfig } from './config/broker-config.ts';
import { parseConnectionOverrides } from './config/broker-rules.ts';
import { cleanerSettings } from './config/cleaner-settings.ts';
import { moveBytesPerSecond } from './config/move-rate.ts';
import { ConfigResourceType } from './metadata/image.ts';
import { GroupConfigs } from './config/group-config.ts';
import { ConfigError } from './config/config-error.ts';
import { ResourceConfigRules } from './config/resource-rules.ts';
import { AutoTopicCreation } from './controller/auto-topic-creation.ts';
import { internalTopicSpec } from './controller/internal-topics.ts';
import { LocalController } from './controller/local-controller.ts';
import { consumerGroupTimings } from './coordinator/group/consumer/consumer-group-config.ts';
import { GroupCoordinator } from './coordinator/group/group-coordinator.ts';
import { groupCoordinatorConfig } from './coordinator/group/group-coordinator-config.ts';
import { MarkerWriter } from './coordinator/transaction/marker-writer.ts';
import { transactionConfig } from './coordinator/transaction/transaction-config.ts';
import { TransactionCoordinator } from './coordinator/transaction/transaction-coordinator.ts';
import { apiHandlers } from './handlers/api-handlers.ts';
import type { MetadataStore } from './metadata/image.ts';
import { dispatchAfter } from './network/dispatch-after.ts';
import { ConnectionRates } from './quota/connection-rates.ts';
import { quotaSampling } from './quota/quota-sampling.ts';
import { RequestTimeQuota } from './quota/request-time-quota.ts';
import { RequestDispatcher } from './network/request-dispatcher.ts';
import type { Dispatch } from './network/request-dispatcher.ts';
import { intercepted, type RequestInterceptor } from './network/request-interceptor.ts';
import { SocketServer } from './network/socket-server.ts';
import { quorumVoters } from './quorum-voters.ts';
import { ProducerIdSource } from './replica/producer-id-source.ts';
import { ReplicaManager } from './replica/replica-manager.ts';
import { openShares, ShareSettings } from './broker-shares.ts';
import { InternalTopicCreation } from './coordinator/group/streams/internal-topic-creation.ts';
import { streamsGroupSettings } from './coordinator/group/streams/streams-group-config.ts';
import { StreamsGroupService } from './coordinator/group/streams/streams-group-service.ts';
import type { ShareParts } from './handlers/share-handlers.ts';
import { GROUP_METADATA_TOPIC, SHARE_GROUP_STATE_TOPIC } from './controller/topic-names.ts';

export interface BrokerOptions {
  /** Kafka's broker properties by name, as in `server.properties`. */
  readonly properties: ReadonlyMap<string, string> | Readonly<Record<string, string>>;
  readonly logger?: Logger;
  readonly disk?: Disk;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Asked about each request before it is served, to delay it, refuse it or close its connection; for test kits. */
  readonly intercept?: RequestInterceptor;
  /** Told while logs are loaded after a start; `remaining` counts the logs still to load. */
  readonly onLoadProgress?: (progress: LoadProgress) => void;
  /** The broker cannot go on (metadata log or every log directory failed) and has stopped serving. */
  readonly onFatal?: (error: unknown) => void;
}

export interface LoadProgress {
  readonly dir: string;
  readonly log: string;
  readonly remaining: number;
  /** The previous run did not end cleanly: the log is being checked. */
  readonly recovering: boolean;
}

/** A listener as bound: its name and the address that clients can use from this machine. */
export interface BoundListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** How long running requests may take to finish in a clean stop. */
const CLOSE_GRACE_MS = 1_000;

/**
 * Starts a broker with its embedded controller and resolves when it serves clients.
 * Rejects with a ConfigError, a LogDirUnusableError or the system's error; whatever was opened is closed by then.
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { properties } = options;
  const map = properties instanceof Map ? properties : new Map(Object.entries(properties));
  const broker = new Broker(options, BrokerConfig.parse(map));
  await broker.start();
  return broker;
}

/** A running broker: every part, started in the order in which they need each other and stopped in reverse. */
export class Broker implements AsyncDisposable {
  readonly config: BrokerConfig;
  readonly #logger: Logger;
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #options: BrokerOptions;
  readonly #configState: BrokerConfigState;
  /** What is undone by a stop, newest last. */
  readonly #stoppers: (() => void | Promise<void>)[] = [];
  #closing: Promise<void> | null = null;
  #logManager: LogManager | null = null;
  #replicas: ReplicaManager | null = null;
  #controller: LocalController | null = null;
  #interventions: BrokerInterventions | null = null;
  #listeners: readonly BoundListener[] = [];
  #isRegistered = false;
  /** Goes into the clean shutdown marker, by which a Kafka controller knows that this incarnation lost nothing. */
  #brokerEpoch = -1;

  /** Use `startBroker`. */
  constructor(options: BrokerOptions, config: BrokerConfig) {
    this.config = config;
    this.#options = options;
    this.#logger = options.logger ?? SILENT_LOGGER;
    this.#disk = options.disk ?? new NodeDisk();
    this.#clock = options.clock ?? new NodeClock();
    this.#random = options.random ?? new NodeRandom();
    this.#configState = new BrokerConfigState(config, this.#logger);
  }

  get clusterId(): string {
    return this.#logManager?.clusterId ?? '';
  }

  /** The listeners in the order of `listeners`, with the ports that were bound. */
  get listeners(): readonly BoundListener[] {
    return this.#listeners;
  }

  /** `host:port` of the first listener, for clients on this machine. */
  get bootstrap(): string {
    const first = this.#listeners[0];
    return first === undefined ? '' : `${first.host}:${first.port}`;
  }

  /** The broker's data and events for whoever holds it in the same process. @throws Error before the start is over */
  get interventions(): BrokerInterventions {
    if (this.#interventions === null) throw new Error('The broker has not started');
    return this.#interventions;
  }

  get metadata(): MetadataStore | null {
    return this.#controller?.metadata ?? null;
  }

  /** Opens everything; on failure closes what is open and rejects. */
  async start(): Promise<void> {
    try {
      for (const warning of this.config.warnings()) this.#logger.warn({}, warning);
      const toBind = listenersToBind(this.config.listeners);
      this.#checkMetadataDir();
      const logManager = await this.#openLogs();
      const controller = this.#openController(logManager);
      const replicas = this.#openReplicas(logManager, controller);
      const autoCreation = new AutoTopicCreation({
        controller,
        metadata: controller.metadata,
        logger: this.#logger,
        internalTopic: (name) => internalTopicSpec(this.#configState.current, name),
      });
      const settings = new ShareSettings(() => this.#configState.current, controller.metadata);
      const groups = this.#openGroups(replicas, controller, settings);
      const shares = this.#openShares(settings, { replicas, controller, groups, autoCreation });
      const streamsGroups = new StreamsGroupService({
        groups,
        topics: new InternalTopicCreation({ controller, clock: this.#clock, logger: this.#logger }),
      });
      const producerIds = new ProducerIdSource(controller, this.#logger);
      const { transactions, markers } = this.#openTransactions(replicas, controller, { groups, producerIds });
      const handlers = apiHandlers({
        config: () => this.#configState.current,
        nodeId: this.config.nodeId,
        metadata: controller.metadata,
        controller,
        autoCreation,
        replicas,
        groups,
        streamsGroups,
        transactions,
        markers,
        producerIds,
        shares,
        clock: this.#clock,
        random: this.#random,
        logger: this.#logger,
      });
      const dispatcher = new RequestDispatcher(handlers, {
        logger: this.#logger,
        requestTime: new RequestTimeQuota({
          clock: this.#clock,
          metadata: controller.metadata,
          sampling: quotaSampling(this.config),
        }),
      });
      const server = await this.#openServer({
        listeners: toBind,
        dispatcher,
        recordMemory: logManager.recordMemory,
        metadata: controller.metadata,
      });
      const { metadata } = controller;
      this.#interventions = new BrokerInterventions({ controller, metadata, replicas, groups, server });
      // A join may wait for minutes: pending ones are refused first, so that the server has no one to wait for.
      this.#stoppers.push(() => groups.close());
      await this.#register(server, controller, logManager);
    } catch (error) {
      await this.close().catch(() => {});
      throw error;
    }
  }

  #checkMetadataDir(): void {
    const { logDirs, metadataLogDir } = this.config;
    if (logDirs.some((dir) => resolve(dir) === resolve(metadataLogDir))) return;
    throw new ConfigError(
      `metadata.log.dir "${metadataLogDir}" must be one of log.dirs: a directory of its own is not supported yet`,
    );
  }

  async #openLogs(): Promise<LogManager> {
    const { config } = this;
    const logManager = await LogManager.open({
      disk: this.#disk,
      clock: this.#clock,
      random: this.#random,
      dirs: config.logDirs.map((dir) => resolve(dir)),
      nodeId: config.nodeId,
      clusterId: null,
      // Topic overrides are known once the metadata log is read, which needs the directory's lock; loading needs none.
      configFor: (topic) => this.#configState.partitionConfig(topic).log,
      onDirFailure: (dir, error) => this.#onDirFailure(dir, error),
      ...(this.#options.onLoadProgress && { onLoadProgress: this.#options.onLoadProgress }),
      producerExpirationCheckMs: config.get('producer.id.expiration.check.interval.ms'),
      producerIdExpirationMs: () => this.#configState.current.get('producer.id.expiration.ms'),
      retentionCheckIntervalMs: config.get('log.retention.check.interval.ms'),
      flushSchedulerIntervalMs: config.get('log.flush.scheduler.interval.ms'),
      checkpointIntervalMs: config.get('log.flush.offset.checkpoint.interval.ms'),
      recoveryThreadsPerDir: config.get('num.recovery.threads.per.data.dir'),
      ...this.#cleaner(),
    });
    this.#logManager = logManager;
    this.#stoppers.push(() => logManager.close(this.#brokerEpoch));
    return logManager;
  }

  /** Compaction, on threads of its own where the disk is a real one and there is a compiled module to run. */
  #cleaner(): { cleaner?: CleanerOptions } {
    if (!this.config.get('log.cleaner.enable')) return {};
    const thread = this.#disk instanceof NodeDisk ? cleanerThreadUrl : null;
    return {
      cleaner: {
        settings: () => cleanerSettings(this.#configState.current),
        ...(thread !== null && { runner: new ThreadCleanRunner(thread) }),
        onFailure: (topicPartition, err) =>
          this.#logger.warn({ ...topicPartition, err }, 'A log could not be compacted and stays as it is'),
      },
    };
  }

  #openController(logManager: LogManager): LocalController {
    const { config } = this;
    const directoryId = this.#metadataDirectoryId(logManager);
    const configRules = new ResourceConfigRules(() => this.#configState.current);
    const controller = LocalController.open({
      disk: this.#disk,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
      logDir: resolve(config.metadataLogDir),
      clusterId: logManager.clusterId,
      nodeId: config.nodeId,
      rules: () => ({
        numPartitions: this.#configState.current.get('num.partitions'),
        defaultReplicationFactor: this.#configState.current.get('default.replication.factor'),
        minInSyncReplicas: config.get('min.insync.replicas'),
        configs: configRules,
      }),
      directoryId,
      ...quorumVoters(config, directoryId),
      minInSyncReplicas: config.get('min.insync.replicas'),
      segmentBytes: config.get('metadata.log.segment.bytes'),
      snapshotIntervalBytes: config.get('metadata.log.max.record.bytes.between.snapshots'),
      onFailure: (error) => this.#fatal(error),
    });
    this.#controller = controller;
    this.#stoppers.push(async () => {
      if (this.#isRegistered) await controller.shutDown();
      controller.close();
    });
    return controller;
  }

  /** Uuid of the directory that holds the metadata log. */
  #metadataDirectoryId(logManager: LogManager): string {
    const metadataDir = resolve(this.config.metadataLogDir);
    const directory = logManager.dirs().find((dir) => dir.path === metadataDir);
    if (directory === undefined) throw new Error(`"${metadataDir}" is none of the open log directories`);
    return directory.directoryId;
  }

  #openReplicas(logManager: LogManager, controller: LocalController): ReplicaManager {
    const replicas = new ReplicaManager({
      nodeId: this.config.nodeId,
      clock: this.#clock,
      logger: this.#logger,
      logManager,
      configFor: (topic) => this.#configState.partitionConfig(topic),
      image: () => controller.metadata.current(),
      moveBytesPerSecond: () => moveBytesPerSecond(this.#configState.current.layers),
      onDirectoryChange: ({ topicId, partition }, directoryId) => {
        const assignment = { topicId, partition, brokerId: this.config.nodeId, directoryId };
        // A controller that cannot write any more has told so; the data is where it is.
        controller.assignDirectory(assignment).catch(() => {});
      },
    });
    this.#replicas = replicas;
    const image = controller.metadata.current();
    this.#configState.start(image);
    replicas.start(image);
    controller.metadata.subscribe(this.#configState);
    controller.metadata.subscribe(replicas);
    this.#stoppers.push(() => replicas.close());
    return replicas;
  }

  #openGroups(
    replicas: ReplicaManager,
    controller: LocalController,
    settings: ShareSettings,
  ): GroupCoordinator {
    const { metadata } = controller;
    const configs = new GroupConfigs(
      () => this.#configState.current,
      (groupId) => metadata.current().configs.get(ConfigResourceType.group, groupId),
    );
    const groups = new GroupCoordinator({
      nodeId: this.config.nodeId,
      config: groupCoordinatorConfig(this.config, {
        share: (groupId) => settings.group(groupId),
        onShareGroupEmptied: (groupId) => this.#onShareGroupEmptied(groupId),
        streams: (groupId) =>
          streamsGroupSettings(configs.of(groupId), this.config.get('group.streams.max.size')),
      }),
      consumerTimings: (groupId) => consumerGroupTimings(configs.of(groupId)),
      log: replicas,
      metadata,
      clock: this.#clock,
      random: this.#random,
      logger: this.#logger,
    });
    groups.start(metadata.current());
    // After the replica manager: a group's partition must have its log before its state can be loaded.
    metadata.subscribe(groups);
    this.#stoppers.push(() => groups.close());
    return groups;
  }

  #openTransactions(
    replicas: ReplicaManager,
    controller: LocalController,
    { groups, producerIds }: { groups: GroupCoordinator; producerIds: ProducerIdSource },
  ): { transactions: TransactionCoordinator; markers: MarkerWriter } {
    const { metadata } = controller;
    const config = transactionConfig(this.config);
    const markers = new MarkerWriter({
      logs: replicas,
      owner: {
        topic: GROUP_METADATA_TOPIC,
        completeTransaction: (partition, marker, end) => groups.completeTransaction(partition, marker, end),
      },
      clock: this.#clock,
      timeoutMs: config.writeTimeoutMs,
    });
    const transactions = new TransactionCoordinator({
      nodeId: this.config.nodeId,
      config,
      log: replicas,
      markers,
      producerIds,
      metadata,
      clock: this.#clock,
      logger: this.#logger,
    });
    transactions.start(metadata.current());
    metadata.subscribe(transactions);
    this.#stoppers.push(() => transactions.close());
    return { transactions, markers };
  }

  #openShares(
    settings: ShareSettings,
    parts: {
      readonly replicas: ReplicaManager;
      readonly controller: LocalController;
      readonly groups: GroupCoordinator;
      readonly autoCreation: AutoTopicCreation;
    },
  ): ShareParts {
    const shares = openShares({
      nodeId: this.config.nodeId,
      config: () => this.#configState.current,
      settings,
      metadata: parts.controller.metadata,
      replicas: parts.replicas,
      groups: parts.groups,
      clock: this.#clock,
      logger: this.#logger,
      ensureStateTopic: () => parts.autoCreation.ensureInternalTopic(SHARE_GROUP_STATE_TOPIC),
    });
    this.#onShareGroupEmptied = (groupId) => shares.service.groupEmptied(groupId);
    this.#stoppers.push(() => shares.close());
    return shares;
  }

  /** The group coordinator is there before the share partitions. */
  #onShareGroupEmptied: (groupId: string) => void = () => {};

  async #openServer({
    listeners,
    dispatcher,
    recordMemory,
    metadata,
  }: {
    readonly listeners: ReturnType<typeof listenersToBind>;
    readonly dispatcher: RequestDispatcher;
    readonly recordMemory: RecordMemory;
    readonly metadata: MetadataStore;
  }): Promise<SocketServer> {
    const { config } = this;
    const state = this.#configState;
    const { intercept } = this.#options;
    const serve: Dispatch =
      intercept === undefined
        ? (frame, connection) => dispatcher.dispatch(frame, connection)
        : intercepted(dispatcher, intercept);
    const registered = new Promise<void>((resolve) => (this.#onRegistered = resolve));
    // Until the broker is registered the image has no live broker: early requests wait instead of being told so.
    const serveLater = dispatchAfter(registered, serve);
    const dispatch: Dispatch = (frame, connection) =>
      this.#isRegistered ? serve(frame, connection) : serveLater(frame, connection);
    const server = new SocketServer({
      listeners,
      socketRequestMaxBytes: config.get('socket.request.max.bytes'),
      queuedMaxRequestBytes: config.get('queued.max.request.bytes'),
      connectionsMaxIdleMs: config.get('connections.max.idle.ms'),
      socketBuffers: config.socketBuffers,
      socketListenBacklogSize: config.get('socket.listen.backlog.size'),
      // Dynamic: read anew for each connection.
      get maxConnections() {
        return state.current.get('max.connections');
      },
      get maxConnectionsPerIp() {
        return state.current.get('max.connections.per.ip');
      },
      get maxConnectionsPerIpOverrides() {
        return parseConnectionOverrides(state.current.get('max.connections.per.ip.overrides'));
      },
      connectionRates: new ConnectionRates({
        clock: this.#clock,
        metadata,
        sampling: quotaSampling(config),
        maxConnectionCreationRate: () => state.current.get('max.connection.creation.rate'),
      }),
      clock: this.#clock,
      logger: this.#logger,
      dispatch,
      recordMemory,
    });
    await server.open();
    this.#stoppers.push(() => server.close(CLOSE_GRACE_MS));
    this.#listeners = server
      .ports()
      .map(({ name, host, port }) => ({ name, host: reachableHost(host), port }));
    return server;
  }

  #onRegistered: () => void = () => {};

  async #register(server: SocketServer, controller: LocalController, logManager: LogManager): Promise<void> {
    this.#brokerEpoch = await controller.register({
      brokerId: this.config.nodeId,
      incarnationId: this.#random.uuid(),
      rack: this.config.get('broker.rack'),
      endpoints: endpointsToAdvertise(this.config.listeners, server.ports(), hostName()),
      logDirs: logManager
        .dirs()
        .filter((dir) => dir.online)
        .map((dir) => dir.directoryId),
    });
    this.#logger.info(
      { nodeId: this.config.nodeId, brokerEpoch: this.#brokerEpoch, clusterId: this.clusterId },
      'Registered the broker',
    );
    this.#isRegistered = true;
    this.#onRegistered();
  }

  #onDirFailure(dir: string, error: unknown): void {
    this.#logger.error({ dir, err: error }, 'A log directory failed and is offline');
    this.#replicas?.onDirFailure(dir);
    // While logs are still being opened, opening itself reports what it cannot do without.
    if (this.#logManager === null) return;
    const anyOnline = this.#logManager.dirs().some((each) => each.online);
    if (dir === resolve(this.config.metadataLogDir) || !anyOnline) this.#fatal(error);
  }

  #fatal(error: unknown): void {
    this.#logger.error({ err: error }, 'The broker cannot go on');
    void this.close()
      .catch(() => {})
      .finally(() => this.#options.onFatal?.(error));
  }

  /** Clean stop: requests finish, logs are flushed and marked clean, locks are released. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async #stop(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stoppers.reverse()) {
      try {
        await stop();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** An address that a client on this machine can connect to. */
function reachableHost(host: string): string {
  return host === '' || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
}
