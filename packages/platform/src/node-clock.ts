import type { Clock, TimerHandle } from './clock.ts';

export interface NodeClockOptions {
  /** Pending timers keep the process alive, as a client's do while somebody waits for its answer. Default: false. */
  readonly timersKeepProcessAlive?: boolean;
}

/** The system's clocks and Node's timers. Timers are unreferenced unless asked for: none of them keeps the process alive. */
export class NodeClock implements Clock {
  readonly #keepAlive: boolean;

  constructor(options: NodeClockOptions = {}) {
    this.#keepAlive = options.timersKeepProcessAlive === true;
  }

  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    return new NodeTimer(delayMs, callback, this.#keepAlive);
  }
}

/** Longest delay of `setTimeout`; longer ones are waited for in pieces instead of firing at once, as Node would. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

class NodeTimer implements TimerHandle {
  #remainingMs: number;
  readonly #callback: () => void;
  readonly #keepAlive: boolean;
  #timeout: NodeJS.Timeout;

  constructor(delayMs: number, callback: () => void, keepAlive: boolean) {
    this.#remainingMs = delayMs;
    this.#callback = callback;
    this.#keepAlive = keepAlive;
    this.#timeout = this.#start();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #start(): NodeJS.Timeout {
    const stepMs = Math.min(this.#remainingMs, MAX_TIMEOUT_MS);
    this.#remainingMs -= stepMs;
    const timeout = setTimeout(() => {
      if (this.#remainingMs <= 0) this.#callback();
      else this.#timeout = this.#start();
    }, stepMs);
    return this.#keepAlive ? timeout : timeout.unref();
  }
}
