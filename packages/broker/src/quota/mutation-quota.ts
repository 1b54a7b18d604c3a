import type { Clock } from '@ottla/platform';
import type { MetadataStore } from '../metadata/image.ts';
import {
  ClientQuotaLookup,
  MAX_REMEMBERED,
  MAX_THROTTLE_MS,
  type QuotaClient,
} from './client-quota-lookup.ts';
import type { RateSampling } from './rate-window.ts';
import { TokenBucket, type TokenRate } from './token-bucket.ts';

export interface MutationQuotaOptions {
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  /** `controller.quota.window.num` and `controller.quota.window.size.seconds`. */
  readonly sampling: RateSampling;
}

/** The changes of one request to the metadata, as its client's quota counts them. */
export interface Mutations {
  /** Counts partitions that are made or deleted; false when the client has to wait before it may. */
  record(partitionCount: number): boolean;
  /** How long the client has to wait before its next request, in milliseconds. */
  readonly throttleTimeMs: number;
}

/** Those of a client without a quota, or of the broker itself. */
export const UNLIMITED_MUTATIONS: Mutations = { record: () => true, throttleTimeMs: 0 };

interface Allowance {
  readonly bucket: TokenBucket;
  rate: TokenRate;
}

/** Holds clients to a rate of partitions made and deleted (`controller_mutation_rate`, KIP-599). */
export class MutationQuota {
  readonly #options: MutationQuotaOptions;
  readonly #lookup: ClientQuotaLookup;
  readonly #allowances = new Map<string, Allowance>();

  constructor(options: MutationQuotaOptions) {
    this.#options = options;
    this.#lookup = new ClientQuotaLookup(options.metadata, 'controller_mutation_rate');
  }

  /**
   * @param isStrict Whether the request is of a version that may be refused (THROTTLING_QUOTA_EXCEEDED): then what an overdrawn
   * quota does not allow is not done, and what it allows costs no waiting. Otherwise all is done, and the client waits.
   */
  mutationsOf(client: QuotaClient, isStrict: boolean): Mutations {
    const quota = this.#lookup.of(client);
    if (quota === null) return UNLIMITED_MUTATIONS;
    const { clock, sampling } = this.#options;
    const rate = {
      perSecond: quota.bound,
      burst: (quota.bound * sampling.samples * sampling.sampleMs) / 1000,
    };
    const { bucket } = this.#allowanceOf(quota.sharedBy, rate);
    let isThrottled = false;
    return {
      record(partitionCount): boolean {
        const nowMs = clock.monotonicMs();
        if (isStrict && bucket.msUntilSolvent(nowMs, rate) > 0) {
          isThrottled = true;
          return false;
        }
        bucket.take(partitionCount, nowMs, rate);
        if (!isStrict && bucket.msUntilSolvent(nowMs, rate) > 0) isThrottled = true;
        return true;
      },
      get throttleTimeMs(): number {
        return isThrottled ? Math.min(bucket.msUntilSolvent(clock.monotonicMs(), rate), MAX_THROTTLE_MS) : 0;
      },
    };
  }

  #allowanceOf(sharedBy: string, rate: TokenRate): Allowance {
    let allowance = this.#allowances.get(sharedBy);
    if (allowance === undefined) {
      if (this.#allowances.size >= MAX_REMEMBERED) this.#forgetFull();
      allowance = { bucket: new TokenBucket(), rate };
      this.#allowances.set(sharedBy, allowance);
    }
    allowance.rate = rate;
    return allowance;
  }

  /** A full bucket is as good as a new one. */
  #forgetFull(): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [sharedBy, { bucket, rate }] of this.#allowances) {
      if (bucket.isFull(nowMs, rate)) this.#allowances.delete(sharedBy);
    }
  }
}
