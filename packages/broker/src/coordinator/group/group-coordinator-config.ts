import type { BrokerConfig } from '../../config/broker-config.ts';
import {
  DEFAULT_CONSUMER_GROUP_CONFIG,
  type ConsumerGroupConfig,
  type MigrationPolicy,
} from './consumer/consumer-group-config.ts';
import type { ShareGroupSettings } from './share/share-group-types.ts';
import { DEFAULT_STREAMS_GROUP_SETTINGS, type StreamsGroupSettings } from './streams/streams-group-config.ts';

/** What the group coordinator reads of the broker's configuration; the comments name Kafka's keys and defaults. */
export interface GroupCoordinatorConfig {
  /** `group.min.session.timeout.ms` (6000). */
  readonly minSessionTimeoutMs: number;
  /** `group.max.session.timeout.ms` (1800000). */
  readonly maxSessionTimeoutMs: number;
  /** `group.initial.rebalance.delay.ms` (3000). */
  readonly initialRebalanceDelayMs: number;
  /** `group.max.size` (2147483647). */
  readonly maxSize: number;
  /** `offset.metadata.max.bytes` (4096); Kafka counts UTF-16 units, so does Ottla. */
  readonly offsetMetadataMaxBytes: number;
  /** `offsets.retention.minutes` (10080), in milliseconds. */
  readonly offsetsRetentionMs: number;
  /** `offsets.retention.check.interval.ms` (600000). */
  readonly offsetsRetentionCheckIntervalMs: number;
  /** `offsets.commit.timeout.ms` (5000). */
  readonly offsetsCommitTimeoutMs: number;
  /** `offsets.topic.num.partitions` (50). */
  readonly offsetsTopicPartitions: number;
  /** `group.coordinator.append.linger.ms` (-1: as long as the event loop's turn takes). */
  readonly appendLingerMs: number;
  readonly consumer: ConsumerGroupConfig;
  /** What applies to a share group: its own configs, over the broker's. */
  readonly share: (groupId: string) => ShareGroupSettings;
  /** Told when the last member of a share group has gone. */
  readonly onShareGroupEmptied: (groupId: string) => void;
  /** What applies to a streams group: its own configs, over the broker's. */
  readonly streams: (groupId: string) => StreamsGroupSettings;
}

const DEFAULT_SHARE_GROUP_SETTINGS: ShareGroupSettings = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
  assignmentIntervalMs: 1_000,
  maxSize: 200,
  initializeRetryIntervalMs: 30_000,
};

/** Kafka's defaults. */
export const DEFAULT_GROUP_COORDINATOR_CONFIG: GroupCoordinatorConfig = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 3_000,
  maxSize: 2_147_483_647,
  offsetMetadataMaxBytes: 4_096,
  offsetsRetentionMs: 7 * 24 * 60 * 60 * 1000,
  offsetsRetentionCheckIntervalMs: 600_000,
  offsetsCommitTimeoutMs: 5_000,
  offsetsTopicPartitions: 50,
  appendLingerMs: -1,
  consumer: DEFAULT_CONSUMER_GROUP_CONFIG,
  share: () => DEFAULT_SHARE_GROUP_SETTINGS,
  onShareGroupEmptied: () => {},
  streams: () => DEFAULT_STREAMS_GROUP_SETTINGS,
};

/** The part of the broker's configuration that is the group coordinator's; only a group's own configs change while the broker runs. */
export function groupCoordinatorConfig(
  config: BrokerConfig,
  own: Pick<GroupCoordinatorConfig, 'share' | 'onShareGroupEmptied' | 'streams'>,
): GroupCoordinatorConfig {
  return {
    minSessionTimeoutMs: config.get('group.min.session.timeout.ms'),
    maxSessionTimeoutMs: config.get('group.max.session.timeout.ms'),
    initialRebalanceDelayMs: config.get('group.initial.rebalance.delay.ms'),
    maxSize: config.get('group.max.size'),
    offsetMetadataMaxBytes: config.get('offset.metadata.max.bytes'),
    offsetsRetentionMs: config.get('offsets.retention.minutes') * 60_000,
    offsetsRetentionCheckIntervalMs: config.get('offsets.retention.check.interval.ms'),
    offsetsCommitTimeoutMs: config.get('offsets.commit.timeout.ms'),
    offsetsTopicPartitions: config.get('offsets.topic.num.partitions'),
    appendLingerMs: config.get('group.coordinator.append.linger.ms'),
    consumer: {
      assignors: config.get('group.consumer.assignors'),
      maxSize: config.get('group.consumer.max.size'),
      migrationPolicy: config.get('group.consumer.migration.policy').toLowerCase() as MigrationPolicy,
      regexRefreshIntervalMs: config.get('group.consumer.regex.refresh.interval.ms'),
    },
    ...own,
  };
}
