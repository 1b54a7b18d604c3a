/** What a flush round makes durable. */
export interface FlushTarget {
  /** End of what has been written so far. */
  endOffset(): number;
  /** Makes everything written so far durable. */
  syncAll(): Promise<void>;
  /** The round is done: everything below `offset` is durable. */
  onFlushed(offset: number): void;
  /** The sync failed. The log must never count on this data: the kernel may have dropped it. */
  onFailure(error: unknown): Error;
}

interface Waiter {
  readonly resolve: (offset: number) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Grouped syncs: at most one round runs at a time, everybody who asks meanwhile shares the next one.
 *
 *     flush() flush()          flush()
 *        |      |                 |
 *        +--- round 1: fdatasync -+---- round 2: fdatasync ----
 *
 * A round begins at the end of the loop turn that asked first, so all appends of one turn share it.
 */
export class LogFlusher {
  readonly #target: FlushTarget;
  #waiters: Waiter[] = [];
  #isScheduled = false;
  #running: Promise<void> | null = null;

  constructor(target: FlushTarget) {
    this.#target = target;
  }

  flush(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      if (this.#running === null) this.#schedule();
    });
  }

  /** Resolves when no round runs or waits. */
  async idle(): Promise<void> {
    while (this.#running !== null || this.#isScheduled) {
      await (this.#running ?? new Promise<void>((resolve) => setImmediate(resolve)));
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#running = this.#round().finally(() => {
        this.#running = null;
        if (this.#waiters.length > 0) this.#schedule();
      });
    });
  }

  async #round(): Promise<void> {
    const waiters = this.#waiters;
    this.#waiters = [];
    const endOffset = this.#target.endOffset();
    try {
      await this.#target.syncAll();
    } catch (error) {
      const failure = this.#target.onFailure(error);
      for (const waiter of waiters) waiter.reject(failure);
      return;
    }
    this.#target.onFlushed(endOffset);
    for (const waiter of waiters) waiter.resolve(endOffset);
  }
}
