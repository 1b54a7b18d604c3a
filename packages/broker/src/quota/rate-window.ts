/** How a rate is sampled: `quota.window.num` samples of `quota.window.size.seconds` each. */
export interface RateSampling {
  readonly samples: number;
  readonly sampleMs: number;
}

interface Sample {
  readonly startMs: number;
  lastEventMs: number;
  sum: number;
}

/**
 * A rate over the last samples, as Kafka's `Rate` measures it. A sample begins with an event and takes what follows within its
 * length, so they need not touch each other:
 *
 * ```
 * events   x xx  x       x x x           now
 * samples  [......)      [......)         |
 *          ^ the oldest: the rate is all that was counted, divided by the time since here
 * ```
 *
 * A window that began lately counts as if it had all its samples but one, so that the first events do not look like a flood.
 */
export class RateWindow {
  readonly #samples: Sample[] = [];

  /** Counts a value; a negative one takes back what was counted before. */
  record(value: number, nowMs: number, { samples, sampleMs }: RateSampling): void {
    const newest = this.#samples.at(-1);
    if (newest !== undefined && nowMs - newest.startMs < sampleMs) {
      newest.sum += value;
      newest.lastEventMs = nowMs;
      return;
    }
    this.#samples.push({ startMs: nowMs, lastEventMs: nowMs, sum: value });
    if (this.#samples.length > samples + 1) this.#samples.shift();
  }

  /** The time that the rate is measured over, in milliseconds. */
  lengthMs(nowMs: number, { samples, sampleMs }: RateSampling): number {
    this.#purge(nowMs, samples * sampleMs);
    const elapsedMs = nowMs - (this.#samples[0]?.startMs ?? nowMs);
    const missing = samples - 1 - Math.floor(elapsedMs / sampleMs);
    return Math.max(elapsedMs + Math.max(missing, 0) * sampleMs, sampleMs);
  }

  /** Counted values for each second. */
  ratePerSecond(nowMs: number, sampling: RateSampling): number {
    const lengthMs = this.lengthMs(nowMs, sampling);
    return (this.#samples.reduce((sum, sample) => sum + sample.sum, 0) * 1000) / lengthMs;
  }

  /** Time without events after which the rate is down at the bound, in milliseconds; 0 when it is not above it. */
  msUntilBelow(boundPerSecond: number, nowMs: number, sampling: RateSampling): number {
    const perSecond = this.ratePerSecond(nowMs, sampling);
    if (!(perSecond > boundPerSecond)) return 0;
    return ((perSecond - boundPerSecond) / boundPerSecond) * this.lengthMs(nowMs, sampling);
  }

  /** Whether everything that was counted is too long ago to matter. */
  isIdle(nowMs: number, { samples, sampleMs }: RateSampling): boolean {
    this.#purge(nowMs, samples * sampleMs);
    return this.#samples.length === 0;
  }

  #purge(nowMs: number, maxAgeMs: number): void {
    while (this.#samples.length > 0 && nowMs - this.#samples[0]!.lastEventMs >= maxAgeMs)
      this.#samples.shift();
  }
}
