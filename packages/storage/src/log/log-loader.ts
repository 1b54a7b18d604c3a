import { ErrorCodes, type BatchSummary } from '@ottla/protocol';
import { CorruptLogError, DamagedLogError, LogError } from '../errors.ts';
import { tidyFolder } from '../files/leftover-files.ts';
import {
  INDEX_SUFFIX,
  LEADER_EPOCH_FILE,
  LOG_SUFFIX,
  offsetFromName,
  offsetName,
  TIME_INDEX_SUFFIX,
  TXN_INDEX_SUFFIX,
} from '../files/log-files.ts';
import { LOG_START_OFFSET_FILE } from '../files/offset-checkpoint.ts';
import { PartitionMetadata } from '../files/partition-metadata.ts';
import { ProducerSnapshots } from '../producers/producer-snapshots.ts';
import { isExpired, ProducerState } from '../producers/producer-state.ts';
import { readTransactionMarker } from '../producers/transaction-marker.ts';
import { scanSegment, type BadBatch } from '../segments/batch-scanner.ts';
import { LogSegment } from '../segments/log-segment.ts';
import { SegmentList } from '../segments/segment-list.ts';
import { LeaderEpochCache } from './leader-epoch-cache.ts';
import type { LogContext } from './log-context.ts';
import type { LogHandover, LogOptions } from './log-options.ts';

/** A log as found (and repaired) on disk. */
export interface LoadedLog {
  readonly metadata: PartitionMetadata;
  readonly segments: SegmentList;
  readonly epochs: LeaderEpochCache;
  readonly producers: ProducerState;
  readonly snapshots: ProducerSnapshots;
  readonly logStartOffset: number;
  readonly nextOffset: number;
  /** Everything below is durable. */
  readonly flushedOffset: number;
  /** Segments that end below it are durable together with their indexes. */
  readonly recoveryPoint: number;
}

/**
 * Opens the files of one log. After a clean shutdown that is a look at the last batches; else every segment from the
 * recovery point on is read, checked and indexed anew:
 *
 *     segments      [ 0 .. )  [ 500 .. )  [ 900 ..   bad      ]
 *     recovery point               ^ 700
 *     trusted       ==========                                    indexes checked for sanity only
 *     scanned                 =====================               CRC, indexes, producers and epochs rebuilt
 *     removed                                        --------     unless it lies below the recovery point: then the
 *                                                                 log is damaged and stays as it is
 */
export class LogLoader {
  readonly #context: LogContext;
  readonly #options: LogOptions;
  readonly #metadata: PartitionMetadata;
  readonly #segments = new SegmentList();
  readonly #epochs: LeaderEpochCache;
  readonly #producers = new ProducerState();
  readonly #snapshots: ProducerSnapshots;
  /** Files were created, renamed or removed: to be made durable before the log is used. */
  #isFolderDirty: boolean;

  /** @throws DamagedLogError when a small file beside the segments makes no sense */
  constructor(context: LogContext, options: LogOptions) {
    this.#context = context;
    this.#options = options;
    this.#metadata = new PartitionMetadata(context.disk, options.folder, options.topicId);
    this.#isFolderDirty = tidyFolder(context.disk, options.folder);
    this.#openSegments();
    this.#epochs = new LeaderEpochCache(context.disk, `${options.folder}/${LEADER_EPOCH_FILE}`);
    this.#snapshots = new ProducerSnapshots(context.disk, options.folder);
  }

  /** A log in an empty folder. @throws LogError KAFKA_STORAGE_ERROR when somebody else has put one there */
  create(): LoadedLog {
    const offset = this.#options.logStartOffset;
    if (this.#segments.length > 0) {
      throw new LogError(
        ErrorCodes.KAFKA_STORAGE_ERROR,
        `Folder "${this.#options.folder}" holds a log that was not there when the broker started. Restart the broker to load it, or remove the folder`,
      );
    }
    this.#addSegment(offset).activate();
    this.#producers.reset(offset, []);
    return this.#result({ logStartOffset: offset, nextOffset: offset });
  }

  async load(): Promise<LoadedLog> {
    if (this.#segments.length === 0) this.#addSegment(this.#options.logStartOffset);
    let nextOffset = this.#options.hadCleanShutdown ? await this.#loadClean() : null;
    nextOffset ??= await this.#recover();
    const logStartOffset = Math.max(this.#options.logStartOffset, this.#segments.first.baseOffset);
    if (nextOffset < logStartOffset) {
      if (logStartOffset > this.#options.highWatermark)
        throw this.#impossibleStart(logStartOffset, nextOffset);
      // Records below the log start are deleted ones: what a power cut left of them is of no use, the log begins anew.
      this.#startOver(logStartOffset);
      nextOffset = logStartOffset;
    }
    this.#epochs.truncateFromEnd(nextOffset);
    this.#epochs.truncateFromStart(logStartOffset);
    this.#snapshots.removeAfter(nextOffset);
    this.#snapshots.removeStray(new Set(this.#segments.all().map((segment) => segment.baseOffset)));
    if (!this.#context.disk.existsSync(this.#segments.active.path)) this.#isFolderDirty = true;
    this.#segments.active.activate();
    if (this.#isFolderDirty) await this.#context.disk.syncFolder(this.#options.folder);
    return this.#result({ logStartOffset, nextOffset });
  }

  /** The files of a log that was in use until now, and what it knew: nothing has to be read or checked. */
  takeOver(handover: LogHandover): LoadedLog {
    const { active } = this.#segments;
    active.activate();
    // `segment.ms` counts from the first record.
    active.firstTimestamp();
    this.#epochs.replaceWith(handover.epochs);
    const { logStartOffset, logEndOffset, flushedOffset, recoveryPoint, producers } = handover;
    const found = this.#result({ logStartOffset, nextOffset: logEndOffset });
    return { ...found, producers, flushedOffset, recoveryPoint };
  }

  /** The parts of the log, handed over to the one that will use them. */
  #result(found: { logStartOffset: number; nextOffset: number }): LoadedLog {
    return {
      flushedOffset: found.nextOffset,
      recoveryPoint: found.nextOffset,
      metadata: this.#metadata,
      segments: this.#segments,
      epochs: this.#epochs,
      producers: this.#producers,
      snapshots: this.#snapshots,
      ...found,
    };
  }

  /** Every `.log` file is a segment; an index without one is left over from a removal that a crash cut short. */
  #openSegments(): void {
    const { disk } = this.#context;
    const { folder } = this.#options;
    const names = new Set(disk.listSync(folder));
    for (const name of names) {
      const baseOffset = offsetFromName(name);
      if (baseOffset === null) continue;
      if (name.endsWith(LOG_SUFFIX)) {
        this.#addSegment(baseOffset);
      } else if (
        (name.endsWith(INDEX_SUFFIX) ||
          name.endsWith(TIME_INDEX_SUFFIX) ||
          name.endsWith(TXN_INDEX_SUFFIX)) &&
        !names.has(offsetName(baseOffset) + LOG_SUFFIX)
      ) {
        disk.unlinkSync(`${folder}/${name}`);
      }
    }
  }

  /** Opens the files of a segment, or prepares for them to be created. */
  #addSegment(baseOffset: number): LogSegment {
    const { config, folder } = this.#options;
    const segment = new LogSegment(this.#context, {
      folder,
      baseOffset,
      config,
      nowMs: this.#context.clock.nowMs(),
      jitterMs: this.#context.random.nextInt(config.segmentJitterMs),
    });
    this.#segments.add(segment);
    return segment;
  }

  /** The next offset, by the headers after the last index entry; null when the log needs recovery after all. */
  async #loadClean(): Promise<number | null> {
    for (const segment of this.#segments.all()) {
      if (!this.#indexesAreSane(segment)) return null;
    }
    const { active } = this.#segments;
    let nextOffset = active.baseOffset;
    const bad = await scanSegment(active, {
      position: active.offsetIndex.lookup(Number.MAX_SAFE_INTEGER).position,
      size: active.sizeInBytes,
      checkCrc: false,
      visit: ({ batch }) => {
        nextOffset = batch.lastOffset + 1;
        return true;
      },
    });
    if (bad !== null) return null;
    await this.#noteFirstTimestamp(active);
    await this.#restoreProducers(nextOffset);
    return nextOffset;
  }

  /** `segment.ms` counts from the first record, which only the file remembers. */
  async #noteFirstTimestamp(segment: LogSegment): Promise<void> {
    await scanSegment(segment, {
      position: 0,
      size: segment.sizeInBytes,
      checkCrc: false,
      visit: ({ batch }) => {
        segment.setRollingTimestamp(batch.maxTimestamp);
        return false;
      },
    });
  }

  /** Sizes and last entries only: a full check would read everything, which is what a clean start is to avoid. */
  #indexesAreSane(segment: LogSegment): boolean {
    const { disk } = this.#context;
    const sizeOf = (path: string): number => (disk.existsSync(path) ? disk.sizeSync(path) : -1);
    const indexSize = sizeOf(segment.offsetIndex.file.path);
    const timeIndexSize = sizeOf(segment.timeIndex.file.path);
    if (segment.sizeInBytes > 0 && (indexSize < 0 || timeIndexSize < 0)) return false;
    const txnIndexSize = Math.max(0, sizeOf(segment.txnIndex.path));
    return (
      segment.offsetIndex.isSane(segment.sizeInBytes, Math.max(0, indexSize)) &&
      segment.timeIndex.isSane(Math.max(0, timeIndexSize)) &&
      segment.txnIndex.isSane(segment.baseOffset, txnIndexSize)
    );
  }

  /** Producers from the newest snapshot, and the batches after it. */
  async #restoreProducers(upToOffset: number): Promise<void> {
    const snapshot = this.#snapshots.loadLatest(this.#segments.first.baseOffset, upToOffset);
    const nowMs = this.#context.clock.nowMs();
    const from = snapshot?.offset ?? Math.min(this.#options.logStartOffset, this.#segments.first.baseOffset);
    const alive = (snapshot?.entries ?? []).filter(
      (entry) => !isExpired(entry, nowMs, this.#context.producerIdExpirationMs),
    );
    this.#producers.reset(from, alive);
    // The usual case after a clean shutdown: the snapshot was taken at the very end.
    if (from >= upToOffset) return;
    for (let slot = Math.max(0, this.#segments.floorSlot(from)); slot < this.#segments.length; slot++) {
      const segment = this.#segments.at(slot)!;
      if (segment.baseOffset >= upToOffset) break;
      await scanSegment(segment, {
        position: segment.baseOffset >= from ? 0 : segment.offsetIndex.lookup(from).position,
        size: segment.sizeInBytes,
        checkCrc: false,
        visit: ({ batch, buffer }) => {
          if (batch.lastOffset >= upToOffset) return false;
          if (batch.baseOffset >= from) this.#producers.apply(batch, readTransactionMarker(buffer, batch));
          return true;
        },
      });
    }
    this.#producers.mapEndOffset = upToOffset;
  }

  /** Reads every segment from the recovery point on; returns the next offset. */
  async #recover(): Promise<number> {
    const { recoveryPoint, compactedOffset } = this.#options;
    // Compaction takes only what is durable, so a gap below its end is its own, although a killed Kafka may have noted that
    // end later than its recovery point.
    const wholeFrom = Math.max(recoveryPoint, compactedOffset);
    for (const segment of this.#segments.all()) {
      // Sealed segments below the recovery point are durable with their indexes; only what is plainly broken is rebuilt.
      const next = this.#segments.at(this.#segments.floorSlot(segment.baseOffset) + 1);
      if (next === undefined || next.baseOffset >= recoveryPoint) break;
      if (!this.#indexesAreSane(segment)) await this.#rebuildIndexes(segment);
    }
    // A segment that ends exactly at the recovery point was active when that was noted: its indexes were in memory.
    const firstSlot = Math.max(0, this.#segments.floorSlot(recoveryPoint - 1));
    await this.#restoreProducers(this.#segments.at(firstSlot)!.baseOffset);
    let nextOffset = this.#segments.at(firstSlot)!.baseOffset;
    for (let slot = firstSlot; slot < this.#segments.length; slot++) {
      const segment = this.#segments.at(slot)!;
      if (segment.baseOffset > nextOffset && segment.baseOffset > wholeFrom) {
        // The end of the segment before was lost, not being durable: what comes after a gap is no part of the prefix.
        this.#removeFrom(slot);
        break;
      }
      // One that can be read may still be in the page cache only, and after a failed sync for good.
      const isLost = this.#options.hadFailedSync || !this.#snapshots.isReadable(segment.baseOffset);
      if (slot > firstSlot && isLost) {
        this.#snapshots.write(segment.baseOffset, this.#producers.entries());
      }
      const scan = await this.#rebuild(segment, Math.max(nextOffset, segment.baseOffset));
      nextOffset = scan.nextOffset;
      if (scan.bad !== null) {
        if (nextOffset < recoveryPoint) throw this.#corrupt(segment, scan.bad, nextOffset);
        this.#cutAt(slot, scan.bad.position);
      }
    }
    await this.#syncRecovered(firstSlot);
    return nextOffset;
  }

  /** Indexes, epochs and producers from the batches of one segment. */
  async #rebuild(
    segment: LogSegment,
    expected: number,
  ): Promise<{ bad: BadBatch | null; nextOffset: number }> {
    const size = segment.sizeInBytes;
    let nextOffset = expected;
    let outOfOrder: BadBatch | null = null;
    segment.resetIndexes();
    const bad = await scanSegment(segment, {
      position: 0,
      size,
      checkCrc: true,
      visit: ({ batch, buffer, filePosition }) => {
        if (batch.baseOffset < nextOffset || batch.lastOffset - segment.baseOffset > 2 ** 31 - 1) {
          outOfOrder = {
            position: filePosition,
            reason: `its offset ${batch.baseOffset} is not the next one`,
          };
          return false;
        }
        segment.noteBatch(batch, this.#options.config.indexIntervalBytes);
        this.#noteEpoch(batch);
        this.#replay(segment, batch, buffer);
        nextOffset = batch.lastOffset + 1;
        return true;
      },
    });
    return { bad: bad ?? outOfOrder, nextOffset };
  }

  /** Epochs newer than those of the checkpoint, as in Kafka. One that it knows began where it says: before what is read here, perhaps. */
  #noteEpoch({ partitionLeaderEpoch, baseOffset }: BatchSummary): void {
    if (partitionLeaderEpoch > this.#epochs.latestEpoch)
      this.#epochs.assign(partitionLeaderEpoch, baseOffset);
  }

  /** Aborted transactions are found again on the way, since the transaction index was emptied with the others. */
  #replay(segment: LogSegment, batch: BatchSummary, buffer: Buffer): void {
    const aborted = this.#producers.apply(batch, readTransactionMarker(buffer, batch));
    if (aborted !== null) segment.txnIndex.append(aborted);
  }

  /** Only the offset and time index: for a durable segment whose index files are missing or broken. */
  async #rebuildIndexes(segment: LogSegment): Promise<void> {
    await this.#restoreProducers(segment.baseOffset);
    const scan = await this.#rebuild(segment, segment.baseOffset);
    if (scan.bad !== null) throw this.#corrupt(segment, scan.bad, scan.nextOffset);
    segment.seal();
    await segment.syncIndexes();
  }

  /** Damage to what was durable: cutting it off would lose acknowledged records without a word. */
  #corrupt(segment: LogSegment, bad: BadBatch, offset: number): CorruptLogError {
    return new CorruptLogError(segment.path, { position: bad.position, offset, reason: bad.reason });
  }

  /** Only what is committed can be deleted, and the high watermark is written before the log start: the checkpoint is damaged. */
  #impossibleStart(logStartOffset: number, endOffset: number): DamagedLogError {
    const file = `${this.#context.dir.path}/${LOG_START_OFFSET_FILE}`;
    return new DamagedLogError(
      file,
      `Checkpoint "${file}" lets the log in "${this.#options.folder}" begin with offset ${logStartOffset}, which is behind its ` +
        `end ${endOffset} and its high watermark ${this.#options.highWatermark}. Correct the offset, or remove its line and its count`,
    );
  }

  /** The log ends in this segment at `position`: what follows was never durable. */
  #cutAt(slot: number, position: number): void {
    this.#segments.at(slot)!.cutTail(position);
    this.#removeFrom(slot + 1);
  }

  #removeFrom(slot: number): void {
    for (const later of this.#segments.all().slice(slot)) this.#removeSegment(later);
  }

  /** At once, not by way of `.deleted`: nobody reads this log yet. */
  #removeSegment(segment: LogSegment): void {
    this.#segments.remove(segment);
    segment.closeFile();
    for (const path of segment.filePaths()) {
      this.#context.pool.drop(path);
      this.#context.disk.unlinkSync(path);
    }
    this.#snapshots.forget(segment.baseOffset);
    this.#isFolderDirty = true;
  }

  /** An empty log at the given offset. */
  #startOver(logStartOffset: number): void {
    for (const segment of this.#segments.all().slice()) this.#removeSegment(segment);
    this.#addSegment(logStartOffset);
    this.#epochs.clear();
    this.#producers.reset(logStartOffset, []);
  }

  /** What recovery has found good may still be in the page cache only: from here on it counts as durable. */
  async #syncRecovered(firstSlot: number): Promise<void> {
    const { disk } = this.#context;
    for (const segment of this.#segments.all().slice(firstSlot)) {
      if (segment !== this.#segments.active) segment.seal();
      if (!disk.existsSync(segment.path)) continue;
      if (this.#options.hadFailedSync) segment.rewrite();
      await this.#context.syncGate.run(() => segment.sync());
      if (segment !== this.#segments.active) segment.closeFile();
      await this.#snapshots.sync(segment.baseOffset);
    }
    await this.#epochs.persist();
    await disk.syncFolder(this.#options.folder);
  }
}
