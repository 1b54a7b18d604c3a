import { secondsAgo, Timing } from './timing.ts';

/** What membership in a group has cost. Milliseconds, averages and greatest values over the member's whole life; null before the first. */
export interface GroupMetrics {
  readonly assignedPartitions: number;
  readonly heartbeatTotal: number;
  readonly heartbeatResponseTimeMax: number | null;
  /** Since the last one was sent. */
  readonly lastHeartbeatSecondsAgo: number | null;
  readonly rebalanceTotal: number;
  /** From the first sign of another assignment until it is taken over, with the callbacks of the application. */
  readonly rebalanceLatencyTotal: number;
  readonly rebalanceLatencyAvg: number | null;
  readonly rebalanceLatencyMax: number | null;
  readonly lastRebalanceSecondsAgo: number | null;
  /** Steps of a rebalance that were refused or not answered, and begin again. */
  readonly failedRebalanceTotal: number;
}

/** JoinGroup and SyncGroup of the classic protocol, in milliseconds until the answer. */
export interface JoinMetrics {
  readonly joinTotal: number;
  readonly joinTimeAvg: number | null;
  readonly joinTimeMax: number | null;
  readonly syncTotal: number;
  readonly syncTimeAvg: number | null;
  readonly syncTimeMax: number | null;
}

/** Counts what membership does. Times are monotonic. */
export class GroupCounters {
  readonly join = new Timing();
  readonly sync = new Timing();
  readonly #heartbeat = new Timing();
  readonly #rebalance = new Timing();
  #heartbeatCount = 0;
  #lastHeartbeatMs = -1;
  #rebalanceSinceMs = -1;
  #lastRebalanceMs = -1;
  #failedCount = 0;

  heartbeatSent(nowMs: number): void {
    this.#heartbeatCount += 1;
    this.#lastHeartbeatMs = nowMs;
  }

  heartbeatAnswered(latencyMs: number): void {
    this.#heartbeat.add(latencyMs);
  }

  /** Another assignment is on its way; a rebalance that has begun goes on. */
  rebalanceBegan(nowMs: number): void {
    if (this.#rebalanceSinceMs < 0) this.#rebalanceSinceMs = nowMs;
  }

  rebalanceEnded(nowMs: number): void {
    if (this.#rebalanceSinceMs < 0) return;
    this.#rebalance.add(nowMs - this.#rebalanceSinceMs);
    this.#rebalanceSinceMs = -1;
    this.#lastRebalanceMs = nowMs;
  }

  rebalanceFailed(): void {
    this.#failedCount += 1;
  }

  metrics(nowMs: number, assignedPartitions: number): GroupMetrics {
    const rebalance = this.#rebalance;
    return {
      assignedPartitions,
      heartbeatTotal: this.#heartbeatCount,
      heartbeatResponseTimeMax: this.#heartbeat.max,
      lastHeartbeatSecondsAgo: secondsAgo(this.#lastHeartbeatMs, nowMs),
      rebalanceTotal: rebalance.count,
      rebalanceLatencyTotal: rebalance.total,
      rebalanceLatencyAvg: rebalance.avg,
      rebalanceLatencyMax: rebalance.max,
      lastRebalanceSecondsAgo: secondsAgo(this.#lastRebalanceMs, nowMs),
      failedRebalanceTotal: this.#failedCount,
    };
  }

  joinMetrics(): JoinMetrics {
    const { join, sync } = this;
    return {
      joinTotal: join.count,
      joinTimeAvg: join.avg,
      joinTimeMax: join.max,
      syncTotal: sync.count,
      syncTimeAvg: sync.avg,
      syncTimeMax: sync.max,
    };
  }
}
