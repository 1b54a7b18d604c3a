import type { Clock, Logger } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { TopicPartition } from '../../replica/append.ts';
import type { CoordinatorRuntime } from '../runtime/coordinator-runtime.ts';
import type { MarkerWriter } from './marker-writer.ts';
import type { TransactionMachine } from './transaction-machine.ts';
import type { PartitionSet } from './transaction-state.ts';
import type { MarkerWork, TransactionTypes } from './transaction-types.ts';

export interface MarkerPumpDeps {
  readonly runtime: CoordinatorRuntime<TransactionTypes, TransactionMachine>;
  readonly writer: MarkerWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The leader epoch of a partition of `__transaction_state` that is led here; null when it is not. */
  readonly coordinatorEpoch: (partition: number) => number | null;
  /** Whether a partition exists at all: one that was deleted needs no marker any more. */
  readonly exists: (partition: TopicPartition) => boolean;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/**
 * Carries decided transactions to their end: takes them from the shards, writes their markers for as long as it takes, and
 * tells the shard when they are all there. One loop for each shard; transactions do not wait for each other.
 */
export class MarkerPump {
  readonly #deps: MarkerPumpDeps;
  readonly #running = new Map<number, number>();
  /** What is being carried out, so that a transaction which a reloaded shard hands out again is not done twice at a time. */
  readonly #inFlight = new Map<string, Promise<void>>();
  /** Told when the transaction of an id is complete. */
  readonly #waiters = new Map<string, Set<() => void>>();
  #isClosed = false;

  constructor(deps: MarkerPumpDeps) {
    this.#deps = deps;
  }

  /** Serves a shard until another broker leads it. */
  start(partition: number): void {
    const epoch = this.#deps.coordinatorEpoch(partition);
    if (epoch === null || this.#running.get(partition) === epoch) return;
    this.#running.set(partition, epoch);
    void this.#serve(partition, epoch);
  }

  /** Stops; what is being written goes on to its end, but nobody is told. */
  close(): void {
    this.#isClosed = true;
    for (const transactionalId of this.#waiters.keys()) this.#wake(transactionalId);
  }

  /** Resolves when a transaction of the id completes, after `timeoutMs` at the latest. */
  completion(transactionalId: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(transactionalId) ?? new Set();
      this.#waiters.set(transactionalId, waiters);
      const done = (): void => {
        timer.cancel();
        waiters.delete(done);
        if (waiters.size === 0 && this.#waiters.get(transactionalId) === waiters)
          this.#waiters.delete(transactionalId);
        resolve();
      };
      const timer = this.#deps.clock.setTimer(timeoutMs, done);
      waiters.add(done);
    });
  }

  #wake(transactionalId: string): void {
    // Each takes itself out of the set, which a set bears while it is gone through.
    for (const done of this.#waiters.get(transactionalId) ?? []) done();
  }

  async #serve(partition: number, epoch: number): Promise<void> {
    while (this.#leads(partition, epoch)) {
      let work: readonly MarkerWork[];
      try {
        work = await this.#deps.runtime.submit(partition, { type: 'take-markers' });
      } catch {
        // Loading, or loading again: the work is handed out when that is done.
        await this.#pause(FIRST_PAUSE_MS);
        continue;
      }
      for (const each of work) void this.#carryOut(partition, epoch, each);
    }
    if (this.#running.get(partition) === epoch) this.#running.delete(partition);
  }

  async #carryOut(partition: number, epoch: number, work: MarkerWork): Promise<void> {
    const name = `${work.producerId}/${work.producerEpoch}/${work.transactionalId}`;
    const earlier = this.#inFlight.get(name);
    const done = (earlier ?? Promise.resolve()).then(() => this.#complete(partition, epoch, work));
    const settled = done.catch((err: unknown) => {
      const { transactionalId } = work;
      this.#deps.logger.error({ err, transactionalId }, 'A decided transaction could not be completed yet');
    });
    this.#inFlight.set(name, settled);
    await settled;
    if (this.#inFlight.get(name) === settled) this.#inFlight.delete(name);
  }

  async #complete(partition: number, epoch: number, work: MarkerWork): Promise<void> {
    const isWritten = await this.#writeMarkers(partition, epoch, work);
    if (!isWritten) return;
    const { transactionalId, producerId, producerEpoch } = work;
    const command = { type: 'markers-written', transactionalId, producerId, producerEpoch } as const;
    // A shard that is being loaded again finds the transaction in its log and hands it out once more.
    const completion = this.#deps.runtime.submit(partition, command).catch(() => null);
    // The next transaction may begin as soon as the completion is on its way.
    this.#wake(transactionalId);
    await completion;
  }

  /** False when this broker is no longer the one to do it. */
  async #writeMarkers(partition: number, coordinatorEpoch: number, work: MarkerWork): Promise<boolean> {
    const { producerId, producerEpoch, committed } = work;
    const end = { producerId, producerEpoch, committed, coordinatorEpoch };
    let remaining = listOf(work.partitions);
    for (let attempt = 0; remaining.length > 0; attempt++) {
      if (!this.#leads(partition, coordinatorEpoch)) return false;
      if (attempt > 0) await this.#pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt));
      const skipEnded = work.isRepeated || attempt > 0;
      const codes = await this.#deps.writer.write(end, remaining, { skipEnded });
      if (codes.includes(ErrorCodes.TRANSACTION_COORDINATOR_FENCED)) return false;
      remaining = remaining.filter((each, index) => this.#mustRetry(each, codes[index] as number));
    }
    return true;
  }

  #mustRetry(partition: TopicPartition, errorCode: number): boolean {
    // An epoch above ours in the log: the transaction was ended there by other means, an administrator's marker.
    if (errorCode === ErrorCodes.NONE || errorCode === ErrorCodes.INVALID_PRODUCER_EPOCH) return false;
    return this.#deps.exists(partition);
  }

  #leads(partition: number, epoch: number): boolean {
    return !this.#isClosed && this.#deps.coordinatorEpoch(partition) === epoch;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#deps.clock.setTimer(delayMs, resolve));
  }
}

function listOf(partitions: PartitionSet): TopicPartition[] {
  return Array.from(partitions).flatMap(([topic, ids]) =>
    Array.from(ids, (partition) => ({ topic, partition })),
  );
}
