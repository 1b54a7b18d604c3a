import {
  BATCH_HEADER_BYTES,
  BatchLayout,
  decodeRecords,
  decompress,
  encodeBatch,
  ErrorCodes,
  patchBatch,
  readBatchSummary,
  validateBatchCrc,
  writeBatchCrc,
  type BatchSummary,
  type CompressionType,
  type DecodedRecord,
} from '@ottla/protocol';
import { LogError, RecordValidationError } from '../errors.ts';
import type { LogConfig } from '../log-config.ts';
import { scanRecords, type RecordBytes, type RecordScan } from '../segments/record-scan.ts';
import type { AppendOrigin, TopicPartition } from '../types.ts';

/** What the checks need to know about the log. */
export interface AppendTarget {
  readonly topicPartition: TopicPartition;
  readonly config: LogConfig;
  readonly origin: AppendOrigin;
  readonly nowMs: number;
}

/** Offset and length in front of every batch; both are outside of what the batch length counts. */
const LOG_OVERHEAD_BYTES = 12;
const HEADER_BYTES = 61;
const MAGIC_AT = 16;
/** A batch is never unpacked to more than this (a bomb costs at most so much memory). */
const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/**
 * The batches in `records`, each with its bounds, size, CRC and header checked (what Kafka's log does for every append).
 * @throws LogError CORRUPT_MESSAGE, RECORD_TOO_LARGE, INVALID_RECORD
 */
export function readBatches(records: Buffer, target: AppendTarget): BatchSummary[] {
  const batches: BatchSummary[] = [];
  let position = 0;
  while (position < records.length) {
    checkBounds(records, position, target);
    const batch = readBatchSummary(records, position);
    checkBatch(records, batch, target);
    batches.push(batch);
    position += batch.sizeInBytes;
  }
  if (batches.length === 0) throw invalidRecord('Record batch has no batches at all');
  return batches;
}

/**
 * Bounds before anything else is read: every later access to the header relies on them. The length is the sender's
 * word, so it is only believed as far as the bytes that came.
 */
function checkBounds(records: Buffer, position: number, target: AppendTarget): void {
  const rest = records.length - position;
  if (rest >= HEADER_BYTES) {
    const magic = records[position + MAGIC_AT]!;
    // Formats before magic 2 are gone since Kafka 4; what is unknown is refused the same way.
    if (magic !== 2) {
      throw new LogError(
        magic < 2 ? ErrorCodes.INVALID_RECORD : ErrorCodes.CORRUPT_MESSAGE,
        `Record batch magic "${magic}" is not supported in topic partition ${nameOf(target)}: only magic 2 is`,
      );
    }
    const size = LOG_OVERHEAD_BYTES + records.readInt32BE(position + 8);
    if (size >= HEADER_BYTES && size <= rest) return;
  }
  throw new LogError(
    ErrorCodes.CORRUPT_MESSAGE,
    `Record batch in the append to ${nameOf(target)} is corrupt: its length does not match the ${rest} bytes that are there`,
  );
}

/**
 * The checks of Kafka's `analyzeAndValidateRecords`, in its order, since a batch with several faults must get the same
 * error code from both. Size comes before the CRC: an oversized batch is refused without reading it.
 */
function checkBatch(records: Buffer, batch: BatchSummary, target: AppendTarget): void {
  const { config, origin } = target;
  if (origin === 'client' && batch.baseOffset !== 0) {
    throw invalidRecord(
      `The baseOffset of the record batch in the append to ${nameOf(target)} should be 0, but it is "${batch.baseOffset}"`,
    );
  }
  if (origin !== 'replication' && batch.sizeInBytes > config.maxMessageBytes)
    throw tooLarge(batch.sizeInBytes, target);
  if (!validateBatchCrc(records, batch.position)) {
    throw new LogError(
      ErrorCodes.CORRUPT_MESSAGE,
      `Record is corrupt (stored crc = ${batch.crc}) in topic partition ${nameOf(target)}`,
    );
  }
}

function tooLarge(sizeInBytes: number, target: AppendTarget): LogError {
  return new LogError(
    ErrorCodes.MESSAGE_TOO_LARGE,
    `The record batch size in the append to ${nameOf(target)} is ${sizeInBytes} bytes which exceeds the maximum configured ` +
      `value of ${target.config.maxMessageBytes}`,
  );
}

/** Batches ready to be written, offsets, epoch and times in place. */
export interface PreparedBatches {
  readonly records: Buffer;
  readonly batches: BatchSummary[];
  /** -1 unless the topic uses LogAppendTime. */
  readonly logAppendTimeMs: number;
}

/**
 * Kafka's LogValidator for batches that a leader appends: all checks first, so that a refused append has changed
 * nothing; `assignOffsets` then patches. Record contents are only looked at where something asks for it.
 * @throws LogError, RecordValidationError
 */
export function validateBatches(
  records: Buffer,
  batches: readonly BatchSummary[],
  target: AppendTarget,
): Buffer {
  if (target.origin === 'client' && batches.length > 1) {
    throw invalidRecord('Compressed outer record has more than one batch');
  }
  let rebuilt: Buffer[] | null = null;
  for (const batch of batches) {
    if (target.origin === 'client') checkClientBatch(batch, target);
    const scan = needsScan(batch, target) ? checkStructure(records, batch, target) : null;
    checkRecords(records, batch, { target, scan });
    const isCreateTime = target.config.messageTimestampType === 'CreateTime';
    if (scan !== null && isCreateTime && scan.maxTimestamp !== batch.maxTimestamp) {
      correctMaxTimestamp(records, batch, scan.maxTimestamp);
    }
    if (needsRecompression(batch, target.config)) {
      rebuilt ??= batches.map((other) =>
        records.subarray(other.position, other.position + other.sizeInBytes),
      );
      rebuilt[batches.indexOf(batch)] = recompress(records, batch, target);
    }
  }
  if (rebuilt === null) return records;
  return rebuilt.length === 1 ? rebuilt[0]! : Buffer.concat(rebuilt);
}

/**
 * What only clients can get wrong (coordinators and other brokers are trusted to build batches): the header's counts
 * have to agree, markers are not theirs to write, and an idempotent batch needs a place in its sequence.
 */
function checkClientBatch(batch: BatchSummary, target: AppendTarget): void {
  const countFromOffsets = batch.lastOffset - batch.baseOffset + 1;
  const where = `in topic partition ${nameOf(target)}`;
  const range = `[${batch.baseOffset}, ${batch.lastOffset}]`;
  if (countFromOffsets <= 0) throw invalidRecord(`Batch has an invalid offset range: ${range} ${where}`);
  if (batch.recordCount <= 0) {
    throw invalidRecord(`Invalid reported count for record batch: ${batch.recordCount} ${where}`);
  }
  if (countFromOffsets !== batch.recordCount) {
    throw invalidRecord(
      `Inconsistent batch offset range ${range} and count of records ${batch.recordCount} ${where}`,
    );
  }
  if (batch.isControl) throw invalidRecord(`Clients are not allowed to write control records ${where}`);
  if (batch.producerId >= 0 && batch.baseSequence < 0) {
    throw invalidRecord(
      `Invalid sequence number ${batch.baseSequence} in record batch with producerId ${batch.producerId} ${where}`,
    );
  }
}

/** Coordinators and other brokers do not lie about what they compressed; opening it again would be for nothing. */
function needsScan(batch: BatchSummary, target: AppendTarget): boolean {
  return !batch.isControl && (batch.compression === 'none' || target.origin === 'client');
}

/** Header and records have to agree, or every consumer that comes to this batch would stop there. */
function checkStructure(records: Buffer, batch: BatchSummary, target: AppendTarget): RecordScan {
  const start = batch.position + BATCH_HEADER_BYTES;
  const end = batch.position + batch.sizeInBytes;
  const isCompressed = batch.compression !== 'none';
  const scan = isCompressed
    ? scanRecords(opened(records.subarray(start, end), batch, target), batch, true)
    : scanRecords({ buffer: records, start, end }, batch, false);
  if (scan === null) {
    throw invalidRecord(
      `The records of a batch do not match its declared size or count of ${batch.recordCount} in topic partition ${nameOf(target)}`,
    );
  }
  return scan;
}

/** The decompressed records of a batch. Kafka opens them too, before it stores a batch as it came. */
function opened(body: Buffer, batch: BatchSummary, target: AppendTarget): RecordBytes {
  try {
    const buffer = decompress(batch.compression, body, MAX_DECOMPRESSED_BYTES);
    return { buffer, start: 0, end: buffer.length };
  } catch (error) {
    throw unreadable(error, target);
  }
}

/** Keys and times; decodes only if a key is required or some time may be out of range. */
function checkRecords(
  records: Buffer,
  batch: BatchSummary,
  context: { target: AppendTarget; scan: RecordScan | null },
): void {
  const { config, nowMs } = context.target;
  const isCreateTime = config.messageTimestampType === 'CreateTime';
  const maxTimestamp = context.scan?.maxTimestamp ?? batch.maxTimestamp;
  // Without a scan the smallest time is unknown, but the limit is only set on few topics.
  const minTimestamp = context.scan?.minTimestamp ?? -1;
  const mayBeOutOfRange = isCreateTime
    ? maxTimestamp - nowMs > config.messageTimestampAfterMaxMs ||
      nowMs - minTimestamp > config.messageTimestampBeforeMaxMs
    : batch.timestampType === 'LogAppendTime';
  if (batch.isControl || (!config.compact && !mayBeOutOfRange)) return;
  const errors: { batchIndex: number; message: string; errorCode: number }[] = [];
  let index = 0;
  for (const record of decode(records, batch, context.target)) {
    const error = recordError(record, batch, context.target);
    if (error !== null) errors.push({ batchIndex: index, ...error });
    index++;
  }
  if (errors.length > 0) throw rejected(errors);
}

/** Kafka's verdict on one record: the key rule first, then time; null when it may stay. */
function recordError(
  record: DecodedRecord,
  batch: BatchSummary,
  target: AppendTarget,
): { errorCode: number; message: string } | null {
  const { config, nowMs } = target;
  if (config.compact && record.key === null) {
    return {
      errorCode: ErrorCodes.INVALID_RECORD,
      message: `Compacted topic cannot accept message without key in topic partition ${nameOf(target)}`,
    };
  }
  if (config.messageTimestampType === 'CreateTime' && record.timestamp !== -1) {
    const age = nowMs - record.timestamp;
    if (age <= config.messageTimestampBeforeMaxMs && -age <= config.messageTimestampAfterMaxMs) return null;
    return {
      errorCode: ErrorCodes.INVALID_TIMESTAMP,
      message:
        `Timestamp ${record.timestamp} of message with offset ${record.offset} is out of range. The timestamp should be within ` +
        `[${nowMs - config.messageTimestampBeforeMaxMs}, ${nowMs + config.messageTimestampAfterMaxMs}]`,
    };
  }
  if (batch.timestampType !== 'LogAppendTime') return null;
  return {
    errorCode: ErrorCodes.INVALID_TIMESTAMP,
    message: 'Invalid timestamp type in message. Producer should not set timestamp type to LogAppendTime',
  };
}

/**
 * One error for the batch with a list of its records (KIP-467). A bad time decides the code when there are both kinds,
 * and the text names three records at most, as clients print it.
 */
function rejected(
  errors: { batchIndex: number; message: string; errorCode: number }[],
): RecordValidationError {
  const recordErrors = errors.map(({ batchIndex, message }) => ({ batchIndex, message }));
  if (errors.some((error) => error.errorCode === ErrorCodes.INVALID_TIMESTAMP)) {
    return new RecordValidationError(
      ErrorCodes.INVALID_TIMESTAMP,
      'One or more records have been rejected due to invalid timestamp',
      recordErrors,
    );
  }
  const shown = recordErrors
    .slice(0, 3)
    .map((error) => `RecordError(batchIndex=${error.batchIndex}, message='${error.message}')`);
  return new RecordValidationError(
    ErrorCodes.INVALID_RECORD,
    `One or more records have been rejected due to ${errors.length} record errors in total, and only showing the first ` +
      `three errors at most: [${shown.join(', ')}]`,
    recordErrors,
  );
}

/** The time index relies on the header; Kafka corrects one that is wrong rather than refuse it. */
function correctMaxTimestamp(records: Buffer, batch: BatchSummary, maxTimestamp: number): void {
  records.writeBigInt64BE(BigInt(maxTimestamp), batch.position + BatchLayout.maxTimestamp);
  writeBatchCrc(records, batch.position);
}

/** `compression.type` of the topic as a codec; null keeps what the producer chose. */
function targetCompression(config: LogConfig): CompressionType | null {
  if (config.compressionType === 'producer') return null;
  return config.compressionType === 'uncompressed' ? 'none' : config.compressionType;
}

/** Markers stay as they are: they are tiny, and readers look at them without a codec. */
function needsRecompression(batch: BatchSummary, config: LogConfig): boolean {
  const compression = targetCompression(config);
  return compression !== null && compression !== batch.compression && !batch.isControl;
}

function compressionLevel(config: LogConfig, compression: CompressionType): number | undefined {
  if (compression === 'gzip') return config.compressionGzipLevel;
  if (compression === 'lz4') return config.compressionLz4Level;
  return compression === 'zstd' ? config.compressionZstdLevel : undefined;
}

/** The batch anew with the topic's codec. It may have grown, so its size is checked once more. */
function recompress(records: Buffer, batch: BatchSummary, target: AppendTarget): Buffer {
  const compression = targetCompression(target.config)!;
  const level = compressionLevel(target.config, compression);
  const rebuilt = encodeBatch({
    baseOffset: batch.baseOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    compression,
    ...(level === undefined ? {} : { compressionLevel: level }),
    isTransactional: batch.isTransactional,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    records: decode(records, batch, target),
  });
  if (rebuilt.length > target.config.maxMessageBytes) throw tooLarge(rebuilt.length, target);
  return rebuilt;
}

/** Content that cannot be decoded is the sender's fault, whatever the codec has to say about it. */
function decode(records: Buffer, batch: BatchSummary, target: AppendTarget): DecodedRecord[] {
  try {
    return decodeRecords(records, batch.position, { maxDecompressedBytes: MAX_DECOMPRESSED_BYTES });
  } catch (error) {
    throw unreadable(error, target);
  }
}

function unreadable(error: unknown, target: AppendTarget): LogError {
  return new LogError(
    ErrorCodes.INVALID_RECORD,
    `The records of a batch in the append to ${nameOf(target)} cannot be read: ${(error as Error).message}`,
    { cause: error },
  );
}

/** Patches offsets, epoch and times into checked batches; returns them as they are now. */
export function assignOffsets(
  records: Buffer,
  target: AppendTarget,
  assignment: { nextOffset: number; leaderEpoch: number },
): PreparedBatches {
  const isLogAppendTime = target.config.messageTimestampType === 'LogAppendTime';
  const batches: BatchSummary[] = [];
  let { nextOffset } = assignment;
  for (let position = 0; position < records.length;) {
    const patch = { baseOffset: nextOffset, partitionLeaderEpoch: assignment.leaderEpoch };
    // Markers keep the time their coordinator gave them, as everything that no client wrote.
    if (isLogAppendTime) patchBatch(records, position, { ...patch, logAppendTimeMs: target.nowMs });
    else patchBatch(records, position, patch);
    const batch = readBatchSummary(records, position);
    batches.push(batch);
    nextOffset = batch.lastOffset + 1;
    position += batch.sizeInBytes;
  }
  return { records, batches, logAppendTimeMs: isLogAppendTime ? target.nowMs : -1 };
}

/** Batches from a leader keep their offsets, which must go on from the log's end. @throws LogError */
export function checkFollowerOffsets(
  batches: readonly BatchSummary[],
  logEndOffset: number,
  name: string,
): void {
  let expected = logEndOffset;
  for (const batch of batches) {
    if (batch.baseOffset < expected) {
      throw new LogError(
        ErrorCodes.UNKNOWN_SERVER_ERROR,
        `Unexpected offset in append to ${name}: "${batch.baseOffset}" is less than the next offset "${expected}"`,
      );
    }
    expected = batch.lastOffset + 1;
  }
}

function nameOf(target: AppendTarget): string {
  return `${target.topicPartition.topic}-${target.topicPartition.partition}`;
}

function invalidRecord(message: string): LogError {
  return new LogError(ErrorCodes.INVALID_RECORD, message);
}
