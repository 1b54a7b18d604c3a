import type { Disk } from '@ottla/platform';
import { BATCH_OVERHEAD_BYTES, BatchLayout } from '@ottla/protocol';
import { CLEANED_SUFFIX, DELETED_SUFFIX, LOG_SUFFIX, offsetFromName, SWAP_SUFFIX } from './log-files.ts';

/** What has to change in a log's folder before it can be loaded. */
export interface TidyPlan {
  /** Names to remove, in this order. */
  readonly removed: readonly string[];
  /** Names of complete replacements, to be renamed once the others are removed: without their `.swap`. */
  readonly swapped: readonly string[];
  /** A compaction was interrupted. */
  readonly isInterrupted: boolean;
}

/**
 * What an earlier run left in a log's folder: what it had given up (deleted segments, half-written replacements) goes, and
 * the compaction that a crash interrupted is ended by Kafka's rules: while there are `.cleaned` files, the `.swap` files
 * from the first of them on are not complete; any other `.swap` segment replaces the segments it was made from.
 *
 *     0.log 100.log 200.log   +   0.log.swap (offsets 0 to 180)   ->   0.log 200.log
 */
export function planTidying(disk: Disk, folder: string): TidyPlan {
  const names = disk.listSync(folder);
  const endsWith = (suffix: string): string[] => names.filter((name) => name.endsWith(suffix));
  const cleaned = endsWith(CLEANED_SUFFIX);
  const firstCleaned = Math.min(Infinity, ...cleaned.map((name) => offsetFromName(name) ?? Infinity));
  const isComplete = (name: string): boolean => (offsetFromName(name) ?? 0) < firstCleaned;
  const swapped = endsWith(SWAP_SUFFIX).filter(isComplete);
  const givenUp = [
    ...cleaned,
    ...endsWith(DELETED_SUFFIX),
    ...endsWith('.tmp'),
    ...endsWith(SWAP_SUFFIX).filter((name) => !isComplete(name)),
  ];
  const others = names.filter((name) => !givenUp.includes(name) && !name.endsWith(SWAP_SUFFIX));
  return {
    removed: [...givenUp, ...(swapped.length > 0 ? replacedBy(disk, folder, { swapped, others }) : [])],
    swapped,
    isInterrupted: swapped.length > 0 || cleaned.length > 0,
  };
}

/** Tidies a log's folder as planned. True when an interrupted compaction was ended. */
export function tidyFolder(disk: Disk, folder: string): boolean {
  const plan = planTidying(disk, folder);
  for (const name of plan.removed) disk.unlinkSync(`${folder}/${name}`);
  for (const name of plan.swapped) disk.renameSync(`${folder}/${name}`, `${folder}/${withoutSwap(name)}`);
  return plan.isInterrupted;
}

/** The name under which a replacement is taken over. */
export function withoutSwap(name: string): string {
  return name.slice(0, -SWAP_SUFFIX.length);
}

/** The files whose offsets the replacements cover. */
function replacedBy(
  disk: Disk,
  folder: string,
  { swapped, others }: { readonly swapped: readonly string[]; readonly others: readonly string[] },
): string[] {
  const logs = swapped.filter((name) => name.endsWith(LOG_SUFFIX + SWAP_SUFFIX));
  const ranges = logs.map((name) => ({
    from: offsetFromName(name)!,
    to: endOffsetOf(disk, `${folder}/${name}`, offsetFromName(name)!),
  }));
  return others.filter((name) => {
    const offset = offsetFromName(name);
    return offset !== null && ranges.some((range) => offset >= range.from && offset < range.to);
  });
}

/** The offset after the last whole batch of a segment file, by its batch headers. */
function endOffsetOf(disk: Disk, path: string, baseOffset: number): number {
  const file = disk.openSync(path, 'read');
  const header = Buffer.alloc(BatchLayout.baseTimestamp);
  const size = file.sizeSync();
  let endOffset = baseOffset;
  try {
    for (let position = 0; file.readSync(header, 0, header.length, position) === header.length;) {
      const batchBytes = BATCH_OVERHEAD_BYTES + header.readInt32BE(BatchLayout.batchLength);
      if (batchBytes <= BATCH_OVERHEAD_BYTES || position + batchBytes > size) break;
      endOffset = Number(header.readBigInt64BE(0)) + header.readInt32BE(BatchLayout.lastOffsetDelta) + 1;
      position += batchBytes;
    }
  } finally {
    file.closeSync();
  }
  return endOffset;
}
