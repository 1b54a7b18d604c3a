import type { AbortedTxn } from '../indexes/transaction-index.ts';
import type { LastBatch } from '../log/cleanable-log.ts';

/**
 * One compaction of one log, as plain data that can go to another thread:
 *
 *     segments   [ 0 .. )  [ 500 .. )  [ 900 .. )  [ 1200 ..      active )
 *     cleaned before       ^ firstDirtyOffset
 *     looked at for keys   ===================== from there on, as far as the key table reaches
 *     rewritten  ===============================
 */
export interface CleanJob {
  /** The folder of the log. */
  readonly folder: string;
  /** The sealed segments from the first one on that may be rewritten. */
  readonly segments: readonly CleanJobSegment[];
  readonly firstDirtyOffset: number;
  /** Transactions that were aborted among the segments. */
  readonly aborted: readonly AbortedTxn[];
  /** By producer id. */
  readonly producers: ReadonlyMap<number, LastBatch>;
  readonly nowMs: number;
  readonly deleteRetentionMs: number;
  readonly indexIntervalBytes: number;
  readonly segmentIndexBytes: number;
  /** The largest segment that several are put together to. */
  readonly segmentBytes: number;
  readonly settings: CleanerSettings;
}

/** A segment to be cleaned: it ends where the next one begins. */
export interface CleanJobSegment {
  readonly baseOffset: number;
  readonly endOffset: number;
  readonly sizeInBytes: number;
}

/** The bounds of compaction, for all logs. */
export interface CleanerSettings {
  /** Memory for the key table (`log.cleaner.dedupe.buffer.size`). */
  readonly dedupeBufferBytes: number;
  /** How full the key table may become (`log.cleaner.io.buffer.load.factor`). */
  readonly loadFactor: number;
  /** Bytes read and written per second (`log.cleaner.io.max.bytes.per.second`). */
  readonly maxBytesPerSecond: number;
}

/** Segments that became one: its files stand beside them, durable, with the suffix `.cleaned`. */
export interface CleanedGroup {
  /** Base offsets of the segments to replace; the new one has the first of them. */
  readonly replaced: readonly number[];
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** What a job came to. */
export interface CleanResult {
  /** Everything below has been cleaned; the next compaction begins here. */
  readonly endOffset: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Cleans a log somewhere: on this thread, or on another. */
export interface CleanRunner {
  /**
   * Runs a job to its end. `onGroup` puts each group in place as soon as it is ready; the next one waits for it.
   * Rejects when a file cannot be read or written, or holds what is no batch.
   */
  run(job: CleanJob, onGroup: (group: CleanedGroup) => Promise<void>): Promise<CleanResult>;
  /** Ends what is running; `run` then rejects. */
  close(): Promise<void>;
}
