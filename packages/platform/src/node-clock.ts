import type { Clock, TimerHandle } from './clock.ts';

/** The system's clocks and Node's timers. Timers are unreferenced: none of them keeps the process alive. */
export class NodeClock implements Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return new NodeTimer(delayMs, callback);
  }
}

/** Longest delay of `setTimeout`; longer ones are waited for in pieces instead of firing at once, as Node would. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class NodeTimer implements TimerHandle {
  #remainingMs: number;
  readonly #callback: () => void;
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void) {
    this.#remainingMs = delayMs;
    this.#callback = callback;
    this.#timeout = this.#start();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #start(): NodeJS.Timeout {
    const stepMs = Math.min(this.#remainingMs, MAX_TIMEOUT_MS);
    this.#remainingMs -= stepMs;
    return setTimeout(() => {
      if (this.#remainingMs <= 0) this.#callback();
      else this.#timeout = this.#start();
    }, stepMs).unref();
  }
}
