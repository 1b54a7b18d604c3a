import type { GroupValues } from '../../../config/catalogue.ts';

/** What applies to one streams group: its own configs over the broker's. */
export interface StreamsGroupSettings {
  /** `streams.session.timeout.ms`. */
  readonly sessionTimeoutMs: number;
  /** `streams.heartbeat.interval.ms`. */
  readonly heartbeatIntervalMs: number;
  /** `streams.assignment.interval.ms`. */
  readonly assignmentIntervalMs: number;
  /** `streams.initial.rebalance.delay.ms`. */
  readonly initialRebalanceDelayMs: number;
  /** `streams.num.standby.replicas`. */
  readonly numStandbyReplicas: number;
  /** `group.streams.max.size`. */
  readonly maxSize: number;
}

/** Kafka's defaults. */
export const DEFAULT_STREAMS_GROUP_SETTINGS: StreamsGroupSettings = {
  sessionTimeoutMs: 45_000,
  heartbeatIntervalMs: 5_000,
  assignmentIntervalMs: 1_000,
  initialRebalanceDelayMs: 3_000,
  numStandbyReplicas: 0,
  maxSize: 2_147_483_647,
};

/** The settings of a group from what is configured for it. */
export function streamsGroupSettings(values: GroupValues, maxSize: number): StreamsGroupSettings {
  return {
    sessionTimeoutMs: values['streams.session.timeout.ms'],
    heartbeatIntervalMs: values['streams.heartbeat.interval.ms'],
    assignmentIntervalMs: values['streams.assignment.interval.ms'],
    initialRebalanceDelayMs: values['streams.initial.rebalance.delay.ms'],
    numStandbyReplicas: values['streams.num.standby.replicas'],
    maxSize,
  };
}
