import {
  BatchAttributes,
  BatchLayout,
  CURRENT_MAGIC,
  ErrorCodes,
  type ProduceRequest,
} from '@ottla/protocol';

/** Kafka's smallest record: what a batch length is held against before its format is known. */
const MIN_RECORD_OVERHEAD = 14;
/** Offset and length in front of every batch. */
const LENGTH_END = 12;
/** Enough of a batch to see its format. */
const MAGIC_END = BatchLayout.magic + 1;
const ZSTD = 4;
/** First produce version that may carry zstd. */
const ZSTD_VERSION = 7;

/** A refusal of a whole produce request, with the text that goes to the client. */
export interface WholeRefusal {
  readonly errorCode: number;
  readonly message: string | null;
}

/**
 * What makes Kafka refuse every partition of a request at once, because it looks for transactional batches first:
 * a batch length that no record fits in, a format that does not exist, or a transactional batch without a transactional id.
 */
export function wholeRequestRefusal(request: ProduceRequest): WholeRefusal | null {
  for (const topic of request.topicData) {
    for (const { records } of topic.partitionData) {
      if (records === null || records.length < MAGIC_END) continue;
      const length = records.readInt32BE(BatchLayout.batchLength);
      if (length < MIN_RECORD_OVERHEAD) {
        const message = `Record size ${length} is less than the minimum record overhead (${MIN_RECORD_OVERHEAD})`;
        return { errorCode: ErrorCodes.CORRUPT_MESSAGE, message };
      }
      const magic = records.readInt8(BatchLayout.magic);
      if (magic < 0 || magic > CURRENT_MAGIC) {
        return { errorCode: ErrorCodes.CORRUPT_MESSAGE, message: `Invalid magic found in record: ${magic}` };
      }
      if (request.transactionalId === null && isTransactional(records)) {
        return { errorCode: ErrorCodes.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, message: null };
      }
    }
  }
  return null;
}

/** The first batch, which is all a request may hold per partition, is marked transactional. */
export function isTransactional(records: Buffer): boolean {
  return (
    records.length >= BatchLayout.attributes + 2 &&
    records[BatchLayout.magic] === CURRENT_MAGIC &&
    (records.readInt16BE(BatchLayout.attributes) & BatchAttributes.transactional) !== 0
  );
}

/**
 * Kafka's check of a partition's records before they reach the log: exactly one whole batch, of format 2, with a
 * compression that the request's version knows. 0 when they may be appended.
 */
export function recordsRefusal(records: Buffer | null, apiVersion: number): number {
  const size = firstBatchSize(records);
  if (records === null || size < 0) return ErrorCodes.INVALID_RECORD;
  if (records[BatchLayout.magic] !== CURRENT_MAGIC) return ErrorCodes.INVALID_RECORD;
  if (apiVersion < ZSTD_VERSION && records.length >= BatchLayout.attributes + 2) {
    const compression = records.readInt16BE(BatchLayout.attributes) & BatchAttributes.compressionMask;
    if (compression === ZSTD) return ErrorCodes.UNSUPPORTED_COMPRESSION_TYPE;
  }
  if (size === records.length) return 0;
  return firstBatchSize(records.subarray(size)) < 0 ? 0 : ErrorCodes.INVALID_RECORD;
}

/** Bytes of the first batch; -1 when there is no whole one. */
export function firstBatchSize(records: Buffer | null): number {
  if (records === null || records.length < MAGIC_END) return -1;
  const size = records.readInt32BE(BatchLayout.batchLength) + LENGTH_END;
  return size > records.length || size < MAGIC_END ? -1 : size;
}
