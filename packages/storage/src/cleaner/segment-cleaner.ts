import { keyDigest, type Clock, type Disk } from '@ottla/platform';
import { openRecords } from '@ottla/protocol';
import { CorruptLogError } from '../errors.ts';
import { FilePool } from '../files/file-pool.ts';
import type { AbortedTxn } from '../indexes/transaction-index.ts';
import { DEFAULT_LOG_CONFIG } from '../log-config.ts';
import { scanSegment, type BatchVisit } from '../segments/batch-scanner.ts';
import { LogSegment } from '../segments/log-segment.ts';
import {
  filterBatch,
  MAX_DECOMPRESSED_BYTES,
  movesToAbortMarker,
  type RetentionRules,
} from './batch-filter.ts';
import type { CleanedGroup, CleanJob, CleanJobSegment, CleanResult } from './clean-job.ts';
import { CleanedSegment } from './cleaned-segment.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { OffsetMap } from './offset-map.ts';
import { groupSegments } from './segment-groups.ts';
import { Throttle } from './throttle.ts';

/** What a cleaner needs of the world. */
export interface CleanerPorts {
  readonly disk: Disk;
  readonly clock: Clock;
}

/**
 * Carries out one compaction: reads the dirty part for the newest offset of each key, then writes every segment up to
 * there anew without what is superseded. It knows nothing of the log that is being written to meanwhile, and changes none
 * of its files: what it makes has the suffix `.cleaned` until the log takes it.
 */
export class SegmentCleaner {
  readonly #context: { disk: Disk; pool: FilePool };
  readonly #job: CleanJob;
  readonly #throttle: Throttle;
  #bytesRead = 0;
  #bytesWritten = 0;

  constructor(ports: CleanerPorts, job: CleanJob) {
    this.#context = { disk: ports.disk, pool: new FilePool(ports.disk) };
    this.#job = job;
    this.#throttle = new Throttle(ports.clock, job.settings.maxBytesPerSecond);
  }

  /** See `CleanRunner.run`. */
  async run(onGroup: (group: CleanedGroup) => Promise<void>): Promise<CleanResult> {
    const job = this.#job;
    try {
      const offsets = await this.#mapKeys();
      const endOffset = offsets.latestOffset + 1;
      const keptAborts: AbortedTxn[] = [];
      const rules: RetentionRules = {
        offsets,
        transactions: new CleanedTransactions(job.aborted, (txn) => keptAborts.push(txn)),
        producers: job.producers,
        nowMs: job.nowMs,
        deleteRetentionMs: job.deleteRetentionMs,
      };
      const rewritten = job.segments.filter(({ baseOffset }) => baseOffset < endOffset);
      for (const group of groupSegments(rewritten, job)) {
        await onGroup(await this.#cleanGroup(group, rules, keptAborts));
      }
      return { endOffset, bytesRead: this.#bytesRead, bytesWritten: this.#bytesWritten };
    } finally {
      this.#context.pool.close();
    }
  }

  /** The newest offset of each key in the dirty part, until the table is full. */
  async #mapKeys(): Promise<OffsetMap> {
    const { firstDirtyOffset, settings, aborted } = this.#job;
    const offsets = new OffsetMap(keyDigest, {
      maxBytes: settings.dedupeBufferBytes,
      loadFactor: settings.loadFactor,
    });
    // One that was decided before the dirty part has its marker there: it would never be seen to end.
    const transactions = new CleanedTransactions(aborted.filter((txn) => txn.lastOffset >= firstDirtyOffset));
    for (const segment of this.#job.segments) {
      if (segment.endOffset <= firstDirtyOffset) continue;
      await this.#scan(segment, (found) => noteKeys(offsets, found, { transactions, firstDirtyOffset }));
      if (offsets.isFull) break;
      // A segment may end with offsets of which nothing is left.
      offsets.latestOffset = segment.endOffset - 1;
    }
    return offsets;
  }

  async #cleanGroup(
    group: readonly CleanJobSegment[],
    rules: RetentionRules,
    keptAborts: AbortedTxn[],
  ): Promise<CleanedGroup> {
    const last = group.at(-1)!;
    const target = new CleanedSegment(this.#context, group[0]!.baseOffset, this.#job);
    for (const segment of group) {
      await this.#scan(segment, ({ batch, buffer, filePosition }) => {
        const isLastOfSegment = segment === last && filePosition + batch.sizeInBytes >= segment.sizeInBytes;
        const kept = filterBatch(buffer, batch, { rules, isLastOfSegment });
        if (kept !== null) target.append(kept);
        return true;
      });
    }
    for (const txn of keptAborts.splice(0)) target.appendAborted(txn);
    await target.finish();
    this.#bytesWritten += target.sizeInBytes;
    await this.#throttle.pass(target.sizeInBytes);
    const bytesBefore = group.reduce((sum, { sizeInBytes }) => sum + sizeInBytes, 0);
    return {
      replaced: group.map(({ baseOffset }) => baseOffset),
      bytesBefore,
      bytesAfter: target.sizeInBytes,
    };
  }

  /** @throws CorruptLogError when the segment holds what is no batch */
  async #scan(segment: CleanJobSegment, visit: (found: BatchVisit) => boolean): Promise<void> {
    const file = new LogSegment(this.#context, {
      folder: this.#job.folder,
      baseOffset: segment.baseOffset,
      config: DEFAULT_LOG_CONFIG,
      nowMs: this.#job.nowMs,
      jitterMs: 0,
    });
    const bad = await scanSegment(file, {
      position: 0,
      size: segment.sizeInBytes,
      checkCrc: true,
      visit,
      onChunk: (bytes) => {
        this.#bytesRead += bytes;
        return this.#throttle.pass(bytes);
      },
    });
    if (bad === null) return;
    throw new CorruptLogError(file.path, { ...bad, offset: segment.baseOffset });
  }
}

/** Puts the keys of one batch into the table; false when it is full and the batch is not in it as a whole. */
function noteKeys(
  offsets: OffsetMap,
  { batch, buffer }: BatchVisit,
  dirty: { transactions: CleanedTransactions; firstDirtyOffset: number },
): boolean {
  if (batch.lastOffset < dirty.firstDirtyOffset) return true;
  const reader = openRecords(buffer, batch, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
  if (batch.isControl) {
    dirty.transactions.endsEmpty(batch, movesToAbortMarker(reader, batch));
  } else if (!dirty.transactions.isAborted(batch)) {
    while (reader.next()) {
      const offset = batch.baseOffset + reader.offsetDelta;
      const key = reader.key();
      if (key === null || offset < dirty.firstDirtyOffset) continue;
      if (offsets.isFull) return false;
      offsets.put(key, offset);
      offsets.latestOffset = offset;
    }
  }
  offsets.latestOffset = batch.lastOffset;
  return true;
}
