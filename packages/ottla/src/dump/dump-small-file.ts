import { decodeProducerSnapshot, parseCheckpoint } from '@ottla/storage';
import { timeText } from '../terminal/print.ts';
import type { DumpContext } from './dump-options.ts';

/** Larger than any such file becomes: what is, is something else. */
const MAX_BYTES = 256 * 1024 * 1024;

/** Dumps a `.snapshot` file: the producers of the partition, as they were before the offset in its name. */
export async function dumpProducerSnapshot(context: DumpContext, path: string): Promise<void> {
  const bytes = await readSmall(context, path);
  if (bytes === null) return;
  for (const entry of decodeProducerSnapshot(bytes)) {
    const { producerId, producerEpoch, lastTimestamp, coordinatorEpoch, currentTxnFirstOffset } = entry;
    const last = entry.batches.at(-1);
    const row = {
      producerId,
      producerEpoch,
      coordinatorEpoch,
      currentTxnFirstOffset: currentTxnFirstOffset < 0 ? null : currentTxnFirstOffset,
      lastTimestamp,
      firstSequence: last?.firstSequence ?? null,
      lastSequence: last?.lastSequence ?? null,
      lastOffset: last?.lastOffset ?? null,
      offsetDelta: last === undefined ? null : last.lastOffset - last.firstOffset,
      timestamp: last?.timestamp ?? null,
    };
    const shown = { ...row, lastTimestamp: timeText(lastTimestamp), timestamp: undefined };
    await context.out.row({ file: path, type: 'producer', ...row }, shown);
  }
}

/** Dumps `leader-epoch-checkpoint`: where each leader epoch began. */
export async function dumpLeaderEpochs(context: DumpContext, path: string): Promise<void> {
  const bytes = await readSmall(context, path);
  if (bytes === null) return;
  for (const [epoch, startOffset] of parseCheckpoint(path, bytes.toString(), 2)) {
    const row = { epoch: Number(epoch), startOffset: Number(startOffset) };
    await context.out.row({ file: path, type: 'leaderEpoch', ...row }, row);
  }
}

/** Dumps a checkpoint of a log directory: an offset for each partition. */
export async function dumpOffsetCheckpoint(context: DumpContext, path: string): Promise<void> {
  const bytes = await readSmall(context, path);
  if (bytes === null) return;
  for (const [topic, partition, offset] of parseCheckpoint(path, bytes.toString(), 3)) {
    const row = { topic, partition: Number(partition), offset: Number(offset) };
    await context.out.row({ file: path, type: 'checkpoint', ...row }, row);
  }
}

/** Dumps a file of `name=value` or `name: value` lines: `partition.metadata`, `meta.properties`. */
export async function dumpProperties(context: DumpContext, path: string): Promise<void> {
  const bytes = await readSmall(context, path);
  if (bytes === null) return;
  for (const line of bytes.toString().split(/\r?\n/)) {
    const match = /^([^#=:\s][^=:]*)[=:]\s*(.*)$/.exec(line);
    if (match === null) continue;
    const row = { name: match[1]!.trim(), value: match[2]! };
    await context.out.row({ file: path, type: 'property', ...row }, row);
  }
}

async function readSmall(context: DumpContext, path: string): Promise<Buffer | null> {
  await context.out.section(path);
  const size = context.disk.sizeSync(path);
  if (size <= MAX_BYTES) return context.disk.readFileSync(path);
  context.onProblem(path, `It has ${size} bytes, which no such file has`);
  return null;
}
