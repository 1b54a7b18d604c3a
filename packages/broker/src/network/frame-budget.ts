/** A connection that waits until frame memory is free again. */
export interface BudgetWaiter {
  /** Called once, on the event loop, when a retry has a chance. */
  onBudgetFreed(): void;
}

/**
 * Bounds the memory of large request frames over all connections (`queued.max.request.bytes`). Small frames are not
 * counted: their sum is bounded by what a client really sent, so nobody can starve others by announcing lengths.
 * One frame is always granted, however large, so that a limit below `socket.request.max.bytes` cannot stall the broker.
 */
export class FrameBudget {
  readonly limitBytes: number;
  #usedBytes = 0;
  #waiters: BudgetWaiter[] = [];

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Takes `bytes`, on top of `heldBytes` that the same frame already holds; false when it has to wait. */
  tryReserve(bytes: number, heldBytes: number): boolean {
    const others = this.#usedBytes - heldBytes;
    if (others > 0 && this.#usedBytes + bytes > this.limitBytes) return false;
    this.#usedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#usedBytes -= bytes;
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
