import type { GroupValues } from '../../../config/catalogue.ts';

/** In which directions a group may change its protocol, by the values of `group.consumer.migration.policy`. */
export type MigrationPolicy = 'disabled' | 'downgrade' | 'upgrade' | 'bidirectional';

/** What consumer groups read of the broker's configuration; the comments name Kafka's keys and defaults. */
export interface ConsumerGroupConfig {
  /** `group.consumer.assignors` (uniform, range); the first one is the default. */
  readonly assignors: readonly string[];
  /** `group.consumer.max.size` (2147483647). */
  readonly maxSize: number;
  /** `group.consumer.migration.policy` (bidirectional). */
  readonly migrationPolicy: MigrationPolicy;
  /** `group.consumer.regex.refresh.interval.ms` (600000). */
  readonly regexRefreshIntervalMs: number;
}

/** What may be set for each group; the comments name the key of the group, and the broker's default. */
export interface ConsumerGroupTimings {
  /** `consumer.session.timeout.ms` (45000). */
  readonly sessionTimeoutMs: number;
  /** `consumer.heartbeat.interval.ms` (5000). */
  readonly heartbeatIntervalMs: number;
  /** `consumer.assignment.interval.ms` (1000). */
  readonly assignmentIntervalMs: number;
}

/** Kafka's defaults. */
export const DEFAULT_CONSUMER_GROUP_CONFIG: ConsumerGroupConfig = {
  assignors: ['uniform', 'range'],
  maxSize: 2_147_483_647,
  migrationPolicy: 'bidirectional',
  regexRefreshIntervalMs: 600_000,
};
export const DEFAULT_CONSUMER_GROUP_TIMINGS: ConsumerGroupTimings = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
  assignmentIntervalMs: 1_000,
};

/** The timings of a group from what is configured for it. */
export function consumerGroupTimings(values: GroupValues): ConsumerGroupTimings {
  return {
    sessionTimeoutMs: values['consumer.session.timeout.ms'],
    heartbeatIntervalMs: values['consumer.heartbeat.interval.ms'],
    assignmentIntervalMs: values['consumer.assignment.interval.ms'],
  };
}

/** Whether a classic group may become a consumer group when a member of the consumer protocol joins. */
export function allowsUpgrade({ migrationPolicy }: ConsumerGroupConfig): boolean {
  return migrationPolicy === 'upgrade' || migrationPolicy === 'bidirectional';
}

/** Whether a consumer group may become a classic group when only members of the classic protocol are left. */
export function allowsDowngrade({ migrationPolicy }: ConsumerGroupConfig): boolean {
  return migrationPolicy === 'downgrade' || migrationPolicy === 'bidirectional';
}
