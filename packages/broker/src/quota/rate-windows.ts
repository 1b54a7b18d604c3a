import { MAX_REMEMBERED } from './client-quota-lookup.ts';
import { RateWindow, type RateSampling } from './rate-window.ts';

/** A rate for each client or address. Those that are idle are forgotten when there are many. */
export class RateWindows {
  readonly #sampling: RateSampling;
  readonly #byKey = new Map<string, RateWindow>();

  constructor(sampling: RateSampling) {
    this.#sampling = sampling;
  }

  /** The rate of a key; a new one when it has none. */
  of(key: string, nowMs: number): RateWindow {
    let rate = this.#byKey.get(key);
    if (rate === undefined) {
      if (this.#byKey.size >= MAX_REMEMBERED) this.#forgetIdle(nowMs);
      rate = new RateWindow();
      this.#byKey.set(key, rate);
    }
    return rate;
  }

  #forgetIdle(nowMs: number): void {
    for (const [key, rate] of this.#byKey) {
      if (rate.isIdle(nowMs, this.#sampling)) this.#byKey.delete(key);
    }
  }
}
