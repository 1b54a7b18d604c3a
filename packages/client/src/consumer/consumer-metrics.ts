import type { TopicPartition } from '../admin/admin-requests.ts';
import { FetchCounters, type FetchMetrics } from '../metrics/fetch-counters.ts';
import { GroupCounters, type GroupMetrics, type JoinMetrics } from '../metrics/group-counters.ts';
import { IdleCounter } from '../metrics/idle-counter.ts';
import { Timing } from '../metrics/timing.ts';
import type { PartitionState } from './partition-state.ts';

/** One partition of a consumer, as of the last fetch. */
export interface PartitionMetrics extends TopicPartition {
  /** Records between the consumer and the end of what it may read. */
  readonly recordsLag: number;
  /** Records between the beginning of the log and the consumer: near 0, retention catches up with it. */
  readonly recordsLead: number;
  /** The broker that is read from instead of the leader (KIP-392); -1 for none. */
  readonly preferredReadReplica: number;
}

/** What a consumer has done, by the names of Kafka's JMX metrics. */
export interface ConsumerMetrics extends FetchMetrics, GroupMetrics, JoinMetrics {
  /** Of the partition that is furthest behind; null before the first fetch. */
  readonly recordsLagMax: number | null;
  readonly recordsLeadMin: number | null;
  readonly partitions: readonly PartitionMetrics[];
  /** Commits that the group has taken. */
  readonly commitTotal: number;
  /** Milliseconds, with repetitions. */
  readonly commitLatencyAvg: number | null;
  readonly commitLatencyMax: number | null;
  /** The share of its life that the application has waited for records: 1 when it could do more. */
  readonly pollIdleRatioAvg: number | null;
}

/** Counts what a consumer does. */
export class ConsumerCounters {
  readonly fetch = new FetchCounters();
  readonly group = new GroupCounters();
  readonly idle = new IdleCounter();
  readonly commit = new Timing();

  metrics(nowMs: number, states: readonly PartitionState[], isReadCommitted: boolean): ConsumerMetrics {
    const partitions = states
      .filter(({ position, highWatermark }) => position >= 0 && highWatermark >= 0)
      .map((state) => partitionMetrics(state, isReadCommitted));
    const isEmpty = partitions.length === 0;
    return {
      ...this.fetch.metrics(),
      ...this.group.metrics(nowMs, states.length),
      ...this.group.joinMetrics(),
      recordsLagMax: isEmpty ? null : Math.max(...partitions.map(({ recordsLag }) => recordsLag)),
      recordsLeadMin: isEmpty ? null : Math.min(...partitions.map(({ recordsLead }) => recordsLead)),
      partitions,
      commitTotal: this.commit.count,
      commitLatencyAvg: this.commit.avg,
      commitLatencyMax: this.commit.max,
      pollIdleRatioAvg: this.idle.ratio(nowMs),
    };
  }
}

function partitionMetrics(state: PartitionState, isReadCommitted: boolean): PartitionMetrics {
  const { topic, partition, position, logStartOffset, preferredReplica } = state;
  return {
    topic,
    partition,
    recordsLag: Math.max(0, endOffsetOf(state, isReadCommitted) - position),
    recordsLead: Math.max(0, position - Math.max(0, logStartOffset)),
    preferredReadReplica: preferredReplica,
  };
}

/** One after the last record that may be read. */
export function endOffsetOf(state: PartitionState, isReadCommitted: boolean): number {
  return isReadCommitted ? state.lastStableOffset : state.highWatermark;
}
