import { gunzipSync, gzipSync } from 'node:zlib';
import { refuseCompressed, refuseTooLarge, type Codec } from './codec.ts';

/** zlib's own size of a piece of output. */
const PIECE_BYTES = 16 * 1024;
const MAX_PIECE_BYTES = 1024 * 1024;
/** Packed better than this, data is decompressed in pieces of the usual size. */
const USUAL_RATIO = 32;

export const gzip: Codec = {
  compress(bytes, level) {
    return gzipSync(bytes, level === undefined ? {} : { level });
  },

  decompress(bytes, maxBytes) {
    try {
      return gunzipSync(bytes, { maxOutputLength: maxBytes, chunkSize: pieceBytes(bytes) });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        return refuseTooLarge('gzip', maxBytes);
      }
      return refuseCompressed('gzip', (error as Error).message);
    }
  },
};

/**
 * Room for the whole output, where the size that stands at the end is believable: zlib takes a step, and the pieces are joined, for
 * each piece. A small batch needs no more than its size; one of a mebibyte takes two thirds of the time.
 */
function pieceBytes(bytes: Buffer): number {
  const announced = bytes.length < 4 ? PIECE_BYTES : bytes.readUInt32LE(bytes.length - 4);
  // One byte more: zlib sees that it is done only when there is room left.
  return Math.max(
    1024,
    Math.min(announced + 1, Math.max(PIECE_BYTES, bytes.length * USUAL_RATIO), MAX_PIECE_BYTES),
  );
}
