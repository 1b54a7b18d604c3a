import { NodeClock, type Clock, type TimerHandle } from '@ottla/platform';

/**
 * The broker's clock: it goes as any clock does, and a test can push it forward. Sessions, retention and time-outs then come at
 * once; clients keep their own time.
 */
export class TestClock implements Clock {
  readonly #real = new NodeClock();
  readonly #timers = new Set<TestTimer>();
  #aheadMs = 0;

  nowMs(): number {
    // Rounded up: the part of a millisecond that passed during an advance is in the real clock only when that ticks.
    return this.#real.nowMs() + Math.ceil(this.#aheadMs);
  }

  monotonicMs(): number {
    return this.#real.monotonicMs() + this.#aheadMs;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = new TestTimer(this.monotonicMs() + Math.max(0, delayMs), callback, (ended) =>
      this.#timers.delete(ended),
    );
    this.#timers.add(timer);
    timer.arm(this.#real, delayMs);
    return timer;
  }

  /**
   * Moves the clock forward by `ms` and runs what falls due on the way, at its own time, timers set meanwhile included. What the
   * broker does about it may take a few turns of the event loop more.
   * @throws RangeError for a negative or infinite number
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0)
      throw new RangeError(
        `Cannot advance the clock by "${ms}" ms: a clock goes forward, by a finite number`,
      );
    const targetMs = this.monotonicMs() + ms;
    for (let next = this.#next(); next !== null && next.dueMs <= targetMs; next = this.#next()) {
      this.#aheadMs += Math.max(0, next.dueMs - this.monotonicMs());
      next.fire();
    }
    this.#aheadMs += Math.max(0, targetMs - this.monotonicMs());
    for (const timer of this.#timers) timer.arm(this.#real, timer.dueMs - this.monotonicMs());
  }

  #next(): TestTimer | null {
    let first: TestTimer | null = null;
    for (const timer of this.#timers) if (first === null || timer.dueMs < first.dueMs) first = timer;
    return first;
  }
}

/** A timer of the pushed clock, waiting on a real one. */
class TestTimer implements TimerHandle {
  readonly dueMs: number;
  readonly #callback: () => void;
  readonly #onEnd: (timer: TestTimer) => void;
  #handle: TimerHandle | null = null;

  constructor(dueMs: number, callback: () => void, onEnd: (timer: TestTimer) => void) {
    this.dueMs = dueMs;
    this.#callback = callback;
    this.#onEnd = onEnd;
  }

  arm(real: Clock, delayMs: number): void {
    this.#handle?.cancel();
    this.#handle = real.setTimer(Math.max(0, delayMs), () => this.fire());
  }

  fire(): void {
    this.cancel();
    this.#callback();
  }

  cancel(): void {
    this.#handle?.cancel();
    this.#onEnd(this);
  }
}
