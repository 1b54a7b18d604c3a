import type { BrokerConfig } from '../../config/broker-config.ts';

/** What the share coordinator reads of the broker's configuration; the comments name Kafka's keys and defaults. */
export interface ShareCoordinatorConfig {
  /** `share.coordinator.state.topic.num.partitions` (50). */
  readonly stateTopicPartitions: number;
  /** `share.coordinator.snapshot.update.records.per.snapshot` (500). */
  readonly snapshotUpdateRecordsPerSnapshot: number;
  /** `share.coordinator.write.timeout.ms` (5000). */
  readonly writeTimeoutMs: number;
  /** `share.coordinator.append.linger.ms` (-1: as long as the event loop's turn takes). */
  readonly appendLingerMs: number;
  /** `share.coordinator.state.topic.prune.interval.ms` (300000). */
  readonly pruneIntervalMs: number;
  /** `share.coordinator.cold.partition.snapshot.interval.ms` (300000). */
  readonly coldPartitionSnapshotIntervalMs: number;
}

/** Kafka's defaults. */
export const DEFAULT_SHARE_COORDINATOR_CONFIG: ShareCoordinatorConfig = {
  stateTopicPartitions: 50,
  snapshotUpdateRecordsPerSnapshot: 500,
  writeTimeoutMs: 5_000,
  appendLingerMs: -1,
  pruneIntervalMs: 300_000,
  coldPartitionSnapshotIntervalMs: 300_000,
};

/** The part of the broker's configuration that is the share coordinator's; none of it changes while the broker runs. */
export function shareCoordinatorConfig(config: BrokerConfig): ShareCoordinatorConfig {
  return {
    stateTopicPartitions: config.get('share.coordinator.state.topic.num.partitions'),
    snapshotUpdateRecordsPerSnapshot: config.get('share.coordinator.snapshot.update.records.per.snapshot'),
    writeTimeoutMs: config.get('share.coordinator.write.timeout.ms'),
    appendLingerMs: config.get('share.coordinator.append.linger.ms'),
    pruneIntervalMs: config.get('share.coordinator.state.topic.prune.interval.ms'),
    coldPartitionSnapshotIntervalMs: config.get('share.coordinator.cold.partition.snapshot.interval.ms'),
  };
}
