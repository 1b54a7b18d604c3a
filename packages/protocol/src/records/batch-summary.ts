import { putInt64, readInt32, readInt64 } from '../codec/wire.ts';
import { ProtocolError } from '../protocol-error.ts';
import {
  addToSequence,
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchAttributes,
  BatchLayout,
  COMPRESSION_TYPES,
  CURRENT_MAGIC,
  type CompressionType,
  type TimestampType,
} from './batch-format.ts';
import { crc32c } from './crc32c.ts';

/** The header of a record batch, decoded; nothing of its records. */
export interface BatchSummary {
  readonly baseOffset: number;
  readonly lastOffset: number;
  /** The whole batch, its first twelve bytes included. */
  readonly sizeInBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly compression: CompressionType;
  readonly timestampType: TimestampType;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  /** The delete horizon in milliseconds when attribute bit 6 is set. */
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1 when the producer is neither idempotent nor transactional. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly lastSequence: number;
  /** As the header says; the records may say otherwise. */
  readonly recordCount: number;
  /** Where the batch begins in the buffer it was read from. */
  readonly position: number;
}

/** A batch of message format 0 or 1 (or one that does not exist): Kafka 4 answers with INVALID_RECORD. */
export class UnsupportedMagicError extends ProtocolError {
  override readonly name = 'UnsupportedMagicError';
  readonly magic: number;

  constructor(magic: number, position: number) {
    super(`Record batch has magic "${magic}", only 2 is supported, at byte ${position}`, position);
    this.magic = magic;
  }
}

/**
 * Size in bytes of the batch at `position` as its length field says, which may reach past the buffer; -1 when fewer
 * than twelve bytes are left or the length is smaller than a header.
 */
export function batchSizeAt(buffer: Buffer, position: number): number {
  if (buffer.length - position < BATCH_OVERHEAD_BYTES) return -1;
  const size = buffer.readInt32BE(position + BatchLayout.batchLength) + BATCH_OVERHEAD_BYTES;
  return size < BATCH_HEADER_BYTES ? -1 : size;
}

/**
 * Reads the header of the batch at `position`. The whole batch must be there.
 * @throws UnsupportedMagicError for message formats 0 and 1
 * @throws ProtocolError when it is cut short or its size is impossible
 */
export function readBatchSummary(buffer: Buffer, position: number): BatchSummary {
  const available = buffer.length - position;
  if (available < BATCH_OVERHEAD_BYTES + 5) fail('ends inside its header', position);
  const sizeInBytes = readInt32(buffer, position + BatchLayout.batchLength) + BATCH_OVERHEAD_BYTES;
  const magic = buffer.readInt8(position + BatchLayout.magic);
  if (magic !== CURRENT_MAGIC) throw new UnsupportedMagicError(magic, position + BatchLayout.magic);
  if (sizeInBytes < BATCH_HEADER_BYTES) fail(`has an impossible size of ${sizeInBytes} bytes`, position);
  if (sizeInBytes > available) fail(`of ${sizeInBytes} bytes ends after ${available}`, position);
  const attributes = readInt32(buffer, position + BatchLayout.attributes) >> 16;
  const compressionId = attributes & BatchAttributes.compressionMask;
  const compression = COMPRESSION_TYPES[compressionId];
  if (compression === undefined) fail(`has the unknown compression type ${compressionId}`, position);
  const baseOffset = readInt64(buffer, position + BatchLayout.baseOffset);
  const lastOffsetDelta = readInt32(buffer, position + BatchLayout.lastOffsetDelta);
  const baseSequence = readInt32(buffer, position + BatchLayout.baseSequence);
  return {
    baseOffset,
    lastOffset: baseOffset + lastOffsetDelta,
    sizeInBytes,
    partitionLeaderEpoch: readInt32(buffer, position + BatchLayout.partitionLeaderEpoch),
    magic,
    crc: readInt32(buffer, position + BatchLayout.crc) >>> 0,
    attributes,
    compression,
    timestampType: (attributes & BatchAttributes.logAppendTime) === 0 ? 'CreateTime' : 'LogAppendTime',
    isTransactional: (attributes & BatchAttributes.transactional) !== 0,
    isControl: (attributes & BatchAttributes.control) !== 0,
    baseTimestamp: readInt64(buffer, position + BatchLayout.baseTimestamp),
    maxTimestamp: readInt64(buffer, position + BatchLayout.maxTimestamp),
    producerId: readInt64(buffer, position + BatchLayout.producerId),
    producerEpoch: readInt32(buffer, position + BatchLayout.producerEpoch) >> 16,
    baseSequence,
    lastSequence: baseSequence < 0 ? -1 : addToSequence(baseSequence, lastOffsetDelta),
    recordCount: readInt32(buffer, position + BatchLayout.recordCount),
    position,
  };
}

/**
 * The batches of a buffer one after the other, none decoded.
 * @throws ProtocolError as `readBatchSummary` does, also for bytes left over at the end
 */
export function* iterateBatches(buffer: Buffer, start = 0): Generator<BatchSummary> {
  let position = start;
  while (position < buffer.length) {
    const summary = readBatchSummary(buffer, position);
    yield summary;
    position += summary.sizeInBytes;
  }
}

/** Whether the bytes of the (whole) batch at `position` have the checksum that its header says. */
export function validateBatchCrc(buffer: Buffer, position: number): boolean {
  const end = position + buffer.readInt32BE(position + BatchLayout.batchLength) + BATCH_OVERHEAD_BYTES;
  const stored = buffer.readUInt32BE(position + BatchLayout.crc);
  return crc32c(buffer, position + BatchLayout.attributes, end) === stored;
}

/** Fields of a batch that a broker sets. */
export interface BatchPatch {
  readonly baseOffset?: number;
  readonly partitionLeaderEpoch?: number;
  /** Sets the timestamp type and the maximum timestamp; covered by the CRC, which is computed anew. */
  readonly logAppendTimeMs?: number;
}

/** Changes the batch at `position` in place. Base offset and leader epoch lie outside the CRC. */
export function patchBatch(buffer: Buffer, position: number, patch: BatchPatch): void {
  if (patch.baseOffset !== undefined) {
    putInt64(buffer, position + BatchLayout.baseOffset, patch.baseOffset);
  }
  if (patch.partitionLeaderEpoch !== undefined) {
    buffer.writeInt32BE(patch.partitionLeaderEpoch, position + BatchLayout.partitionLeaderEpoch);
  }
  if (patch.logAppendTimeMs === undefined) return;
  const attributes = buffer.readInt16BE(position + BatchLayout.attributes);
  buffer.writeInt16BE(attributes | BatchAttributes.logAppendTime, position + BatchLayout.attributes);
  putInt64(buffer, position + BatchLayout.maxTimestamp, patch.logAppendTimeMs);
  writeBatchCrc(buffer, position);
}

/**
 * From when on tombstones and transaction markers of the batch may be removed (KIP-534), in milliseconds; null when
 * compaction has not come across any in it.
 */
export function deleteHorizonMs(batch: BatchSummary): number | null {
  return (batch.attributes & BatchAttributes.deleteHorizon) === 0 ? null : batch.baseTimestamp;
}

/**
 * A copy of the batch without its records: its offsets, times, producer and sequence numbers stay, for those who ask how
 * far the log or the producer has come.
 */
export function emptiedBatch(buffer: Buffer, batch: BatchSummary): Buffer {
  const header = Buffer.from(buffer.subarray(batch.position, batch.position + BATCH_HEADER_BYTES));
  const cleared = BatchAttributes.compressionMask | BatchAttributes.deleteHorizon;
  header.writeInt32BE(BATCH_HEADER_BYTES - BATCH_OVERHEAD_BYTES, BatchLayout.batchLength);
  header.writeInt16BE(batch.attributes & ~cleared, BatchLayout.attributes);
  putInt64(header, BatchLayout.baseTimestamp, batch.maxTimestamp);
  header.writeInt32BE(0, BatchLayout.recordCount);
  writeBatchCrc(header, 0);
  return header;
}

/** Computes the checksum of the batch at `position` and writes it into the header. */
export function writeBatchCrc(buffer: Buffer, position: number): void {
  const end = position + buffer.readInt32BE(position + BatchLayout.batchLength) + BATCH_OVERHEAD_BYTES;
  const crc = crc32c(buffer, position + BatchLayout.attributes, end);
  buffer.writeUInt32BE(crc, position + BatchLayout.crc);
}

function fail(problem: string, position: number): never {
  throw new ProtocolError(`Record batch ${problem} at byte ${position}`, position);
}
