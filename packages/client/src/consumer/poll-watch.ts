import type { Clock, TimerHandle } from '@ottla/platform';

/** How finely time is measured: a loop that stops is found at most a quarter of the interval late. */
const PARTS = 4;

/**
 * Watches that the application keeps asking for records (`max.poll.interval.ms`). `polled` is called for every record, so it only sets
 * a flag; a timer looks at it now and then.
 */
export class PollWatch {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #onExpired: () => void;
  readonly #onAlive: () => void;
  #hasPolled = true;
  #isWaiting = false;
  #lastMs = 0;
  #timer: TimerHandle | null = null;

  constructor(clock: Clock, intervalMs: number, events: { onExpired: () => void; onAlive: () => void }) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#onExpired = events.onExpired;
    this.#onAlive = events.onAlive;
  }

  start(): void {
    this.#lastMs = this.#clock.monotonicMs();
    this.#arm();
  }

  polled(): void {
    this.#hasPolled = true;
  }

  /** The application waits for records: that is as good as asking all the time. */
  set isWaiting(value: boolean) {
    if (value !== this.#isWaiting) this.#hasPolled = true;
    this.#isWaiting = value;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    this.#timer = this.#clock.setTimer(Math.max(1, this.#intervalMs / PARTS), () => {
      const nowMs = this.#clock.monotonicMs();
      const isAlive = this.#hasPolled || this.#isWaiting;
      this.#hasPolled = false;
      if (isAlive) {
        this.#lastMs = nowMs;
        this.#onAlive();
      } else if (nowMs - this.#lastMs >= this.#intervalMs) this.#onExpired();
      if (this.#timer !== null) this.#arm();
    });
  }
}
