/** How often something happened, and how much of it (milliseconds, bytes) there was; plain fields, cheap to add to. */
export class Timing {
  count = 0;
  total = 0;
  #max = 0;

  add(amount: number): void {
    this.count += 1;
    this.total += amount;
    if (amount > this.#max) this.#max = amount;
  }

  /** Null before the first time. */
  get avg(): number | null {
    return this.count === 0 ? null : this.total / this.count;
  }

  /** Null before the first time. */
  get max(): number | null {
    return this.count === 0 ? null : this.#max;
  }
}

/** Seconds from a monotonic time until now; null when it never was. */
export function secondsAgo(atMs: number, nowMs: number): number | null {
  return atMs < 0 ? null : (nowMs - atMs) / 1_000;
}
