import { encodeBatch } from '@ottla/protocol';

/** A record as the internal topic stores it. */
export interface EncodedRecord {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** Upper bound of what a record takes in a batch: its bytes and the varints around them. */
export function recordSizeInBytes({ key, value }: EncodedRecord): number {
  return key.length + (value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

const RECORD_OVERHEAD_BYTES = 30;

/** One uncompressed batch of these records, all with the same timestamp; the log fills in offset and leader epoch. */
export function encodeRecordBatch(records: readonly EncodedRecord[], timestampMs: number): Buffer {
  return encodeBatch({ records: records.map(({ key, value }) => ({ key, value, timestamp: timestampMs })) });
}
