import { gunzipSync, gzipSync } from 'node:zlib';
import { ProtocolError } from '../protocol-error.ts';
import type { CompressionType } from '../records/batch-format.ts';

/** Compresses the records of a batch as Kafka's producers do. */
export function compress(type: CompressionType, bytes: Buffer, level?: number): Buffer {
  if (type === 'gzip') return gzipSync(bytes, level === undefined ? {} : { level });
  if (type === 'none') return bytes;
  throw new ProtocolError(`Compression type "${type}" is not there yet`, -1);
}

/**
 * Decompresses the records of a batch into at most `maxBytes`.
 * @throws ProtocolError when the data is malformed or would take more
 */
export function decompress(type: CompressionType, bytes: Buffer, maxBytes: number): Buffer {
  if (type === 'gzip') return gunzipSync(bytes, { maxOutputLength: maxBytes });
  if (type === 'none') return bytes;
  throw new ProtocolError(`Compression type "${type}" is not there yet`, -1);
}
