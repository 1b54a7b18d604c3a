/** How many tokens a bucket gains and holds. */
export interface TokenRate {
  readonly perSecond: number;
  /** What a bucket holds when it is full. */
  readonly burst: number;
}

/**
 * A bucket that fills steadily and may be overdrawn (KIP-599): a burst is let through whole, and what it took beyond the
 * bucket's content has to flow in again first. A new bucket is full.
 */
export class TokenBucket {
  #tokens = Number.POSITIVE_INFINITY;
  #updatedMs = 0;

  /** Takes tokens, below zero too. */
  take(count: number, nowMs: number, rate: TokenRate): void {
    this.#refill(nowMs, rate);
    this.#tokens = Math.min(rate.burst, this.#tokens - count);
  }

  /** Milliseconds until the bucket is no longer overdrawn. */
  msUntilSolvent(nowMs: number, rate: TokenRate): number {
    this.#refill(nowMs, rate);
    return Math.round(Math.max((-this.#tokens / rate.perSecond) * 1000, 0));
  }

  isFull(nowMs: number, rate: TokenRate): boolean {
    this.#refill(nowMs, rate);
    return this.#tokens === rate.burst;
  }

  #refill(nowMs: number, { perSecond, burst }: TokenRate): void {
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#updatedMs) / 1000) * perSecond);
    this.#updatedMs = nowMs;
  }
}
