import type { LogSegment } from '../segments/log-segment.ts';
import type { LogContext } from './log-context.ts';
import { LogFlusher } from './log-flusher.ts';
import type { LoadedLog } from './log-loader.ts';

/** What the flushes of a log need from it. */
export interface DurabilityOwner {
  readonly folder: string;
  endOffset(): number;
  /** Resolves when everything appended so far is in its file. */
  written(): Promise<void>;
  /** Throws when the log is closed or offline. */
  ensureUsable(): void;
  /** Takes the directory offline; returns the error for those who wait. */
  fail(error: unknown): Error;
}

/**
 * How much of a log is durable, and how it becomes so.
 *
 *     segments   [ synced ) [ sealed, unsynced ) [ active          )
 *     offsets                 ^ recoveryPoint     ^ flushedOffset   ^ logEndOffset
 */
export class LogDurability {
  readonly #context: LogContext;
  readonly #owner: DurabilityOwner;
  readonly #files: LoadedLog;
  readonly #flusher: LogFlusher;
  #flushedOffset: number;
  #lastFlushMs: number;
  /** Segments that were sealed and are not durable yet, with their indexes. */
  #unsynced: LogSegment[] = [];
  #isFolderDirty: boolean;
  /** Lowest offset truncated to while a round runs: that round proves nothing above it. */
  #ceiling = Infinity;

  constructor(
    context: LogContext,
    owner: DurabilityOwner,
    state: { files: LoadedLog; isNewFolder: boolean },
  ) {
    this.#context = context;
    this.#owner = owner;
    this.#files = state.files;
    this.#isFolderDirty = state.isNewFolder;
    this.#flushedOffset = state.files.flushedOffset;
    this.#unsynced = unsyncedSegments(state.files);
    this.#lastFlushMs = context.clock.nowMs();
    this.#flusher = new LogFlusher({
      endOffset: () => owner.endOffset(),
      syncAll: () => this.#syncAll(),
      onFlushed: (offset) => this.#onFlushed(offset),
      onFailure: (error) => owner.fail(error),
    });
  }

  /** Everything below is durable. */
  get flushedOffset(): number {
    return this.#flushedOffset;
  }

  /** See `Log.recoveryPoint`. */
  get recoveryPoint(): number {
    const oldest = this.#unsynced[0];
    if (oldest === undefined) return this.#flushedOffset;
    const { segments } = this.#files;
    const next = segments.at(segments.floorSlot(oldest.baseOffset) + 1);
    return Math.min(this.#flushedOffset, next?.baseOffset ?? this.#owner.endOffset());
  }

  /** Everything that was appended is durable, and the files that there are (an empty log has its end in the name of one). */
  get isClean(): boolean {
    const isFlushed = this.#flushedOffset >= this.#owner.endOffset();
    return isFlushed && this.#unsynced.length === 0 && !this.#isFolderDirty;
  }

  flush(): Promise<number> {
    return this.#flusher.flush();
  }

  flushInBackground(): void {
    // The failure has taken the directory offline by the time it arrives here; nobody else waits for it.
    this.#flusher.flush().catch(() => {});
  }

  /** Flushes if `flush.ms` has passed since the last time. */
  maybeFlushByTime(flushMs: number): void {
    if (this.#flushedOffset >= this.#owner.endOffset()) return;
    if (this.#context.clock.nowMs() - this.#lastFlushMs >= flushMs) this.flushInBackground();
  }

  idle(): Promise<void> {
    return this.#flusher.idle();
  }

  noteSealed(segment: LogSegment): void {
    this.#unsynced.push(segment);
  }

  /** Files of the folder were created, renamed or removed. */
  noteFolderChange(): void {
    this.#isFolderDirty = true;
  }

  /** The segment was removed, or is being appended to again. */
  forget(segment: LogSegment): void {
    this.#unsynced = this.#unsynced.filter((other) => other !== segment);
  }

  /**
   * The log is about to end at `offset`. The checkpoint goes down before the data does, so that no start finds less
   * than the checkpoint promises.
   */
  lowerTo(offset: number): void {
    this.#ceiling = Math.min(this.#ceiling, offset);
    if (offset >= this.#flushedOffset) return;
    this.#flushedOffset = offset;
    this.#context.dir.checkpointRecoveryPointsSync();
  }

  /** The log has been emptied and begins anew: nothing is there that could be lost. */
  restartAt(offset: number): void {
    this.#unsynced = [];
    this.#flushedOffset = offset;
  }

  async #syncAll(): Promise<void> {
    this.#owner.ensureUsable();
    this.#ceiling = Infinity;
    const sealed = this.#unsynced.slice();
    const { active } = this.#files.segments;
    await this.#owner.written();
    const isFolderDirty = this.#isFolderDirty;
    this.#isFolderDirty = false;
    await this.#files.metadata.persist();
    for (const segment of sealed) await this.#syncSealed(segment);
    if (active.sizeInBytes > 0) await this.#syncActive(active);
    await this.#files.snapshots.persist();
    await this.#files.epochs.persist();
    if (isFolderDirty) {
      await this.#context.disk.syncFolder(this.#owner.folder);
      await this.#context.disk.syncFolder(this.#context.dir.path);
    }
    this.#unsynced = this.#unsynced.filter((segment) => !sealed.includes(segment));
  }

  /** The segment that was active when the round began; it may have been sealed and removed since. */
  async #syncActive(segment: LogSegment): Promise<void> {
    try {
      await this.#context.syncGate.run(() => segment.sync());
    } catch (error) {
      if (this.#files.segments.all().includes(segment)) throw error;
    }
  }

  async #syncSealed(segment: LogSegment): Promise<void> {
    // Retention may take a segment away while the round is on its way to it.
    if (!this.#unsynced.includes(segment)) return;
    try {
      await this.#context.syncGate.run(() => segment.sync());
    } catch (error) {
      if (this.#unsynced.includes(segment)) throw error;
    }
    segment.closeFile();
  }

  #onFlushed(offset: number): void {
    const proven = Math.min(offset, this.#ceiling);
    if (proven > this.#flushedOffset) this.#flushedOffset = proven;
    this.#lastFlushMs = this.#context.clock.nowMs();
  }
}

/** Sealed segments of a log that was taken over before all of it was durable. */
function unsyncedSegments({ segments, nextOffset, recoveryPoint }: LoadedLog): LogSegment[] {
  if (recoveryPoint >= nextOffset) return [];
  const all = segments.all();
  return all.filter((_, slot) => slot + 1 < all.length && all[slot + 1]!.baseOffset > recoveryPoint);
}
