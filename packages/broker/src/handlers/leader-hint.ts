import type { MetadataImage } from '../metadata/image.ts';

/** Where a partition is led, for answers that save clients a metadata request (KIP-951). */
export interface LeaderHint {
  readonly leader: { readonly leaderId: number; readonly leaderEpoch: number };
  readonly endpoint: {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
  } | null;
}

export const NO_LEADER: LeaderHint['leader'] = { leaderId: -1, leaderEpoch: -1 };

/** The current leader of a partition and its address on the listener that the client used. */
export function leaderHint(
  image: MetadataImage,
  { topic, partition, listenerName }: { topic: string; partition: number; listenerName: string },
): LeaderHint {
  const found = image.topics.byName.get(topic)?.partitions[partition];
  if (found === undefined) return { leader: NO_LEADER, endpoint: null };
  const broker = image.brokers.get(found.leader);
  const address = broker?.endpoints.find((endpoint) => endpoint.listenerName === listenerName);
  return {
    leader: { leaderId: found.leader, leaderEpoch: found.leaderEpoch },
    endpoint:
      broker === undefined || address === undefined
        ? null
        : { nodeId: broker.id, host: address.host, port: address.port, rack: broker.rack },
  };
}
