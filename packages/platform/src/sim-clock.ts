import type { Clock, TimerHandle } from './clock.ts';

/** A clock that only moves when told to. Timers fire inside `advance`, in order of their time, then of their creation. */
export class SimClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #nextId = 0;
  readonly #timers = new Map<number, { dueMs: number; callback: () => void }>();

  constructor(nowMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  setTimer(delayMs: number, callback: () => void): TimerHandle {
    const id = this.#nextId++;
    this.#timers.set(id, { dueMs: this.#monotonicMs + Math.max(0, delayMs), callback });
    return { cancel: () => void this.#timers.delete(id) };
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due; null when none is set. */
  get nextTimerInMs(): number | null {
    const next = this.#next();
    return next === null ? null : next.dueMs - this.#monotonicMs;
  }

  /** Moves both clocks forward and fires what falls due on the way, at its own time; timers set meanwhile included. */
  advance(ms: number): void {
    const target = this.#monotonicMs + ms;
    for (let next = this.#next(); next !== null && next.dueMs <= target; next = this.#next()) {
      this.#step(next.dueMs - this.#monotonicMs);
      this.#timers.delete(next.id);
      next.callback();
    }
    this.#step(target - this.#monotonicMs);
  }

  /** Sets the wall clock alone, as an administrator or NTP would; timers do not notice. */
  setWallClock(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  #step(ms: number): void {
    this.#monotonicMs += ms;
    this.#nowMs += ms;
  }

  #next(): { id: number; dueMs: number; callback: () => void } | null {
    let best: { id: number; dueMs: number; callback: () => void } | null = null;
    for (const [id, timer] of this.#timers) {
      if (best === null || timer.dueMs < best.dueMs) best = { id, ...timer };
    }
    return best;
  }
}
