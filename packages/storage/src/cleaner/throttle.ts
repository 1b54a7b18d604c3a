import type { Clock } from '@ottla/platform';

/** Spreads bytes over time: after each piece it waits until the average rate is at or below the limit again. */
export class Throttle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: number;
  readonly #startedMs: number;
  #bytes = 0;

  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#startedMs = clock.monotonicMs();
  }

  /** Counts bytes and waits as long as they are ahead of the rate. */
  async pass(bytes: number): Promise<void> {
    this.#bytes += bytes;
    const aheadMs =
      (this.#bytes / this.#bytesPerSecond) * 1000 - (this.#clock.monotonicMs() - this.#startedMs);
    if (aheadMs < 1) return;
    await new Promise<void>((resolve) => this.#clock.setTimer(aheadMs, resolve));
  }
}
