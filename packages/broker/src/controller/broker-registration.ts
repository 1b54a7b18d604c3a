import type { EndpointImage, MetadataImage, PartitionImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import type { CommandResult, CommandState } from './command.ts';
import { SUPPORTED_FEATURES } from './features.ts';

/** What a starting broker says of itself. */
export interface BrokerRegistration {
  readonly brokerId: number;
  readonly incarnationId: string;
  readonly rack: string | null;
  readonly endpoints: readonly EndpointImage[];
  /** Uuids of its usable log directories. */
  readonly logDirs: readonly string[];
}

/**
 * The records of a start of the single node. As Kafka does for a broker that comes back: registered fenced with its
 * offset as epoch, unfenced, and every partition it can lead gets a new leader epoch, so that clients and followers
 * notice that the log may have lost what was not durable.
 */
export function registerBroker(
  state: CommandState,
  registration: BrokerRegistration,
): CommandResult<{ brokerEpoch: number }> {
  const { brokerId } = registration;
  const brokerEpoch = state.nextOffset;
  const records: MetadataRecord[] = [
    metadataRecord('RegisterBrokerRecord', {
      brokerId,
      incarnationId: registration.incarnationId,
      brokerEpoch,
      endPoints: registration.endpoints.map((endpoint) => ({
        name: endpoint.listenerName,
        host: endpoint.host,
        port: endpoint.port,
        securityProtocol: endpoint.securityProtocol,
      })),
      features: SUPPORTED_FEATURES.map(([name, minSupportedVersion, maxSupportedVersion]) => ({
        name,
        minSupportedVersion,
        maxSupportedVersion,
      })),
      rack: registration.rack,
      fenced: true,
      inControlledShutdown: false,
      logDirs: [...registration.logDirs],
    }),
    metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, cordonedLogDirs: [] }, 3),
    metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, fenced: -1 }),
  ];
  for (const { topicId, partition } of partitionsOf(state.image, brokerId)) {
    records.push(
      metadataRecord('PartitionChangeRecord', {
        topicId,
        partitionId: partition.partition,
        leader: brokerId,
        ...(!partition.isr.includes(brokerId) && { isr: [...partition.isr, brokerId] }),
        ...(partition.elr.length > 0 && { eligibleLeaderReplicas: without(partition.elr, brokerId) }),
        ...(partition.lastKnownElr.length > 0 && { lastKnownElr: without(partition.lastKnownElr, brokerId) }),
      }),
    );
  }
  return { records, reply: { brokerEpoch } };
}

/**
 * The records of a clean stop: the same controlled shutdown that a Kafka node goes through. They let a real Kafka that
 * starts on this directory register at once, instead of waiting for the session of the broker it finds unfenced.
 */
export function shutDownBroker(state: CommandState, brokerId: number): CommandResult<null> {
  const broker = state.image.brokers.get(brokerId);
  if (broker === undefined || broker.fenced) return { records: [], reply: null };
  const brokerEpoch = broker.epoch;
  const records = [
    metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, inControlledShutdown: 1 }, 1),
  ];
  const withElr = (state.image.features.get('eligible.leader.replicas.version') ?? 0) > 0;
  for (const { topicId, partition } of partitionsOf(state.image, brokerId)) {
    if (partition.leader !== brokerId) continue;
    const change = withElr
      ? {
          isr: without(partition.isr, brokerId),
          eligibleLeaderReplicas: [brokerId],
          lastKnownElr: [brokerId],
        }
      : {};
    const fields = { topicId, partitionId: partition.partition, leader: -1, ...change };
    records.push(metadataRecord('PartitionChangeRecord', fields));
  }
  records.push(metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, fenced: 1 }));
  return { records, reply: null };
}

/** Partitions with a replica on the broker that it may lead: it is in sync, or was the last that was. */
function* partitionsOf(
  image: MetadataImage,
  brokerId: number,
): Iterable<{ topicId: string; partition: PartitionImage }> {
  for (const topic of image.topics.byId.values()) {
    for (const partition of topic.partitions) {
      if (!partition.replicas.includes(brokerId)) continue;
      const mayLead =
        partition.isr.includes(brokerId) ||
        partition.elr.includes(brokerId) ||
        partition.replicas.length === 1;
      if (mayLead) yield { topicId: topic.id, partition };
    }
  }
}

function without(ids: readonly number[], id: number): number[] {
  return ids.filter((other) => other !== id);
}
