import type { Disk } from '@ottla/platform';
import { refuseFolder, UsageError } from '../cluster/run-on-cluster.ts';

const CHUNK_BYTES = 256 * 1024;
/** No record is longer with the usual settings; without a limit a file without delimiters would fill the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** The bytes of a file, piece by piece. @throws UsageError for a folder */
export async function* fileChunks(disk: Disk, path: string): AsyncGenerator<Buffer> {
  refuseFolder(disk, path);
  const file = disk.openSync(path, 'read');
  try {
    for (let position = 0; ;) {
      // Slices of it live on in records that wait: each piece has memory of its own.
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const length = await file.read(chunk, 0, chunk.length, position);
      if (length === 0) return;
      yield chunk.subarray(0, length);
      position += length;
    }
  } finally {
    file.closeSync();
  }
}

/**
 * Splits bytes at a delimiter. What stands behind the last one is a piece too unless it is empty. Behind a newline a carriage return
 * goes with it.
 * @throws UsageError for a piece of more than 64 MiB
 */
export async function* splitChunks(
  chunks: AsyncIterable<Buffer | string>,
  delimiter: string,
): AsyncGenerator<Buffer> {
  const mark = Buffer.from(delimiter);
  if (mark.length === 0) throw new UsageError('The delimiter is empty');
  let rest: Buffer[] = [];
  let restBytes = 0;
  for await (const piece of chunks) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece;
    // A delimiter may lie across two chunks: the end of the rest is looked at again.
    const head = restBytes === 0 ? chunk : Buffer.concat([...rest, chunk]);
    let start = 0;
    let from = Math.max(0, restBytes - mark.length + 1);
    for (let at = head.indexOf(mark, from); at >= 0; at = head.indexOf(mark, from)) {
      yield withoutReturn(head.subarray(start, at), delimiter);
      start = at + mark.length;
      from = start;
    }
    const left = head.subarray(start);
    if (left.length > MAX_LINE_BYTES)
      throw new UsageError(
        `A line has more than ${MAX_LINE_BYTES} bytes without the delimiter ${JSON.stringify(delimiter)}`,
      );
    rest = left.length === 0 ? [] : [left];
    restBytes = left.length;
  }
  if (restBytes > 0) yield withoutReturn(Buffer.concat(rest), delimiter);
}

function withoutReturn(line: Buffer, delimiter: string): Buffer {
  return delimiter === '\n' && line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
}
