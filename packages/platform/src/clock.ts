/** The clock port. Product code never calls `Date.now`, `performance.now` or `setTimeout` itself. */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch: timestamps, retention. */
  nowMs(): number;
  /** Time that only goes forward, in milliseconds with fractions: timeouts, durations. */
  monotonicMs(): number;
  /**
   * Runs `callback` once after `delayMs`, however long that is; the handle cancels it. Whether it keeps the process alive is the
   * implementation's choice.
   */
  setTimer(delayMs: number, callback: () => void): TimerHandle;
}

export interface TimerHandle {
  cancel(): void;
}
