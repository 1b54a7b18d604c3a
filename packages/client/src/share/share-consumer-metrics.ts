import { FetchCounters, type FetchMetrics } from '../metrics/fetch-counters.ts';
import { GroupCounters, type GroupMetrics } from '../metrics/group-counters.ts';
import { IdleCounter } from '../metrics/idle-counter.ts';
import type { AcknowledgementResult } from './share-options.ts';

/** What a share consumer has done, by the names of Kafka's JMX metrics. */
export interface ShareConsumerMetrics extends FetchMetrics, GroupMetrics {
  /** Acknowledgements of records that were sent. */
  readonly acknowledgementsSendTotal: number;
  /** Those of them that the broker has not taken. */
  readonly acknowledgementsErrorTotal: number;
  /** The share of its life that the application has waited for records: 1 when it could do more. */
  readonly pollIdleRatioAvg: number | null;
}

/** Counts what a share consumer does. */
export class ShareCounters {
  readonly fetch = new FetchCounters();
  readonly group = new GroupCounters();
  readonly idle = new IdleCounter();
  #sentCount = 0;
  #refusedCount = 0;

  acknowledged(results: readonly AcknowledgementResult[]): void {
    for (const { offsets, error } of results) {
      this.#sentCount += offsets.length;
      if (error !== null) this.#refusedCount += offsets.length;
    }
  }

  metrics(nowMs: number, assignedPartitions: number): ShareConsumerMetrics {
    return {
      ...this.fetch.metrics(),
      ...this.group.metrics(nowMs, assignedPartitions),
      acknowledgementsSendTotal: this.#sentCount,
      acknowledgementsErrorTotal: this.#refusedCount,
      pollIdleRatioAvg: this.idle.ratio(nowMs),
    };
  }
}
