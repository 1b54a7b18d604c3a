/** A connection that waits until frame memory is free again. */
export interface BudgetWaiter {
  /** Called once, on the event loop, when a retry has a chance. */
  onBudgetFreed(): void;
}

/**
 * Bounds the memory of large request frames over all connections (`queued.max.request.bytes`). Small frames are not
 * counted: their sum is bounded by what a client really sent, so nobody can starve others by announcing lengths.
 *
 * Frames take their memory in steps, so all of them together could hold the whole budget with none complete. Hence one
 * frame at a time is favoured: it goes beyond the limit, is completed, and makes room for the others.
 */
export class FrameBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #waiters: BudgetWaiter[] = [];
  #favoured: object | null = null;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes `bytes` for a frame of `owner`; false when it has to wait. */
  tryReserve(bytes: number, owner: object): boolean {
    if (this.#usedBytes + bytes > this.limitBytes) {
      if (this.#favoured !== null && this.#favoured !== owner) return false;
      this.#favoured = owner;
    }
    this.#usedBytes += bytes;
    return true;
  }

  /** The frame is done: gives back all that `owner` took for it. */
  release(bytes: number, owner: object): void {
    this.#usedBytes -= bytes;
    if (this.#favoured === owner) this.#favoured = null;
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.onBudgetFreed();
  }

  wait(waiter: BudgetWaiter): void {
    this.#waiters.push(waiter);
  }

  forget(waiter: BudgetWaiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }
}
