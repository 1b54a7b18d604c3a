import type { LogConfig } from '../log-config.ts';
import type { LogSegment } from '../segments/log-segment.ts';
import type { LastBatch, SegmentFacts } from './cleanable-log.ts';
import type { LogContext } from './log-context.ts';
import type { LoadedLog } from './log-loader.ts';
import { swapSegments } from './segment-swap.ts';

/** What compaction needs of its log. */
export interface CompactionOwner {
  readonly folder: string;
  readonly context: LogContext;
  readonly files: LoadedLog;
  config(): LogConfig;
  /** False once the log is closed, deleted or offline. */
  isUsable(): boolean;
  /** Takes the directory offline; returns the error for the caller. */
  fail(error: unknown): Error;
  /** Takes segments out of the log; the producer snapshot of the first one stays. */
  remove(segments: readonly LogSegment[]): void;
  /** Puts a sealed, durable segment in. */
  add(segment: LogSegment): void;
}

/** One log as the cleaner sees it: what there is to compact, and the way back in for what was made. */
export class LogCompaction {
  readonly #owner: CompactionOwner;

  constructor(owner: CompactionOwner) {
    this.#owner = owner;
  }

  /** False once the log is closed, deleted or offline. */
  get isUsable(): boolean {
    return this.#owner.isUsable();
  }

  /** All segments but the active one. */
  sealedSegments(): SegmentFacts[] {
    const needsTimes = this.#owner.config().maxCompactionLagMs < Number.MAX_SAFE_INTEGER;
    const all = this.#owner.files.segments.all();
    return all.slice(0, -1).map((segment, slot) => ({
      baseOffset: segment.baseOffset,
      endOffset: all[slot + 1]!.baseOffset,
      sizeInBytes: segment.sizeInBytes,
      largestTimestamp: segment.largestTimestamp,
      firstTimestamp: needsTimes ? segment.firstTimestamp() : -1,
    }));
  }

  /** Where each producer is, by its id. */
  lastBatches(): Map<number, LastBatch> {
    const found = new Map<number, LastBatch>();
    for (const { producerId, producerEpoch, batches } of this.#owner.files.producers.entries()) {
      found.set(producerId, { producerEpoch, lastDataOffset: batches.at(-1)?.lastOffset ?? -1 });
    }
    return found;
  }

  /**
   * Puts the segment that compaction made in the place of those with these base offsets; false when they are not all
   * there any more. @throws LogError when the disk refuses it: the directory is offline then
   */
  async replaceSegments(replaced: readonly number[]): Promise<boolean> {
    try {
      return await swapSegments({ ...this.#owner, segments: this.#owner.files.segments }, replaced);
    } catch (error) {
      throw this.#owner.fail(error);
    }
  }
}
