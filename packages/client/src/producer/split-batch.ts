import { BATCH_HEADER_BYTES, RecordReader } from '@ottla/protocol';
import { BatchBuilder, recordBound } from './batch-builder.ts';
import { exactBytesOf, type HeaderPair } from './record-bytes.ts';

/** Some records of a batch in a batch of their own. */
export interface BatchPiece {
  /** Index of its first record in the whole. */
  readonly from: number;
  readonly builder: BatchBuilder;
}

/** Encodes the records of a batch anew into batches of about `targetBytes`, at least one record each. */
export function splitBatch(whole: BatchBuilder, targetBytes: number): BatchPiece[] {
  const reader = new RecordReader(whole.bytes, whole.recordCount, BATCH_HEADER_BYTES, whole.position);
  const pieces: BatchPiece[] = [];
  let builder: BatchBuilder | undefined;
  for (let index = 0; reader.next(); index++) {
    const timestamp = whole.baseTimestamp + reader.timestampDelta;
    const headers = reader.headers().map(({ key, value }): HeaderPair => [key, value]);
    const key = reader.key();
    const value = reader.value();
    if (builder?.append(timestamp, key, value, headers) === true) continue;
    const needed = BATCH_HEADER_BYTES + recordBound(key, value, headers, exactBytesOf);
    builder = new BatchBuilder(Buffer.allocUnsafeSlow(Math.max(needed, targetBytes)));
    builder.append(timestamp, key, value, headers);
    pieces.push({ from: index, builder });
  }
  return pieces;
}
