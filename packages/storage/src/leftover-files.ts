import type { Disk } from '@ottla/platform';
import { BATCH_OVERHEAD_BYTES, BatchLayout } from '@ottla/protocol';
import { CLEANED_SUFFIX, DELETED_SUFFIX, LOG_SUFFIX, offsetFromName, SWAP_SUFFIX } from './log-files.ts';

/**
 * Tidies a log's folder before it is loaded: removes what an earlier run had given up (deleted segments, half-written
 * replacements) and ends the compaction that a crash interrupted, by Kafka's rules: while there are `.cleaned` files,
 * the `.swap` files from the first of them on are not complete; any other `.swap` segment replaces the segments it
 * was made from. True when anything changed.
 *
 *     0.log 100.log 200.log   +   0.log.swap (offsets 0 to 180)   ->   0.log 200.log
 */
export function tidyFolder(disk: Disk, folder: string): boolean {
  const names = disk.listSync(folder);
  const endsWith = (suffix: string): string[] => names.filter((name) => name.endsWith(suffix));
  const remove = (name: string): void => disk.unlinkSync(`${folder}/${name}`);
  const cleaned = endsWith(CLEANED_SUFFIX);
  const firstCleaned = Math.min(Infinity, ...cleaned.map((name) => offsetFromName(name) ?? Infinity));
  for (const name of [...cleaned, ...endsWith(DELETED_SUFFIX), ...endsWith('.tmp')]) remove(name);
  const swaps: string[] = [];
  for (const name of endsWith(SWAP_SUFFIX)) {
    if ((offsetFromName(name) ?? 0) >= firstCleaned) remove(name);
    else swaps.push(name);
  }
  if (swaps.length > 0) completeSwaps(disk, folder, swaps);
  return swaps.length > 0 || cleaned.length > 0;
}

function completeSwaps(disk: Disk, folder: string, swaps: readonly string[]): void {
  const logs = swaps.filter((name) => name.endsWith(LOG_SUFFIX + SWAP_SUFFIX));
  const ranges = logs.map((name) => ({
    from: offsetFromName(name)!,
    to: endOffsetOf(disk, `${folder}/${name}`, offsetFromName(name)!),
  }));
  for (const name of disk.listSync(folder)) {
    const offset = offsetFromName(name);
    if (offset === null || name.endsWith(SWAP_SUFFIX)) continue;
    if (ranges.some((range) => offset >= range.from && offset < range.to))
      disk.unlinkSync(`${folder}/${name}`);
  }
  for (const name of swaps)
    disk.renameSync(`${folder}/${name}`, `${folder}/${name.slice(0, -SWAP_SUFFIX.length)}`);
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
