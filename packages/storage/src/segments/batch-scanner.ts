import { batchSizeAt, readBatchSummary, validateBatchCrc, type BatchSummary } from '@ottla/protocol';

/** Why a scan ended before the end of the file. */
export interface BadBatch {
  readonly position: number;
  readonly reason: string;
}

const CHUNK_BYTES = 1024 * 1024;
/** No broker writes larger batches (`socket.request.max.bytes` bounds them): a larger length is damage, not a batch. */
const MAX_BATCH_BYTES = 256 * 1024 * 1024;

export interface BatchVisit {
  readonly batch: BatchSummary;
  /** The bytes around the batch; it begins at `batch.position` in here. */
  readonly buffer: Buffer;
  /** Where the batch begins in the file. */
  readonly filePosition: number;
}

/** What holds batches one after the other: a segment, or a file by itself. */
export interface BatchSource {
  /** Reads up to `length` bytes from `position` on; returns how many there were. */
  read(target: Buffer, length: number, position: number): Promise<number>;
}

export interface ScanOptions {
  /** Where in the file the first batch begins. */
  readonly position: number;
  /** Where the last one ends. */
  readonly size: number;
  readonly checkCrc: boolean;
  /** Returns false to stop; a promise is waited for. */
  readonly visit: (found: BatchVisit) => boolean | Promise<boolean>;
  /** Told of the bytes of each read; the next one waits for it. */
  readonly onChunk?: (bytes: number) => Promise<void>;
}

/**
 * Walks over the batches of a segment file from `position` in large reads, checks each and hands it to `visit`
 * (which returns false to stop). Returns the first bad batch, or null when the file is good to its end.
 */
export async function scanSegment(segment: BatchSource, options: ScanOptions): Promise<BadBatch | null> {
  let { position } = options;
  let buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(options.size - position, 1)));
  while (position < options.size) {
    const wanted = Math.min(buffer.length, options.size - position);
    const filled = await segment.read(buffer, wanted, position);
    if (filled < wanted) return { position, reason: 'the file is shorter than expected' };
    const chunk = buffer.subarray(0, filled);
    let at = 0;
    let needed = 0;
    while (at < filled) {
      const size = batchSizeAt(chunk, at);
      if (size < 0) {
        // Fewer than twelve bytes left in this read: the next one begins here, unless the file ends.
        if (filled - at < 12 && position + filled < options.size) break;
        return { position: position + at, reason: 'it is cut off or its length is impossible' };
      }
      if (at + size > filled) {
        if (position + at + size > options.size || size > MAX_BATCH_BYTES) {
          return { position: position + at, reason: 'it ends after the end of the file' };
        }
        needed = size;
        break;
      }
      const found = checkBatch(chunk, at, options.checkCrc);
      if (typeof found === 'string') return { position: position + at, reason: found };
      const visited = options.visit({ batch: found, buffer: chunk, filePosition: position + at });
      // The usual answer comes at once: waiting for it would cost a turn for each batch.
      if (!(typeof visited === 'boolean' ? visited : await visited)) return null;
      at += size;
    }
    position += at;
    if (options.onChunk !== undefined) await options.onChunk(filled);
    if (needed > buffer.length) buffer = Buffer.allocUnsafeSlow(needed);
  }
  return null;
}

function checkBatch(chunk: Buffer, at: number, checkCrc: boolean): BatchSummary | string {
  let batch: BatchSummary;
  try {
    batch = readBatchSummary(chunk, at);
  } catch (error) {
    return (error as Error).message;
  }
  if (checkCrc && !validateBatchCrc(chunk, at)) return 'it does not match its CRC';
  if (batch.lastOffset < batch.baseOffset) return 'its offsets are impossible';
  return batch;
}
