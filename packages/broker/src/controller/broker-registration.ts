import { ErrorCodes } from '@ottla/protocol';
import type { EndpointImage, MetadataImage, PartitionImage } from '../metadata/image.ts';
import { metadataRecord } from '../metadata/records.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { OK, type CommandResult, type CommandState } from './command.ts';
import type { ItemResult } from './controller.ts';
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
    ...giveUpLeadership(state.image, brokerId),
    metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, fenced: 1 }),
  ];
  return { records, reply: null };
}

/**
 * UnregisterBroker (KIP-500): takes a broker out of the metadata. As in Kafka this is not refused to a broker that runs: its
 * partitions have no leader from then on, and it serves nobody until it registers with its next start.
 */
export function unregisterBroker(state: CommandState, brokerId: number): CommandResult<ItemResult> {
  const broker = state.image.brokers.get(brokerId);
  if (broker === undefined) {
    const errorMessage = `Broker ID ${brokerId} is not currently registered`;
    return { records: [], reply: { errorCode: ErrorCodes.BROKER_ID_NOT_REGISTERED, errorMessage } };
  }
  const records = [
    ...giveUpLeadership(state.image, brokerId),
    metadataRecord('UnregisterBrokerRecord', { brokerId, brokerEpoch: broker.epoch }),
  ];
  return { records, reply: OK };
}

/** The partitions that the broker leads have no leader any more; it stays the one that may lead them again (KIP-966). */
function giveUpLeadership(image: MetadataImage, brokerId: number): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  const withElr = (image.features.get('eligible.leader.replicas.version') ?? 0) > 0;
  for (const { topicId, partition } of partitionsOf(image, brokerId)) {
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
  return records;
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
