import type { Clock } from '@ottla/platform';
import { quotaEntityKey } from '../metadata/client-quotas-image.ts';
import type { MetadataStore } from '../metadata/image.ts';
import { RateWindow, type RateSampling } from './rate-window.ts';
import { RateWindows } from './rate-windows.ts';

export interface ConnectionRatesOptions {
  readonly clock: Clock;
  readonly metadata: MetadataStore;
  readonly sampling: RateSampling;
  /** `max.connection.creation.rate`, of all listeners together; dynamic. */
  readonly maxConnectionCreationRate: () => number;
}

/**
 * Holds new connections to a rate (KIP-612): all of them together wait until the broker's own rate allows them, and those of
 * an address above its quota (`connection_creation_rate`) are not let in. As in Kafka nobody waits for longer than a sample.
 */
export class ConnectionRates {
  readonly #options: ConnectionRatesOptions;
  readonly #all = new RateWindow();
  readonly #byAddress: RateWindows;

  constructor(options: ConnectionRatesOptions) {
    this.#options = options;
    this.#byAddress = new RateWindows(options.sampling);
  }

  /** Counts a connection; what comes back is how long it has to wait before it is let in, in milliseconds. */
  delayMs(): number {
    return this.#count(this.#all, this.#options.maxConnectionCreationRate());
  }

  /**
   * Counts a connection for its address; when that is above its quota the connection counts for nobody, and what comes back
   * is how long it is to be kept unread before it is closed, in milliseconds. 0: it may come in.
   */
  refusalMs(address: string): number {
    const bound = this.#quotaOf(address);
    if (bound === null) return 0;
    const { clock, sampling } = this.#options;
    const nowMs = clock.monotonicMs();
    const rate = this.#byAddress.of(address, nowMs);
    const refusalMs = this.#count(rate, bound);
    if (refusalMs > 0) {
      rate.record(-1, nowMs, sampling);
      this.#all.record(-1, nowMs, sampling);
    }
    return refusalMs;
  }

  #count(rate: RateWindow, bound: number): number {
    const { clock, sampling } = this.#options;
    const nowMs = clock.monotonicMs();
    rate.record(1, nowMs, sampling);
    return Math.round(Math.min(rate.msUntilBelow(bound, nowMs, sampling), sampling.sampleMs));
  }

  #quotaOf(address: string): number | null {
    const { clientQuotas } = this.#options.metadata.current();
    if (clientQuotas.size === 0) return null;
    for (const ip of [address, null]) {
      const quotas = clientQuotas.get(quotaEntityKey(new Map([['ip', ip]])));
      const bound = quotas?.values.get('connection_creation_rate');
      if (bound !== undefined) return bound;
    }
    return null;
  }
}
