import type { CompressionType } from '../records/batch-format.ts';
import type { Codec } from './codec.ts';
import { gzip } from './gzip.ts';
import { lz4 } from './lz4.ts';
import { snappy } from './snappy.ts';
import { zstd } from './zstd.ts';

const none: Codec = { compress: (bytes) => bytes, decompress: (bytes) => bytes };
const codecs: Record<CompressionType, Codec> = { none, gzip, snappy, lz4, zstd };

/**
 * Compresses the records of a batch as Kafka's producers do. `level` is the format's own and counts for gzip (default 6)
 * and zstd (default 3).
 */
export function compress(type: CompressionType, bytes: Buffer, level?: number): Buffer {
  return codecs[type].compress(bytes, level);
}

/**
 * Decompresses the records of a batch into at most `maxBytes`.
 * @throws ProtocolError when the data is malformed or would take more
 */
export function decompress(type: CompressionType, bytes: Buffer, maxBytes: number): Buffer {
  return codecs[type].decompress(bytes, maxBytes);
}
