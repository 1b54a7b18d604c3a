import type { Clock } from '@ottla/platform';
import type { MetadataStore } from '../metadata/image.ts';
import { ClientQuotaLookup, MAX_THROTTLE_MS, type QuotaClient } from './client-quota-lookup.ts';
import type { RateSampling } from './rate-window.ts';
import { RateWindows } from './rate-windows.ts';

export interface RateQuotaOptions {
  readonly key: 'producer_byte_rate' | 'consumer_byte_rate' | 'request_percentage';
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  readonly sampling: RateSampling;
  /** Nobody waits for longer at once. */
  readonly maxThrottleMs?: number;
}

/**
 * Holds clients to a rate (KIP-13, KIP-55, KIP-124): the bytes that they send or are sent, or the time that they take, is
 * counted, and who is above the rate waits for as long as it takes to come down to it. Without quotas nothing is counted.
 */
export class RateQuota {
  readonly #options: RateQuotaOptions;
  readonly #lookup: ClientQuotaLookup;
  readonly #rates: RateWindows;

  constructor(options: RateQuotaOptions) {
    this.#options = options;
    this.#rates = new RateWindows(options.sampling);
    this.#lookup = new ClientQuotaLookup(options.metadata, options.key);
  }

  /** Whether anybody has a quota at all, so that requests without need not be measured. */
  get isOn(): boolean {
    return this.#lookup.isOn;
  }

  /** Counts an amount for a client and tells how long it has to wait for it, in milliseconds; 0: not at all. */
  throttleMs(client: QuotaClient, amount: number): number {
    const quota = this.#lookup.of(client);
    if (quota === null) return 0;
    const { clock, sampling, maxThrottleMs = MAX_THROTTLE_MS } = this.#options;
    const nowMs = clock.monotonicMs();
    const rate = this.#rates.of(quota.sharedBy, nowMs);
    rate.record(amount, nowMs, sampling);
    const throttleMs = rate.msUntilBelow(quota.bound, nowMs, sampling);
    return Math.round(Math.min(throttleMs, maxThrottleMs));
  }

  /** What was counted did not happen after all. */
  takeBack(client: QuotaClient, amount: number): void {
    const quota = this.#lookup.of(client);
    if (quota === null) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#rates.of(quota.sharedBy, nowMs).record(-amount, nowMs, this.#options.sampling);
  }

  /** The most that a client may get at once and still come down to its rate within the window; Infinity without a quota. */
  maxAtOnce(client: QuotaClient): number {
    const quota = this.#lookup.of(client);
    if (quota === null) return Number.POSITIVE_INFINITY;
    const { samples, sampleMs } = this.#options.sampling;
    return Math.floor((quota.bound * (samples - 1) * sampleMs) / 1000);
  }
}
