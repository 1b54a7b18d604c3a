import type { Clock, Logger, Random } from '@ottla/platform';
import type { BrokerConfig } from '../config/broker-config.ts';
import { describeTopic } from '../config/describe-configs.ts';
import type { AutoTopicCreation } from '../controller/auto-topic-creation.ts';
import type { Controller } from '../controller/controller.ts';
import { SUPPORTED_FEATURES } from '../controller/features.ts';
import { isSharePartitionName } from '../coordinator/share/share-states.ts';
import type { GroupCoordinator } from '../coordinator/group/group-coordinator.ts';
import type { StreamsGroupService } from '../coordinator/group/streams/streams-group-service.ts';
import type { MarkerWriter } from '../coordinator/transaction/marker-writer.ts';
import type { TransactionCoordinator } from '../coordinator/transaction/transaction-coordinator.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { FetchSessionCache } from '../replica/fetch-session.ts';
import type { ProducerIdSource } from '../replica/producer-id-source.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import { MutationQuota } from '../quota/mutation-quota.ts';
import { mutationQuotaSampling, quotaSampling } from '../quota/quota-sampling.ts';
import { RateQuota, type RateQuotaOptions } from '../quota/rate-quota.ts';
import { addOffsetsToTxnHandler } from './add-offsets-to-txn.ts';
import { addPartitionsToTxnHandler } from './add-partitions-to-txn.ts';
import { alterConfigsHandler } from './alter-configs.ts';
import { apiVersionsHandler } from './api-versions.ts';
import { clusterHandlers } from './cluster-handlers.ts';
import { consumerGroupDescribeHandler } from './consumer-group-describe.ts';
import { consumerGroupHeartbeatHandler } from './consumer-group-heartbeat.ts';
import { createPartitionsHandler } from './create-partitions.ts';
import { createTopicsHandler } from './create-topics.ts';
import { deleteRecordsHandler } from './delete-records.ts';
import { deleteGroupsHandler } from './delete-groups.ts';
import { deleteTopicsHandler } from './delete-topics.ts';
import { alterReplicaLogDirsHandler } from './alter-replica-log-dirs.ts';
import { describeLogDirsHandler } from './describe-log-dirs.ts';
import { describeConfigsHandler } from './describe-configs.ts';
import { describeGroupsHandler } from './describe-groups.ts';
import { describeProducersHandler } from './describe-producers.ts';
import { describeTransactionsHandler } from './describe-transactions.ts';
import { endTxnHandler } from './end-txn.ts';
import { listTransactionsHandler } from './list-transactions.ts';
import { TransactionVerification } from './transaction-verification.ts';
import { txnOffsetCommitHandler } from './txn-offset-commit.ts';
import { writeTxnMarkersHandler } from './write-txn-markers.ts';
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts';
import { CoordinatorType, findCoordinatorHandler } from './find-coordinator.ts';
import { fetchHandler } from './fetch.ts';
import type { AnyApiHandler } from './handler.ts';
import { shareHandlers, type ShareParts } from './share-handlers.ts';
import { incrementalAlterConfigsHandler } from './incremental-alter-configs.ts';
import { initProducerIdHandler } from './init-producer-id.ts';
import { listOffsetsHandler } from './list-offsets.ts';
import { heartbeatHandler } from './heartbeat.ts';
import { joinGroupHandler } from './join-group.ts';
import { leaveGroupHandler } from './leave-group.ts';
import { listConfigResourcesHandler } from './list-config-resources.ts';
import { listGroupsHandler } from './list-groups.ts';
import { metadataHandler } from './metadata.ts';
import { offsetCommitHandler } from './offset-commit.ts';
import { offsetDeleteHandler } from './offset-delete.ts';
import { offsetFetchHandler } from './offset-fetch.ts';
import { streamsGroupDescribeHandler } from './streams-group-describe.ts';
import { streamsGroupHeartbeatHandler } from './streams-group-heartbeat.ts';
import { syncGroupHandler } from './sync-group.ts';
import { offsetForLeaderEpochHandler } from './offset-for-leader-epoch.ts';
import { produceHandler } from './produce.ts';
import { saslAuthenticateHandler } from './sasl-authenticate.ts';
import { saslHandshakeHandler } from './sasl-handshake.ts';
import {
  GROUP_METADATA_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
  TRANSACTION_STATE_TOPIC,
} from '../controller/topic-names.ts';

/** The parts of the broker that handlers call; each handler takes only what it needs of them. */
export interface BrokerParts {
  /** The configuration in force now. */
  readonly config: () => BrokerConfig;
  readonly nodeId: number;
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  readonly autoCreation: AutoTopicCreation;
  readonly replicas: ReplicaManager;
  readonly groups: GroupCoordinator;
  readonly streamsGroups: StreamsGroupService;
  readonly transactions: TransactionCoordinator;
  readonly markers: MarkerWriter;
  readonly producerIds: ProducerIdSource;
  readonly shares: ShareParts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Kafka's MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS, which no configuration changes. */
const FETCH_SESSION_EVICTION_MS = 120_000;

/** Every API that this broker serves: what is not in this list is neither announced nor answered. */
export function apiHandlers(parts: BrokerParts): AnyApiHandler[] {
  // One for all APIs that hand out records, since it is the client that has the rate.
  const consumed = rateQuota(parts, 'consumer_byte_rate');
  const verification = new TransactionVerification({
    replicaManager: parts.replicas,
    transactions: parts.transactions,
    isEnabled: () => isVerificationEnabled(parts),
  });
  const handlers = [
    ...clusterHandlers(parts),
    ...topicHandlers(parts, consumed),
    ...recordHandlers(parts, verification, consumed),
    ...transactionHandlers(parts, verification),
  ];
  handlers.push(
    apiVersionsHandler({
      metadata: parts.metadata,
      kraftVersion: () => parts.controller.describeQuorum().kraftVersion,
      supportedFeatures: SUPPORTED_FEATURES,
      handlers: () => handlers,
    }),
    saslHandshakeHandler(),
    saslAuthenticateHandler(),
  );
  return handlers;
}

function rateQuota({ config, clock, metadata }: BrokerParts, key: RateQuotaOptions['key']): RateQuota {
  return new RateQuota({ key, clock, metadata, sampling: quotaSampling(config()) });
}

/** What clients do with records: write, read, find and delete them. */
function recordHandlers(
  parts: BrokerParts,
  verification: TransactionVerification,
  consumed: RateQuota,
): AnyApiHandler[] {
  const { config, metadata, replicas, clock } = parts;
  const sessions = new FetchSessionCache({
    maxSessions: config().get('max.incremental.fetch.session.cache.slots'),
    evictionMs: FETCH_SESSION_EVICTION_MS,
    random: parts.random,
  });
  return [
    produceHandler({
      metadata,
      replicaManager: replicas,
      verification,
      quota: rateQuota(parts, 'producer_byte_rate'),
    }),
    fetchHandler({
      clock,
      metadata,
      replicaManager: replicas,
      sessions,
      fetchMaxBytes: () => config().get('fetch.max.bytes'),
      quota: consumed,
    }),
    listOffsetsHandler({ replicaManager: replicas }),
    offsetForLeaderEpochHandler({ replicaManager: replicas }),
    deleteRecordsHandler({ metadata, replicaManager: replicas }),
    describeLogDirsHandler({ logManager: replicas.logManager }),
    alterReplicaLogDirsHandler({ replicaManager: replicas }),
    initProducerIdHandler(parts),
    describeProducersHandler({ metadata, replicaManager: replicas }),
  ];
}

/** Transactions: from their coordinator's side, and from that of the groups whose offsets they commit. */
function transactionHandlers(parts: BrokerParts, verification: TransactionVerification): AnyApiHandler[] {
  return [
    addPartitionsToTxnHandler(parts),
    addOffsetsToTxnHandler(parts),
    endTxnHandler(parts),
    writeTxnMarkersHandler(parts),
    txnOffsetCommitHandler({
      groups: parts.groups,
      metadata: parts.metadata,
      replicaManager: parts.replicas,
      verification,
      isVerificationEnabled: () => isVerificationEnabled(parts),
    }),
    describeTransactionsHandler(parts),
    listTransactionsHandler(parts),
  ];
}

function isVerificationEnabled({ config }: BrokerParts): boolean {
  return config().get('transaction.partition.verification.enable');
}

/** Topics, and the groups that read them. */
function topicHandlers(parts: BrokerParts, consumed: RateQuota): AnyApiHandler[] {
  const { config, metadata, controller, autoCreation } = parts;
  const sampling = mutationQuotaSampling(config());
  const mutations = new MutationQuota({ clock: parts.clock, metadata, sampling });
  return [
    metadataHandler({
      metadata,
      autoCreateTopics: () => config().get('auto.create.topics.enable'),
      requestTopicCreation: (names, quota) => autoCreation.request(names, quota),
      mutations,
    }),
    createTopicsHandler({
      controller,
      mutations,
      describeTopicConfigs: (overrides) =>
        describeTopic(config(), overrides).toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    }),
    deleteTopicsHandler({
      metadata,
      controller,
      mutations,
      deleteTopicEnable: () => config().get('delete.topic.enable'),
    }),
    createPartitionsHandler({ controller, mutations }),
    describeTopicPartitionsHandler({
      metadata,
      maxPartitionsPerResponse: () => config().get('max.request.partition.size.limit'),
    }),
    ...configHandlers(parts),
    ...groupHandlers(parts),
    ...shareHandlers(parts.shares, {
      metadata,
      fetchMaxBytes: () => config().get('fetch.max.bytes'),
      quota: consumed,
      ensureStateTopic: () => autoCreation.ensureInternalTopic(SHARE_GROUP_STATE_TOPIC),
    }),
  ];
}

/** Configs of topics, brokers, groups and client metrics subscriptions. */
function configHandlers({ config, metadata, controller }: BrokerParts): AnyApiHandler[] {
  return [
    describeConfigsHandler({ config, metadata }),
    alterConfigsHandler({ config, metadata, controller }),
    incrementalAlterConfigsHandler({ config, metadata, controller }),
    listConfigResourcesHandler({ metadata }),
  ];
}

/** Consumer groups, and where their coordinator is. */
function groupHandlers(parts: BrokerParts): AnyApiHandler[] {
  const { groups, shares, streamsGroups, transactions, metadata, autoCreation, config } = parts;
  const isEnabled = (protocol: string, feature: string): boolean =>
    config().get('group.coordinator.rebalance.protocols').includes(protocol) &&
    (metadata.current().features.get(feature) ?? 0) > 0;
  const isConsumerProtocolEnabled = (): boolean => isEnabled('consumer', 'group.version');
  const isStreamsProtocolEnabled = (): boolean => isEnabled('streams', 'streams.version');
  return [
    findCoordinatorHandler({
      metadata,
      coordinators: new Map([
        [
          CoordinatorType.group,
          { topic: GROUP_METADATA_TOPIC, partitionFor: (groupId) => groups.partitionFor(groupId) },
        ],
        [
          CoordinatorType.transaction,
          { topic: TRANSACTION_STATE_TOPIC, partitionFor: (id) => transactions.partitionFor(id) },
        ],
        [
          CoordinatorType.share,
          {
            topic: SHARE_GROUP_STATE_TOPIC,
            partitionFor: (key) => shares.states.partitionFor(key),
            isKey: isSharePartitionName,
          },
        ],
      ]),
      ensureInternalTopic: (name) => autoCreation.ensureInternalTopic(name),
    }),
    joinGroupHandler({ groups }),
    syncGroupHandler({ groups }),
    heartbeatHandler({ groups }),
    leaveGroupHandler({ groups }),
    offsetCommitHandler({ groups, metadata }),
    offsetFetchHandler({ groups, metadata }),
    offsetDeleteHandler({ groups, metadata }),
    listGroupsHandler({ groups }),
    describeGroupsHandler({ groups }),
    deleteGroupsHandler({ groups: shares.groups }),
    consumerGroupHeartbeatHandler({ groups, isEnabled: isConsumerProtocolEnabled }),
    consumerGroupDescribeHandler({ groups, isEnabled: isConsumerProtocolEnabled }),
    streamsGroupHeartbeatHandler({ streamsGroups, isEnabled: isStreamsProtocolEnabled }),
    streamsGroupDescribeHandler({ streamsGroups, isEnabled: isStreamsProtocolEnabled }),
  ];
}
