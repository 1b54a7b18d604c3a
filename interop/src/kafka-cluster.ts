import { freePort } from './command.ts';
import { newClusterId, Peer } from './peer.ts';

/**
 * Starts a cluster of Apache Kafka: every node is a broker and a controller. Internal topics and new topics have a replica on each of three
 * nodes. Dispose of each of the peers.
 */
export async function startKafkaCluster(options: {
  readonly libs: string;
  readonly nodeCount: number;
  readonly properties?: Readonly<Record<string, string>>;
}): Promise<Peer[]> {
  const ports: number[] = [];
  for (let node = 0; node < options.nodeCount; node += 1) ports.push(await freePort());
  const voters = ports.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
  const clusterId = newClusterId();
  const replicas = String(Math.min(3, options.nodeCount));
  const properties = {
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'share.coordinator.state.topic.replication.factor': replicas,
    ...options.properties,
  };
  // None of them answers before most of the controllers are there.
  const starting = ports.map((controllerPort, index) =>
    Peer.start({
      kind: 'kafka',
      libs: options.libs,
      properties,
      member: { nodeId: index + 1, controllerPort, voters, clusterId },
    }),
  );
  const settled = await Promise.allSettled(starting);
  const peers = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = settled.find((each) => each.status === 'rejected');
  if (failed === undefined) return peers;
  for (const peer of peers) await peer.dispose();
  throw failed.reason;
}
