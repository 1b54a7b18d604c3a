import { type AppendResult, failedAppend } from './append.ts';

/** Told when one of its appends is committed, or that it never will be. */
export interface CommitWaiter {
  onCommitted(index: number, errorCode: number): void;
}

/** One append of a produce request that waits in its partition's queue. */
export interface PendingCommit {
  /** Committed when the high watermark reaches this offset. */
  readonly offset: number;
  readonly waiter: CommitWaiter;
  /** Which of the waiter's appends this is. */
  readonly index: number;
  /** Monotonic time after which the wait ends with REQUEST_TIMED_OUT. */
  readonly deadlineMs: number;
}

/**
 * A produce request with acks=all: done when each of its successful appends is committed. One object per request and one
 * queue entry per partition; no timer of its own, the replica manager looks after deadlines.
 */
export class DelayedProduce implements CommitWaiter {
  readonly result: Promise<AppendResult[]>;
  readonly #results: AppendResult[];
  #remaining = 0;
  #resolve!: (results: AppendResult[]) => void;

  constructor(results: AppendResult[]) {
    this.#results = results;
    this.result = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  expectOneMore(): void {
    this.#remaining += 1;
  }

  onCommitted(index: number, errorCode: number): void {
    if (errorCode !== 0) this.#results[index] = failedAppend(errorCode);
    this.#remaining -= 1;
    if (this.#remaining === 0) this.#resolve(this.#results);
  }
}
