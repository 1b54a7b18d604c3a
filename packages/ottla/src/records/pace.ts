import { NodeClock } from '@ottla/platform';

/** Shorter pauses are not worth it: timers are not that exact. */
const LEAST_PAUSE_MS = 5;

/** Keeps something to so many times a second on average, from its beginning on. */
export class Pace {
  readonly #clock = new NodeClock({ timersKeepProcessAlive: true });
  readonly #startedMs = this.#clock.monotonicMs();
  readonly #perSecond: number;
  readonly #signal: AbortSignal | undefined;
  #count = 0;

  /** `perSecond` is Infinity for no limit. */
  constructor(perSecond: number, signal?: AbortSignal) {
    this.#perSecond = perSecond;
    this.#signal = signal;
  }

  /** Counts one more; a promise when it is too early for it. */
  next(): Promise<void> | null {
    this.#count += 1;
    if (this.#perSecond === Infinity) return null;
    const dueMs = ((this.#count - 1) / this.#perSecond) * 1000;
    const earlyMs = dueMs - (this.#clock.monotonicMs() - this.#startedMs);
    return earlyMs < LEAST_PAUSE_MS ? null : this.#wait(earlyMs);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(delayMs, () => {
        this.#signal?.removeEventListener('abort', stop);
        resolve();
      });
      const stop = (): void => {
        timer.cancel();
        resolve();
      };
      this.#signal?.addEventListener('abort', stop, { once: true });
      if (this.#signal?.aborted === true) stop();
    });
  }
}
