import type { Clock, Logger } from '@ottla/platform';
import type { BrokerConfig } from './config/broker-config.ts';
import { GroupConfigs } from './config/group-config.ts';
import type { GroupCoordinator } from './coordinator/group/group-coordinator.ts';
import { ShareGroupService } from './coordinator/group/share/share-group-service.ts';
import type { ShareGroupSettings } from './coordinator/group/share/share-group-types.ts';
import { PatientShareStates } from './coordinator/share/patient-share-states.ts';
import { shareCoordinatorConfig } from './coordinator/share/share-coordinator-config.ts';
import { ShareCoordinator } from './coordinator/share/share-coordinator.ts';
import type { ShareParts } from './handlers/share-handlers.ts';
import { ConfigResourceType, type MetadataStore } from './metadata/image.ts';
import type { ReplicaManager } from './replica/replica-manager.ts';
import type { SharePartitionSettings } from './share/share-partition-types.ts';
import { SharePartitions } from './share/share-partitions.ts';
import { ShareService } from './share/share-service.ts';
import { ShareSessions } from './share/share-sessions.ts';

/** What applies to share groups: their own configs, over those of the broker in force now. */
export class ShareSettings {
  readonly #config: () => BrokerConfig;
  readonly #configs: GroupConfigs;

  constructor(config: () => BrokerConfig, metadata: MetadataStore) {
    this.#config = config;
    this.#configs = new GroupConfigs(config, (groupId) =>
      metadata.current().configs.get(ConfigResourceType.group, groupId),
    );
  }

  group(groupId: string): ShareGroupSettings {
    const values = this.#configs.of(groupId);
    return {
      sessionTimeoutMs: values['share.session.timeout.ms'],
      heartbeatIntervalMs: values['share.heartbeat.interval.ms'],
      assignmentIntervalMs: values['share.assignment.interval.ms'],
      maxSize: this.#config().get('group.share.max.size'),
      initializeRetryIntervalMs: this.#config().get('group.share.initialize.retry.interval.ms'),
    };
  }

  partition(groupId: string): SharePartitionSettings {
    const values = this.#configs.of(groupId);
    return {
      recordLockDurationMs: values['share.record.lock.duration.ms'],
      deliveryCountLimit: values['share.delivery.count.limit'],
      maxRecordLocks: values['share.partition.max.record.locks'],
      autoOffsetReset: values['share.auto.offset.reset'],
      isReadCommitted: values['share.isolation.level'] === 'read_committed',
      isRenewEnabled: values['share.renew.acknowledge.enable'],
    };
  }
}

export interface SharePartsOptions {
  readonly nodeId: number;
  readonly config: () => BrokerConfig;
  readonly settings: ShareSettings;
  readonly metadata: MetadataStore;
  readonly replicas: ReplicaManager;
  readonly groups: GroupCoordinator;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Makes sure that the share coordinator's topic exists; resolves to an error code. */
  readonly ensureStateTopic: () => Promise<number>;
}

/** Puts together what serves share groups. The share coordinator is started, and follows the metadata. */
export function openShares(options: SharePartsOptions): ShareParts & { close(): Promise<void> } {
  const { nodeId, config, settings, metadata, replicas, groups, clock, logger } = options;
  const states = new ShareCoordinator({
    nodeId,
    config: shareCoordinatorConfig(config()),
    log: replicas,
    metadata,
    clock,
    logger,
  });
  states.start(metadata.current());
  const patient = new PatientShareStates({ states, clock, ensureStateTopic: options.ensureStateTopic });
  const partitions = new SharePartitions({
    persister: patient,
    replicas,
    clock,
    settings: (groupId) => settings.partition(groupId),
  });
  const sessions = new ShareSessions(() => config().get('group.share.max.share.sessions'));
  metadata.subscribe(states);
  metadata.subscribe(partitions);
  const shareGroups = new ShareGroupService({
    groups,
    states: patient,
    metadata,
    logger,
    endOffset: (topic, partition) => {
      const hosted = replicas.partition(topic, partition);
      return typeof hosted === 'number' ? -1 : hosted.highWatermark;
    },
  });
  return {
    states,
    groups: shareGroups,
    service: new ShareService({ partitions, sessions, clock }),
    async close() {
      patient.close();
      partitions.close();
      await states.close();
    },
  };
}
