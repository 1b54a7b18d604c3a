import type { Clock, Disk, Random } from '@ottla/platform';
import type { FilePool } from '../files/file-pool.ts';
import type { TailCache } from '../memory/tail-cache.ts';
import type { PendingBytes } from './write-queue.ts';

/** What all logs of one log directory share. */
export interface LogContext {
  readonly disk: Disk;
  readonly pool: FilePool;
  readonly clock: Clock;
  readonly random: Random;
  readonly tailCache: TailCache;
  readonly syncGate: SyncGate;
  readonly pendingBytes: PendingBytes;
  readonly dir: LogDir;
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs: number;
}

/** A log directory while the broker runs. */
export interface LogDir {
  readonly path: string;
  readonly directoryId: string;
  /** The error that took the directory offline; null while it is usable. */
  readonly failure: unknown;
  /** Takes the directory offline: nothing in it is written any more. The first error counts. */
  fail(error: unknown): void;
  /** Writes the recovery points now, because one of them has gone down: a later start must not trust the old value. */
  checkpointRecoveryPointsSync(): void;
  /** Writes all checkpoints; a failure takes the directory offline. */
  checkpoint(): Promise<void>;
}

/**
 * Lets a bounded number of syncs run at a time: they share the thread pool with the reads, and a thousand partitions
 * that flush at once must not keep a consumer waiting behind all of them.
 */
export class SyncGate {
  readonly #maxConcurrent: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(maxConcurrent: number) {
    this.#maxConcurrent = maxConcurrent;
  }

  async run(sync: () => Promise<void>): Promise<void> {
    if (this.#running < this.#maxConcurrent) this.#running++;
    // The place of the one that finishes goes over to the first that waits; the count stays.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await sync();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
