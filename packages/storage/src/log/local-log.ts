import type { LogConfig } from '../log-config.ts';
import { LogSegment } from '../segments/log-segment.ts';
import { cutSegment } from '../segments/segment-walk.ts';
import type { LogContext } from './log-context.ts';
import type { LogDurability } from './log-durability.ts';
import type { LoadedLog } from './log-loader.ts';

/** What the segments of a log need from it. */
export interface LocalLogOptions {
  readonly folder: string;
  readonly files: LoadedLog;
  readonly durability: LogDurability;
  readonly config: () => LogConfig;
  /** Positions in files that somebody has kept are of no use any more. */
  readonly onFilesChanged: () => void;
}

/**
 * The segments of a log as they come and go (Kafka's LocalLog): rolls, removals, replacements, truncation, each with what
 * belongs to it: producer snapshots, sizes, and what the next flush has to make durable. What offsets mean is the log's matter.
 * Everything here throws the error of the disk.
 */
export class LocalLog {
  readonly #context: LogContext;
  readonly #options: LocalLogOptions;
  /** Bytes of the sealed segments. */
  #sealedBytes = 0;

  constructor(context: LogContext, options: LocalLogOptions) {
    this.#context = context;
    this.#options = options;
    const { segments } = options.files;
    for (const segment of segments.all()) {
      if (segment !== segments.active) this.#sealedBytes += segment.sizeInBytes;
    }
  }

  get sizeInBytes(): number {
    return this.#sealedBytes + this.#options.files.segments.active.sizeInBytes;
  }

  /** Seals the active segment and begins another one. */
  roll(baseOffset: number): void {
    const { durability, files } = this.#options;
    const sealed = files.segments.active;
    if (sealed.sizeInBytes === 0) {
      // Only its base offset is wrong (offsets too far for an index, a follower far behind): it gives way.
      this.remove([sealed]);
    } else {
      sealed.seal();
      this.#sealedBytes += sealed.sizeInBytes;
      durability.noteSealed(sealed);
      // A segment begins with the producers as they are, so that recovery and truncation never replay the one before.
      if (files.producers.mapEndOffset === baseOffset) {
        files.snapshots.write(baseOffset, files.producers.entries());
      }
    }
    this.#begin(baseOffset);
    durability.flushInBackground();
  }

  #begin(baseOffset: number): void {
    const config = this.#options.config();
    const segment = new LogSegment(this.#context, {
      folder: this.#options.folder,
      baseOffset,
      config,
      nowMs: this.#context.clock.nowMs(),
      jitterMs: this.#context.random.nextInt(config.segmentJitterMs),
    });
    segment.activate();
    this.#options.files.segments.add(segment);
    this.#options.durability.noteFolderChange();
  }

  /** Puts a sealed, durable segment in. */
  addSealed(segment: LogSegment): void {
    this.#options.files.segments.add(segment);
    this.#sealedBytes += segment.sizeInBytes;
    this.#options.onFilesChanged();
  }

  /**
   * Takes segments out at once and removes their files after `file.delete.delay.ms`; the producer snapshot of
   * `keepSnapshotOf` stays.
   */
  remove(segments: readonly LogSegment[], keepSnapshotOf: LogSegment | null = null): void {
    const { durability, files } = this.#options;
    const { disk, clock } = this.#context;
    const paths: string[] = [];
    for (const segment of segments) {
      const wasActive = segment === files.segments.active;
      files.segments.remove(segment);
      durability.forget(segment);
      if (!wasActive) this.#sealedBytes -= segment.sizeInBytes;
      const keepSnapshot = segment === keepSnapshotOf;
      paths.push(...segment.markDeleted({ keepSnapshot }));
      if (!keepSnapshot) files.snapshots.forget(segment.baseOffset);
    }
    durability.noteFolderChange();
    this.#options.onFilesChanged();
    clock.setTimer(this.#options.config().fileDeleteDelayMs, () => {
      for (const path of paths) void disk.unlink(path).catch(() => {});
    });
  }

  /** Removes everything from the batch on that contains `offset`, which lies behind the first segment's beginning. Returns the new end. */
  truncateTo(offset: number): number {
    const { durability, files } = this.#options;
    const keep = files.segments.floorSlot(offset - 1);
    this.remove(files.segments.all().slice(keep + 1));
    const { active } = files.segments;
    if (!active.isActive) this.#sealedBytes -= active.sizeInBytes;
    durability.forget(active);
    return cutSegment(active, offset);
  }

  /** Removes everything and begins anew at `offset`. */
  restartAt(offset: number): void {
    this.remove(this.#options.files.segments.all().slice());
    this.#sealedBytes = 0;
    this.#begin(offset);
  }
}
