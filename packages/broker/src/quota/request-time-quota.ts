import type { Clock } from '@ottla/platform';
import type { MetadataStore } from '../metadata/image.ts';
import type { QuotaClient } from './client-quota-lookup.ts';
import { RateQuota } from './rate-quota.ts';
import type { RateSampling } from './rate-window.ts';

export interface RequestTimeQuotaOptions {
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  readonly sampling: RateSampling;
}

export const NOT_MEASURED = -1;

/** A percent of a second. */
const MS_PER_PERCENT = 10;

/**
 * Holds clients to a share of the broker's time (`request_percentage`, KIP-124). Kafka counts its request and network threads,
 * 100 for each; there is one thread here, so 100 is all of its time.
 */
export class RequestTimeQuota {
  readonly #clock: Clock;
  readonly #quota: RateQuota;

  constructor({ clock, metadata, sampling }: RequestTimeQuotaOptions) {
    this.#clock = clock;
    // As in Kafka nobody waits for longer than a sample: who goes on as before is told again.
    const maxThrottleMs = sampling.sampleMs;
    this.#quota = new RateQuota({ key: 'request_percentage', clock, metadata, sampling, maxThrottleMs });
  }

  /** Now, in milliseconds; {@link NOT_MEASURED} when nobody has a quota, so that requests without need are not measured. */
  startMs(): number {
    return this.#quota.isOn ? this.#clock.monotonicMs() : NOT_MEASURED;
  }

  /** Time that a request has taken since its start, in milliseconds. */
  spentMs(startMs: number): number {
    return startMs === NOT_MEASURED ? NOT_MEASURED : this.#clock.monotonicMs() - startMs;
  }

  /** Counts the time spent on a request and tells how long its client has to wait, in milliseconds; 0: not at all. */
  throttleMs(client: QuotaClient, spentMs: number): number {
    return this.#quota.throttleMs(client, spentMs / MS_PER_PERCENT);
  }
}
