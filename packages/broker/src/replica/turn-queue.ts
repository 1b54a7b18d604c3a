import type { Partition, PartitionWaiter } from './partition.ts';

/**
 * Work put off to the end of a turn of the event loop, so that everything that arrived in the turn is served by one
 * flush per partition and one wake-up per waiting fetch. `setImmediate` runs right after the sockets were read.
 */
export class TurnQueue {
  readonly #flushes = new Set<Partition>();
  readonly #wakes = new Set<PartitionWaiter>();
  #isScheduled = false;

  flush(partition: Partition): void {
    this.#flushes.add(partition);
    this.#schedule();
  }

  wake(waiter: PartitionWaiter): void {
    this.#wakes.add(waiter);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.run());
  }

  /** Does what is queued; the flushes first, because they go on in the thread pool meanwhile. */
  run(): void {
    this.#isScheduled = false;
    if (this.#flushes.size > 0) {
      const partitions = [...this.#flushes];
      this.#flushes.clear();
      for (const partition of partitions) partition.startFlush();
    }
    if (this.#wakes.size > 0) {
      const waiters = [...this.#wakes];
      this.#wakes.clear();
      for (const waiter of waiters) waiter.onPartitionChanged();
    }
  }
}
