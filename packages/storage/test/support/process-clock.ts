import type { Clock, SimClock, TimerHandle } from '@ottla/platform';

/** The clock of one simulated process: its timers end with it, and time goes on. */
export class ProcessClock implements Clock {
  readonly #clock: SimClock;
  #isDead = false;

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return this.#clock.setTimer(delayMs, () => {
      if (!this.#isDead) callback();
    });
  }

  kill(): void {
    this.#isDead = true;
  }
}
