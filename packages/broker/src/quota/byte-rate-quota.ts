import type { Clock } from '@ottla/platform';
import type { ClientQuotas } from '../metadata/client-quotas-image.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { effectiveQuota, type EffectiveQuota } from './effective-quota.ts';
import { RateWindow, type RateSampling } from './rate-window.ts';

/** Who sent a request, as quotas know clients. */
export interface QuotaClient {
  /** `User:ANONYMOUS`. */
  readonly principal: string;
  readonly clientId: string | null;
}

export interface ByteRateQuotaOptions {
  readonly key: 'producer_byte_rate' | 'consumer_byte_rate';
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  readonly sampling: RateSampling;
}

/** Rates are forgotten when they are idle and there are more than so many of them. */
const MAX_RATES = 1000;

/**
 * Holds clients to a rate of bytes (KIP-13, KIP-55): what they send or are sent is counted, and who is above the rate
 * waits for as long as it takes to come down to it. Without quotas nothing is counted.
 */
export class ByteRateQuota {
  readonly #options: ByteRateQuotaOptions;
  readonly #rates = new Map<string, RateWindow>();
  /** Quotas by client; valid for one state of all quotas. */
  readonly #effective = new Map<string, EffectiveQuota | null>();
  #quotas: ClientQuotas | null = null;

  constructor(options: ByteRateQuotaOptions) {
    this.#options = options;
  }

  /** Whether anybody has a quota at all, so that requests without need not be measured. */
  get isOn(): boolean {
    return this.#options.metadata.current().clientQuotas.size > 0;
  }

  /** Counts bytes of a client and tells how long it has to wait for them, in milliseconds; 0: not at all. */
  throttleMs(client: QuotaClient, bytes: number): number {
    const quota = this.#quotaOf(client);
    if (quota === null) return 0;
    const { clock, sampling } = this.#options;
    const nowMs = clock.monotonicMs();
    const rate = this.#rateOf(quota, nowMs);
    rate.record(bytes, nowMs, sampling);
    const perSecond = rate.ratePerSecond(nowMs, sampling);
    if (!(perSecond > quota.bound)) return 0;
    return Math.round(((perSecond - quota.bound) / quota.bound) * rate.lengthMs(nowMs, sampling));
  }

  /** Bytes that were counted were not sent after all. */
  takeBack(client: QuotaClient, bytes: number): void {
    const quota = this.#quotaOf(client);
    if (quota === null) return;
    const nowMs = this.#options.clock.monotonicMs();
    this.#rateOf(quota, nowMs).record(-bytes, nowMs, this.#options.sampling);
  }

  /** The most that a client may get at once and still come down to its rate within the window; Infinity without a quota. */
  maxBytesAtOnce(client: QuotaClient): number {
    const quota = this.#quotaOf(client);
    if (quota === null) return Number.POSITIVE_INFINITY;
    const { samples, sampleMs } = this.#options.sampling;
    return Math.floor((quota.bound * (samples - 1) * sampleMs) / 1000);
  }

  #quotaOf({ principal, clientId }: QuotaClient): EffectiveQuota | null {
    const { clientQuotas } = this.#options.metadata.current();
    if (clientQuotas !== this.#quotas) {
      this.#quotas = clientQuotas;
      this.#effective.clear();
    }
    if (clientQuotas.size === 0) return null;
    const name = `${principal}\n${clientId ?? ''}`;
    let quota = this.#effective.get(name);
    if (quota === undefined) {
      const user = principal.slice(principal.indexOf(':') + 1);
      quota = effectiveQuota(clientQuotas, { user, clientId: clientId ?? '' }, this.#options.key);
      if (this.#effective.size >= MAX_RATES) this.#effective.clear();
      this.#effective.set(name, quota);
    }
    return quota;
  }

  #rateOf({ sharedBy }: EffectiveQuota, nowMs: number): RateWindow {
    let rate = this.#rates.get(sharedBy);
    if (rate === undefined) {
      if (this.#rates.size >= MAX_RATES) this.#forgetIdle(nowMs);
      rate = new RateWindow();
      this.#rates.set(sharedBy, rate);
    }
    return rate;
  }

  #forgetIdle(nowMs: number): void {
    for (const [sharedBy, rate] of this.#rates) {
      if (rate.isIdle(nowMs, this.#options.sampling)) this.#rates.delete(sharedBy);
    }
  }
}
