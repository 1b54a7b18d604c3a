import type { Clock } from '@ottla/platform';

/** How often a wait looks at the rate, which may change meanwhile. */
const CHECK_MS = 100;

/**
 * Spreads the bytes of all moves between log directories over time (`replica.alter.log.dirs.io.max.bytes.per.second`). What was
 * copied is owed until time has paid for it at the rate of the moment.
 */
export class MoveThrottle {
  readonly #clock: Clock;
  readonly #bytesPerSecond: () => number;
  #owedBytes = 0;
  #paidAtMs: number;

  constructor(clock: Clock, bytesPerSecond: () => number) {
    this.#clock = clock;
    this.#bytesPerSecond = bytesPerSecond;
    this.#paidAtMs = clock.monotonicMs();
  }

  /** Counts bytes that were copied. */
  add(bytes: number): void {
    this.#pay();
    this.#owedBytes += bytes;
  }

  /** Waits until nothing is owed, or nobody wants to go on. */
  async wait(isWanted: () => boolean): Promise<void> {
    for (this.#pay(); this.#owedBytes > 0 && isWanted(); this.#pay()) {
      const dueMs = Math.min(CHECK_MS, (this.#owedBytes / this.#bytesPerSecond()) * 1000);
      await new Promise<void>((resolve) => this.#clock.setTimer(Math.max(1, dueMs), resolve));
    }
  }

  #pay(): void {
    const nowMs = this.#clock.monotonicMs();
    const paid = ((nowMs - this.#paidAtMs) / 1000) * this.#bytesPerSecond();
    this.#paidAtMs = nowMs;
    this.#owedBytes = Math.max(0, this.#owedBytes - paid);
  }
}
