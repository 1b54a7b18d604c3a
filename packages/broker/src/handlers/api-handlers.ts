import type { Clock, Logger, Random } from '@ottla/platform';
import type { BrokerConfig } from '../config/broker-config.ts';
import type { AutoTopicCreation } from '../controller/auto-topic-creation.ts';
import type { Controller } from '../controller/controller.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import { createPartitionsHandler } from './create-partitions.ts';
import { createTopicsHandler } from './create-topics.ts';
import { deleteTopicsHandler } from './delete-topics.ts';
import { describeClusterHandler } from './describe-cluster.ts';
import { describeTopicPartitionsHandler } from './describe-topic-partitions.ts';
import type { AnyApiHandler } from './handler.ts';
import { listPartitionReassignmentsHandler } from './list-partition-reassignments.ts';
import { metadataHandler } from './metadata.ts';

/** The parts of the broker that handlers call; each handler takes only what it needs of them. */
export interface BrokerParts {
  /** The configuration in force now. */
  readonly config: () => BrokerConfig;
  readonly nodeId: number;
  readonly metadata: MetadataStore;
  readonly controller: Controller;
  readonly autoCreation: AutoTopicCreation;
  readonly replicas: ReplicaManager;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Every API that this broker serves: what is not in this list is neither announced nor answered. */
export function apiHandlers(parts: BrokerParts): AnyApiHandler[] {
  const { config, metadata, controller, autoCreation } = parts;
  return [
    metadataHandler({
      metadata,
      autoCreateTopics: () => config().get('auto.create.topics.enable'),
      requestTopicCreation: (name) => autoCreation.request(name),
    }),
    createTopicsHandler({ controller, describeTopicConfigs: () => [] }),
    deleteTopicsHandler({
      metadata,
      controller,
      deleteTopicEnable: () => config().get('delete.topic.enable'),
    }),
    createPartitionsHandler({ controller }),
    listPartitionReassignmentsHandler({ metadata }),
    describeClusterHandler({ metadata }),
    describeTopicPartitionsHandler({
      metadata,
      maxPartitionsPerResponse: () => config().get('max.request.partition.size.limit'),
    }),
  ];
}
