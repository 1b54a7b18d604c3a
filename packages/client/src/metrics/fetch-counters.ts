import { Timing } from './timing.ts';

/** What a consumer has fetched, and what of it the application has got. Averages and greatest values are over its whole life. */
export interface FetchMetrics {
  /** Records that were handed out, or left out by an interceptor. */
  readonly recordsConsumedTotal: number;
  /** Record batches that were opened, in bytes as they came. */
  readonly bytesConsumedTotal: number;
  /** Requests for records that were answered. */
  readonly fetchTotal: number;
  /** Milliseconds until the answer, which the broker holds back while it has nothing. Null before the first. */
  readonly fetchLatencyAvg: number | null;
  readonly fetchLatencyMax: number | null;
  /** Bytes of record batches in an answer. */
  readonly fetchSizeAvg: number | null;
  readonly fetchSizeMax: number | null;
  readonly recordsPerRequestAvg: number | null;
  /** Milliseconds that the broker asked to wait for a quota (KIP-219). */
  readonly fetchThrottleTimeAvg: number | null;
  readonly fetchThrottleTimeMax: number | null;
}

/** Counts fetching and consuming. */
export class FetchCounters {
  recordsConsumed = 0;
  bytesConsumed = 0;
  readonly latency = new Timing();
  readonly size = new Timing();
  readonly throttle = new Timing();

  /** A request was answered. */
  fetched(answer: {
    readonly latencyMs: number;
    readonly sizeBytes: number;
    readonly throttleTimeMs: number;
  }): void {
    this.latency.add(answer.latencyMs);
    this.size.add(answer.sizeBytes);
    this.throttle.add(answer.throttleTimeMs);
  }

  metrics(): FetchMetrics {
    const { latency, size, throttle } = this;
    return {
      recordsConsumedTotal: this.recordsConsumed,
      bytesConsumedTotal: this.bytesConsumed,
      fetchTotal: latency.count,
      fetchLatencyAvg: latency.avg,
      fetchLatencyMax: latency.max,
      fetchSizeAvg: size.avg,
      fetchSizeMax: size.max,
      recordsPerRequestAvg: latency.count === 0 ? null : this.recordsConsumed / latency.count,
      fetchThrottleTimeAvg: throttle.avg,
      fetchThrottleTimeMax: throttle.max,
    };
  }
}
