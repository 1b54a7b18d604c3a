import { ZERO_UUID } from '@ottla/protocol';
import type {
  MetadataImage,
  MetadataStore,
  PartitionImage,
  TopicImage,
} from '../../../src/metadata/image.ts';

export const T1_ID = 'tTtTtTtTtTtTtTtTtTtTtQ';

/** A cluster of one broker with topic `t1` (3 partitions) and `__consumer_offsets` (50 partitions), that never changes. */
export function fixedMetadata(offsetsPartitions = 50): MetadataStore {
  const image = fixedImage(offsetsPartitions);
  return { current: () => image, subscribe: () => {} };
}

/** The image with another topic. */
export function withTopic(image: MetadataImage, name: string, partitionCount: number): MetadataImage {
  const added = topic(
    name,
    Buffer.from(name.padEnd(16, '-').slice(0, 16)).toString('base64url'),
    partitionCount,
  );
  return {
    ...image,
    offset: image.offset + 1,
    topics: {
      byName: new Map(image.topics.byName).set(name, added),
      byId: new Map(image.topics.byId).set(added.id, added),
    },
  };
}

export function fixedImage(offsetsPartitions = 50): MetadataImage {
  const topics = [
    topic('t1', T1_ID, 3),
    topic('__consumer_offsets', 'oOoOoOoOoOoOoOoOoOoOoQ', offsetsPartitions),
  ];
  return {
    offset: 1,
    clusterId: 'test',
    controllerId: 1,
    brokers: new Map([
      [
        1,
        {
          id: 1,
          epoch: 1,
          incarnationId: ZERO_UUID,
          rack: null,
          fenced: false,
          inControlledShutdown: false,
          endpoints: [{ listenerName: 'PLAINTEXT', host: '127.0.0.1', port: 9092, securityProtocol: 0 }],
          logDirs: [],
        },
      ],
    ]),
    topics: {
      byName: new Map(topics.map((each) => [each.name, each])),
      byId: new Map(topics.map((each) => [each.id, each])),
    },
    configs: { get: () => new Map(), resources: () => [] },
    nextProducerId: 0,
    features: new Map(),
    scramCredentials: new Map(),
    clientQuotas: new Map(),
  };
}

function topic(name: string, id: string, partitionCount: number): TopicImage {
  return {
    name,
    id,
    partitions: Array.from({ length: partitionCount }, (_, partition) => partitionImage(partition)),
  };
}

function partitionImage(partition: number): PartitionImage {
  return {
    partition,
    leader: 1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    elr: [],
    lastKnownElr: [],
    directories: [ZERO_UUID],
  };
}
