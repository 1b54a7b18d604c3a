import { quotaRecords } from './client-quotas-image.ts';
import { credentialRecords } from './scram-image.ts';
import type { BrokerImage, MetadataImage, TopicImage } from './image.ts';
import { metadataRecord } from './records.ts';
import type { MetadataRecord } from './records.ts';

/**
 * The records that rebuild an image from nothing, in the order in which Kafka's own snapshots write them:
 * features (metadata.version first, everything after is read in its light), brokers, topics, configs, the rest.
 */
export function* snapshotRecords(image: MetadataImage): Iterable<MetadataRecord> {
  const metadataVersion = image.features.get('metadata.version');
  if (metadataVersion !== undefined) yield featureRecord('metadata.version', metadataVersion);
  for (const [name, level] of image.features)
    if (name !== 'metadata.version') yield featureRecord(name, level);
  for (const broker of image.brokers.values()) yield brokerRecord(broker);
  for (const topic of image.topics.byId.values()) yield* topicRecords(topic);
  for (const [resourceType, resourceName] of image.configs.resources()) {
    for (const [name, value] of image.configs.get(resourceType, resourceName)) {
      yield metadataRecord('ConfigRecord', { resourceType, resourceName, name, value });
    }
  }
  if (image.nextProducerId > 0) {
    // Whom the last block went to is of no consequence; Kafka's snapshots forget it as well.
    yield metadataRecord('ProducerIdsRecord', {
      brokerId: -1,
      brokerEpoch: -1,
      nextProducerId: image.nextProducerId,
    });
  }
  yield* credentialRecords(image.scramCredentials);
  yield* quotaRecords(image.clientQuotas);
  yield* image.keptRecords?.values() ?? [];
}

function featureRecord(name: string, featureLevel: number): MetadataRecord {
  return metadataRecord('FeatureLevelRecord', { name, featureLevel });
}

function brokerRecord(broker: BrokerImage): MetadataRecord {
  return metadataRecord('RegisterBrokerRecord', {
    brokerId: broker.id,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: broker.endpoints.map((endpoint) => ({
      name: endpoint.listenerName,
      host: endpoint.host,
      port: endpoint.port,
      securityProtocol: endpoint.securityProtocol,
    })),
    features: [...(broker.supportedFeatures ?? [])].map(
      ([name, [minSupportedVersion, maxSupportedVersion]]) => ({
        name,
        minSupportedVersion,
        maxSupportedVersion,
      }),
    ),
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: [...broker.logDirs],
    cordonedLogDirs: broker.cordonedLogDirs ? [...broker.cordonedLogDirs] : null,
  });
}

function* topicRecords(topic: TopicImage): Iterable<MetadataRecord> {
  yield metadataRecord('TopicRecord', { name: topic.name, topicId: topic.id });
  for (const partition of topic.partitions) {
    yield metadataRecord('PartitionRecord', {
      partitionId: partition.partition,
      topicId: topic.id,
      replicas: [...partition.replicas],
      isr: [...partition.isr],
      removingReplicas: [...partition.removingReplicas],
      addingReplicas: [...partition.addingReplicas],
      leader: partition.leader,
      leaderRecoveryState: partition.leaderRecoveryState ?? 0,
      leaderEpoch: partition.leaderEpoch,
      partitionEpoch: partition.partitionEpoch,
      directories: [...partition.directories],
      eligibleLeaderReplicas: partition.elr.length > 0 ? [...partition.elr] : null,
      lastKnownElr: partition.lastKnownElr.length > 0 ? [...partition.lastKnownElr] : null,
    });
  }
}
