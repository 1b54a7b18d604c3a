import type { Clock, TimerHandle } from '@ottla/platform';

interface Entry<Command> {
  command: Command;
  deadlineMs: number;
  handle: TimerHandle;
  /** When `handle` goes off; at most `deadlineMs`. */
  armedMs: number;
}

/**
 * Timers by key. Session deadlines move with every heartbeat and almost never expire, so moving one later only notes the
 * new deadline: the armed timer goes off at the old one, finds it moved, and is armed again for the rest.
 */
export class TimerTable<Command> {
  readonly #clock: Clock;
  readonly #fire: (command: Command) => void;
  readonly #entries = new Map<string, Entry<Command>>();

  /** `fire` is called on the event loop, one call per expired timer. */
  constructor(clock: Clock, fire: (command: Command) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Arms the timer of `key`, in place of the one it had. */
  schedule(key: string, delayMs: number, command: Command): void {
    const deadlineMs = this.#clock.monotonicMs() + Math.max(0, delayMs);
    const entry = this.#entries.get(key);
    if (entry !== undefined && entry.armedMs <= deadlineMs) {
      entry.command = command;
      entry.deadlineMs = deadlineMs;
      return;
    }
    entry?.handle.cancel();
    this.#arm(key, command, deadlineMs);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  cancel(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.handle.cancel();
    this.#entries.delete(key);
  }

  cancelAll(): void {
    for (const entry of this.#entries.values()) entry.handle.cancel();
    this.#entries.clear();
  }

  #arm(key: string, command: Command, deadlineMs: number): void {
    const delayMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
    const handle = this.#clock.setTimer(delayMs, () => this.#onTimer(key));
    this.#entries.set(key, { command, deadlineMs, handle, armedMs: deadlineMs });
  }

  #onTimer(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    if (entry.deadlineMs - this.#clock.monotonicMs() >= CLOCK_GRAIN_MS) {
      this.#arm(key, entry.command, entry.deadlineMs);
      return;
    }
    this.#entries.delete(key);
    this.#fire(entry.command);
  }
}

/** Timers may go off a fraction of a millisecond early; that is not worth another round. */
const CLOCK_GRAIN_MS = 1;
