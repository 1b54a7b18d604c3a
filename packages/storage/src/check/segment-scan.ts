import { BATCH_HEADER_BYTES, batchSizeAt, BatchLayout, CURRENT_MAGIC } from '@ottla/protocol';
import { scanSegment, type BatchSource, type BatchVisit } from '../segments/batch-scanner.ts';

/** Bytes of a segment that are no batches. */
export interface UnreadableBytes {
  readonly position: number;
  /** Where batches go on; null when nothing more can be read. */
  readonly end: number | null;
  readonly reason: string;
}

export interface DamagedScanOptions {
  /** Where the file ends. */
  readonly size: number;
  /** No batch may begin with an offset below this one or above the other. */
  readonly offsets: { readonly from: number; readonly to: number };
  /** Positions of batches, by an index: where reading can go on behind unreadable bytes. */
  readonly knownPositions: () => Iterable<number>;
  /** Returns false to stop. */
  readonly onBatch: (found: BatchVisit) => boolean;
  /** Returns false to stop. */
  readonly onUnreadable: (bytes: UnreadableBytes) => boolean;
  readonly onChunk: (bytes: number) => void;
}

/**
 * Walks over the batches of a file, over damaged places too: behind bytes that are no batch it goes on where the length in
 * them leads, or else where an index knows of a batch. CRCs are left to the visitor.
 */
export async function scanDamaged(source: BatchSource, options: DamagedScanOptions): Promise<void> {
  let position = 0;
  let isStopped = false;
  while (!isStopped) {
    const bad = await scanSegment(source, {
      position,
      size: options.size,
      checkCrc: false,
      visit: (found) => {
        isStopped = !options.onBatch(found);
        return !isStopped;
      },
      onChunk: async (bytes) => options.onChunk(bytes),
    });
    if (bad === null) return;
    const end = await nextReadable(source, bad.position, options);
    if (!options.onUnreadable({ ...bad, end }) || end === null) return;
    position = end;
  }
}

/** Where the next batch begins behind one that cannot be read. */
async function nextReadable(
  source: BatchSource,
  position: number,
  options: DamagedScanOptions,
): Promise<number | null> {
  const header = Buffer.alloc(BATCH_HEADER_BYTES);
  const length = await source.read(header, Math.min(header.length, options.size - position), position);
  const ownSize = batchSizeAt(header.subarray(0, length), 0);
  if (ownSize > 0 && (await isBatch(source, position + ownSize, options))) return position + ownSize;
  for (const known of options.knownPositions())
    if (known > position && (await isBatch(source, known, options))) return known;
  return null;
}

/** Whether the bytes at a position look like the header of a batch that fits there. */
async function isBatch(
  source: BatchSource,
  position: number,
  { size, offsets }: DamagedScanOptions,
): Promise<boolean> {
  if (position + BATCH_HEADER_BYTES > size) return false;
  const header = Buffer.alloc(BATCH_HEADER_BYTES);
  if ((await source.read(header, header.length, position)) < header.length) return false;
  const batchSize = batchSizeAt(header, 0);
  const baseOffset = Number(header.readBigInt64BE(BatchLayout.baseOffset));
  return (
    header.readInt8(BatchLayout.magic) === CURRENT_MAGIC &&
    batchSize > 0 &&
    position + batchSize <= size &&
    baseOffset >= offsets.from &&
    baseOffset <= offsets.to
  );
}
