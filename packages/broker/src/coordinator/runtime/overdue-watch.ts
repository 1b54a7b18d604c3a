import type { Clock, TimerHandle } from '@ottla/platform';

/** Tells of things that take longer than they should. They are expected to take equally long, so one timer serves all. */
export class OverdueWatch<T> {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onOverdue: (item: T) => void;
  /** What is watched with its deadline on the monotonic clock, the earliest first. */
  readonly #deadlines = new Map<T, number>();
  #timer: TimerHandle | null = null;

  constructor(clock: Clock, timeoutMs: number, onOverdue: (item: T) => void) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#onOverdue = onOverdue;
  }

  /** Begins to watch; `onOverdue` is called once, unless the item is done within the time. */
  begin(item: T): void {
    this.#deadlines.set(item, this.#clock.monotonicMs() + this.#timeoutMs);
    if (this.#timer === null) this.#arm(this.#timeoutMs);
  }

  /** The item is done. The timer stays: it costs less to let it fire for nothing than to set it anew each time. */
  done(item: T): void {
    this.#deadlines.delete(item);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#deadlines.clear();
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = null;
      this.#fire();
    });
  }

  #fire(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [item, deadlineMs] of this.#deadlines) {
      if (deadlineMs > nowMs) {
        if (this.#timer === null) this.#arm(deadlineMs - nowMs);
        return;
      }
      this.#deadlines.delete(item);
      this.#onOverdue(item);
    }
  }
}
