import type { Cluster } from '../cluster/cluster.ts';

/** What a producer needs of the cluster, and no more: a simulation stands in for it in tests. */
export type ProducerCluster = Pick<
  Cluster,
  | 'applyLeaderHints'
  | 'closeLane'
  | 'features'
  | 'forgetCoordinator'
  | 'isClosed'
  | 'metadata'
  | 'onMetadata'
  | 'options'
  | 'partition'
  | 'request'
  | 'refreshMetadataIfStale'
  | 'requestMetadataUpdate'
  | 'retry'
  | 'topics'
  | 'trackTopics'
>;
