import { decompress } from '../compression/compression.ts';
import { BatchLayout } from './batch-format.ts';
import { readBatchSummary, type BatchSummary } from './batch-summary.ts';
import { RecordReader, type RecordHeader } from './record-reader.ts';

/** A decoded record. Byte fields are views of the batch, or of its decompressed records. */
export interface DecodedRecord {
  readonly offset: number;
  /** Milliseconds; the batch's maximum when the topic uses LogAppendTime. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: RecordHeader[];
}

export interface DecodeOptions {
  /** The most that the records may take up uncompressed; more is refused before it is allocated. Default 64 MiB. */
  readonly maxDecompressedBytes?: number;
  /** Gives the timestamp stored with each record even where LogAppendTime overrides it. */
  readonly storedTimestamps?: boolean;
}

/** Limit of decompression unless the caller sets one. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/**
 * Decodes all records of the batch at `position`.
 * @throws ProtocolError when the batch, its compressed data or one of its records is malformed, or it grows too large
 */
export function decodeRecords(
  buffer: Buffer,
  position: number,
  options: DecodeOptions = {},
): DecodedRecord[] {
  const summary = readBatchSummary(buffer, position);
  const reader = openRecords(buffer, summary, options);
  const { baseOffset, baseTimestamp, maxTimestamp } = summary;
  const overridden = summary.timestampType === 'LogAppendTime' && options.storedTimestamps !== true;
  const records: DecodedRecord[] = [];
  while (reader.next()) {
    records.push({
      offset: baseOffset + reader.offsetDelta,
      timestamp: overridden ? maxTimestamp : baseTimestamp + reader.timestampDelta,
      key: reader.key(),
      value: reader.value(),
      headers: reader.headers(),
    });
  }
  return records;
}

/** Opens the records of a batch for stepping through them, decompressed if need be. */
export function openRecords(
  buffer: Buffer,
  summary: BatchSummary,
  options: DecodeOptions = {},
): RecordReader {
  const start = summary.position + BatchLayout.records;
  const end = summary.position + summary.sizeInBytes;
  if (summary.compression === 'none') return new RecordReader(buffer, summary.recordCount, start, end);
  const limit = options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES;
  const bytes = decompress(summary.compression, buffer.subarray(start, end), limit);
  return new RecordReader(bytes, summary.recordCount);
}
