import { ErrorCodes } from '@ottla/protocol';
import type { EndpointImage, MetadataImage, PartitionImage } from '../metadata/image.ts';
import { topicNameProblem } from '../controller/topic-names.ts';

/** The endpoint under which a live broker is reached on a listener; undefined when it has none or is fenced. */
export function aliveEndpoint(
  image: MetadataImage,
  brokerId: number,
  listenerName: string,
): EndpointImage | undefined {
  const broker = image.brokers.get(brokerId);
  if (broker === undefined || broker.fenced) return undefined;
  return broker.endpoints.find((endpoint) => endpoint.listenerName === listenerName);
}

/** Replicas that no client can reach through the listener now. */
export function offlineReplicas(
  image: MetadataImage,
  partition: PartitionImage,
  listenerName: string,
): number[] {
  return partition.replicas.filter((id) => aliveEndpoint(image, id, listenerName) === undefined);
}

/** Live brokers with their address on a listener, as Metadata and DescribeCluster list them. */
export function aliveBrokers(
  image: MetadataImage,
  listenerName: string,
): { id: number; host: string; port: number; rack: string | null }[] {
  const nodes = [];
  for (const broker of image.brokers.values()) {
    const endpoint = aliveEndpoint(image, broker.id, listenerName);
    if (endpoint !== undefined)
      nodes.push({ id: broker.id, host: endpoint.host, port: endpoint.port, rack: broker.rack });
  }
  return nodes;
}

/**
 * Who clients are told is the controller: in KRaft any live broker will do, since brokers forward to it; the broker that is
 * the controller is named when it is alive.
 */
export function advertisedController(image: MetadataImage): number {
  const own = image.brokers.get(image.controllerId);
  if (own !== undefined && !own.fenced) return own.id;
  for (const broker of image.brokers.values()) if (!broker.fenced) return broker.id;
  return -1;
}

/** The answer for a topic that does not exist. */
export function missingTopicError(name: string): number {
  return topicNameProblem(name) === null
    ? ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION
    : ErrorCodes.INVALID_TOPIC_EXCEPTION;
}
