import type { Disk } from '@ottla/platform';
import { iterateBatches, validateBatchCrc, type BatchSummary } from '@ottla/protocol';
import { offsetFromName } from '../../src/files/log-files.ts';

/**
 * Reads a log's folder the way an independent tool would, from the raw files: every batch must be whole, in order and
 * match its CRC, every index entry must say what a scan of the batches says. Returns the batches.
 */
export function checkFolder(disk: Disk, folder: string): BatchSummary[] {
  const batches: BatchSummary[] = [];
  let next = -1;
  for (const name of disk.listSync(folder).filter((each) => each.endsWith('.log'))) {
    const base = offsetFromName(name)!;
    const bytes = disk.readFileSync(`${folder}/${name}`);
    const inSegment = [...iterateBatches(bytes)];
    for (const batch of inSegment) {
      if (!validateBatchCrc(bytes, batch.position))
        throw new Error(`Bad CRC at ${batch.baseOffset} in ${name}`);
      if (batch.baseOffset < next || batch.baseOffset < base)
        throw new Error(`Offset ${batch.baseOffset} out of order`);
      next = batch.lastOffset + 1;
    }
    const stem = `${folder}/${name.slice(0, -'.log'.length)}`;
    checkOffsetIndex(disk.readFileSync(`${stem}.index`), base, inSegment);
    checkTimeIndex(disk.readFileSync(`${stem}.timeindex`), base, inSegment);
    batches.push(...inSegment);
  }
  return batches;
}

function checkOffsetIndex(index: Buffer, base: number, batches: readonly BatchSummary[]): void {
  if (index.length % 8 !== 0) throw new Error('Offset index has a broken entry');
  const byPosition = new Map(batches.map((batch) => [batch.position, batch]));
  let last = -1;
  for (let at = 0; at < index.length; at += 8) {
    const offset = base + index.readInt32BE(at);
    const position = index.readInt32BE(at + 4);
    if (position <= last) throw new Error(`Offset index entry ${at / 8} is not in order`);
    if (byPosition.get(position)?.lastOffset !== offset) {
      throw new Error(`Offset index says ${offset} at ${position}, the batches do not`);
    }
    last = position;
  }
}

function checkTimeIndex(index: Buffer, base: number, batches: readonly BatchSummary[]): void {
  if (index.length % 12 !== 0) throw new Error('Time index has a broken entry');
  let last = -1;
  for (let at = 0; at < index.length; at += 12) {
    const timestamp = Number(index.readBigInt64BE(at));
    const offset = base + index.readInt32BE(at + 8);
    if (timestamp <= last) throw new Error(`Time index entry ${at / 12} is not in order`);
    last = timestamp;
    const upTo = batches.filter((batch) => batch.lastOffset <= offset);
    const newest = Math.max(...upTo.map((batch) => batch.maxTimestamp));
    if (newest !== timestamp)
      throw new Error(`Time index says ${timestamp} up to ${offset}, the batches ${newest}`);
  }
}
