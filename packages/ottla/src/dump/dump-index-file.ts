import {
  FilePool,
  LOG_SUFFIX,
  offsetFromName,
  OffsetIndex,
  offsetIndexEntries,
  OffsetIndexCheck,
  scanSegment,
  TimeIndex,
  TimeIndexCheck,
  timeIndexEntries,
  TransactionIndex,
  type BatchVisit,
} from '@ottla/storage';
import { timeText } from '../terminal/print.ts';
import type { DumpContext } from './dump-options.ts';
import { openBatchFile } from './open-file.ts';

/** The first offset of the segment that a file belongs to. */
function baseOffsetOf(path: string): number {
  return offsetFromName(path.slice(path.lastIndexOf('/') + 1)) ?? 0;
}

function indexContext({ disk }: DumpContext): { disk: DumpContext['disk']; pool: FilePool } {
  return { disk, pool: new FilePool(disk, 4) };
}

/** Dumps an `.index` file and compares it with the log beside it. */
export async function dumpOffsetIndex(context: DumpContext, path: string): Promise<void> {
  const baseOffset = baseOffsetOf(path);
  const index = new OffsetIndex(indexContext(context), { path, baseOffset, maxBytes: Infinity });
  const { out, disk, settings, onProblem } = context;
  await out.section(path);
  const logSize = disk.existsSync(logOf(path)) ? disk.sizeSync(logOf(path)) : 0;
  if (settings.indexSanityCheck) {
    const isSane = index.isSane(logSize, disk.sizeSync(path));
    return reportSanity(context, path, isSane);
  }
  if (!settings.verifyIndexOnly)
    for (const entry of offsetIndexEntries(index))
      await out.row({ file: path, type: 'index', ...entry }, { ...entry });
  const check = new OffsetIndexCheck(index);
  await scanLog(context, path, ({ batch, filePosition }) => check.visit(batch, filePosition));
  check.end();
  for (const { offset, problem } of check.faults) onProblem(path, `Offset ${offset}: ${problem}`);
}

/** Dumps a `.timeindex` file and compares it with the log beside it. */
export async function dumpTimeIndex(context: DumpContext, path: string): Promise<void> {
  const baseOffset = baseOffsetOf(path);
  const index = new TimeIndex(indexContext(context), { path, baseOffset, maxBytes: Infinity });
  const { out, disk, settings, onProblem } = context;
  await out.section(path);
  if (settings.indexSanityCheck) return reportSanity(context, path, index.isSane(disk.sizeSync(path)));
  if (!settings.verifyIndexOnly)
    for (const entry of timeIndexEntries(index, baseOffset))
      await out.row(
        { file: path, type: 'timeindex', ...entry },
        { timestamp: entry.timestamp, time: timeText(entry.timestamp), offset: entry.offset },
      );
  const check = new TimeIndexCheck(index, baseOffset);
  await scanLog(context, path, ({ batch }) => check.visit(batch));
  check.end();
  for (const { offset, problem } of check.faults) onProblem(path, `Offset ${offset}: ${problem}`);
}

/** Dumps a `.txnindex` file: the transactions that were aborted in the segment. */
export async function dumpTransactionIndex(context: DumpContext, path: string): Promise<void> {
  const index = new TransactionIndex(indexContext(context), path);
  const { out, disk, settings } = context;
  await out.section(path);
  if (settings.indexSanityCheck)
    return reportSanity(context, path, index.isSane(baseOffsetOf(path), disk.sizeSync(path)));
  for (const entry of index.entries())
    await out.row({ file: path, type: 'txnindex', ...entry }, { ...entry });
}

function logOf(path: string): string {
  return path.replace(/\.\w+$/, LOG_SUFFIX);
}

async function reportSanity({ out, onProblem }: DumpContext, path: string, isSane: boolean): Promise<void> {
  if (isSane) await out.row({ file: path, type: 'sanity', isSane }, `${path} passed sanity check.`);
  else onProblem(path, 'It fails the check that a start makes: remove it, and a start makes it anew');
}

/** Shows every batch of the log that an index belongs to. */
async function scanLog(
  context: DumpContext,
  indexPath: string,
  visit: (found: BatchVisit) => void,
): Promise<void> {
  const path = logOf(indexPath);
  if (!context.disk.existsSync(path))
    return context.onProblem(indexPath, `There is no log "${path}" beside it`);
  using file = openBatchFile(context.disk, path);
  await scanSegment(file, {
    position: 0,
    size: file.sizeBytes,
    checkCrc: false,
    onChunk: async (bytes) => context.onBytes(bytes),
    visit: (found) => {
      visit(found);
      return true;
    },
  });
}
