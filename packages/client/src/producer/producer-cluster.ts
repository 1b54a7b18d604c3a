import type { Cluster } from '../cluster/cluster.ts';

/** What a producer needs of the cluster, and no more: a simulation stands in for it in tests. */
export type ProducerCluster = Pick<
  Cluster,
  | 'applyLeaderHints'
  | 'closeLane'
  | 'features'
  | 'forgetCoordinator'
  | 'isClosed'
  | 'keepFresh'
  | 'metadata'
  | 'onMetadata'
  | 'options'
  | 'partition'
  | 'request'
  | 'requestMetadataUpdate'
  | 'retry'
  | 'topics'
>;
