import { runThread, type ThreadRun } from '@ottla/platform';
import type { CleanedGroup, CleanJob, CleanResult, CleanRunner } from './clean-job.ts';
import { CleanError, cleanError, type CleanFailure } from './clean-error.ts';
import { SegmentCleaner, type CleanerPorts } from './segment-cleaner.ts';

/** What the cleaning thread sends; it waits for an answer to each group. */
export type ThreadMessage =
  | { readonly type: 'group'; readonly group: CleanedGroup }
  | { readonly type: 'done'; readonly result: CleanResult }
  | { readonly type: 'failed'; readonly failure: CleanFailure };

/** Cleans on this thread, between other work: for simulated disks, and where there is no thread to be had. */
export class InlineCleanRunner implements CleanRunner {
  readonly #ports: CleanerPorts;
  #isClosed = false;

  constructor(ports: CleanerPorts) {
    this.#ports = ports;
  }

  async run(job: CleanJob, onGroup: (group: CleanedGroup) => Promise<void>): Promise<CleanResult> {
    try {
      return await new SegmentCleaner(this.#ports, job).run(async (group) => {
        if (this.#isClosed) throw new CleanError('The cleaner is closed', { isDamage: false });
        await onGroup(group);
      });
    } catch (error) {
      throw cleanError(error);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return Promise.resolve();
  }
}

/**
 * Cleans on threads of their own, so that hashing and rewriting gigabytes never holds up the event loop. A thread lives
 * as long as its job: there is nothing to compact most of the time.
 */
export class ThreadCleanRunner implements CleanRunner {
  readonly #entry: URL;
  readonly #running = new Set<ThreadRun>();

  /** `entry` is the compiled `cleaner-thread.js`. */
  constructor(entry: URL) {
    this.#entry = entry;
  }

  async run(job: CleanJob, onGroup: (group: CleanedGroup) => Promise<void>): Promise<CleanResult> {
    let result: CleanResult | null = null;
    const thread = runThread<ThreadMessage>(this.#entry, job, async (message) => {
      if (message.type === 'failed') throw new CleanError(message.failure.message, message.failure);
      if (message.type === 'group') await onGroup(message.group);
      else result = message.result;
    });
    this.#running.add(thread);
    try {
      await thread.done;
    } finally {
      this.#running.delete(thread);
    }
    if (result === null) throw new CleanError('The cleaner was closed', { isDamage: false });
    return result;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((thread) => thread.terminate()));
  }
}
