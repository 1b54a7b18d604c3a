import { encodeBatch } from '@ottla/protocol';
import type { TransactionalProducer } from './state-machine.ts';

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

/**
 * One uncompressed batch of these records, all with the same timestamp; the log fills in offset and leader epoch. With a
 * producer it belongs to that one's transaction.
 */
export function encodeRecordBatch(
  records: readonly EncodedRecord[],
  timestampMs: number,
  producer: TransactionalProducer | null,
): Buffer {
  return encodeBatch({
    records: records.map(({ key, value }) => ({ key, value, timestamp: timestampMs })),
    ...(producer !== null && {
      producerId: producer.producerId,
      producerEpoch: producer.producerEpoch,
      isTransactional: true,
    }),
  });
}
