import { putInt64 } from '../codec/wire.ts';
import { compress } from '../compression/compression.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchAttributes,
  BatchLayout,
  COMPRESSION_TYPES,
  CURRENT_MAGIC,
  type CompressionType,
} from './batch-format.ts';
import { writeBatchCrc } from './batch-summary.ts';
import type { RecordHeader } from './record-reader.ts';
import { sizeOfSignedVarint, writeSignedVarint } from './varint.ts';

/** A record to encode. */
export interface RecordInput {
  /** Milliseconds; -1 when not given. */
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly RecordHeader[];
  /** Absolute; when not given, one more than the record before. */
  readonly offset?: number;
}

export interface BatchInput {
  readonly records: readonly RecordInput[];
  /** Default 0: producers leave it to the broker. */
  readonly baseOffset?: number;
  /** Where the batch ends when its last records are gone (compaction); default: the offset of the last record. */
  readonly lastOffset?: number;
  readonly partitionLeaderEpoch?: number;
  readonly compression?: CompressionType;
  /** Level as the codec knows it; its default when not given. */
  readonly compressionLevel?: number;
  readonly producerId?: number;
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly isTransactional?: boolean;
  readonly isControl?: boolean;
  /** Marks the batch as LogAppendTime and is its maximum timestamp. */
  readonly logAppendTimeMs?: number;
  /** From when on tombstones and markers in the batch may go (KIP-534); stands where the base timestamp stands otherwise. */
  readonly deleteHorizonMs?: number;
}

/** Encodes a record batch of magic 2 with its CRC. */
export function encodeBatch(batch: BatchInput): Buffer {
  const compression = batch.compression ?? 'none';
  const times = timestampsOf(batch);
  const baseOffset = batch.baseOffset ?? batch.records[0]?.offset ?? 0;
  const deltas = offsetDeltas(batch.records, baseOffset);
  const isCompressed = compression !== 'none';
  const plain = encodeRecords(batch.records, {
    baseTimestamp: times.base,
    deltas,
    headroom: isCompressed ? 0 : BATCH_HEADER_BYTES,
  });
  const encoded = isCompressed ? withHeadroom(compress(compression, plain, batch.compressionLevel)) : plain;
  const lastDelta = batch.lastOffset === undefined ? (deltas.at(-1) ?? -1) : batch.lastOffset - baseOffset;
  writeBatchHeader(encoded, encoded.length, {
    baseOffset,
    partitionLeaderEpoch: batch.partitionLeaderEpoch ?? -1,
    attributes: attributesOf(batch, compression),
    lastOffsetDelta: lastDelta,
    baseTimestamp: times.base,
    maxTimestamp: times.max,
    producerId: batch.producerId ?? -1,
    producerEpoch: batch.producerEpoch ?? -1,
    baseSequence: batch.baseSequence ?? -1,
    recordCount: batch.records.length,
  });
  return encoded;
}

function timestampsOf(batch: BatchInput): { base: number; max: number } {
  const base = batch.deleteHorizonMs ?? batch.records[0]?.timestamp ?? -1;
  let max = -1;
  for (const record of batch.records) max = Math.max(max, record.timestamp ?? -1);
  return { base, max: batch.logAppendTimeMs ?? max };
}

function offsetDeltas(records: readonly RecordInput[], baseOffset: number): number[] {
  let next = baseOffset;
  return records.map((record) => {
    const offset = record.offset ?? next;
    next = offset + 1;
    return offset - baseOffset;
  });
}

interface Encoding {
  readonly baseTimestamp: number;
  readonly deltas: readonly number[];
  /** Bytes to leave free in front. */
  readonly headroom: number;
}

/** The records one after the other in a buffer of exactly their size plus the headroom. */
function encodeRecords(records: readonly RecordInput[], encoding: Encoding): Buffer {
  const sizes = records.map((record, index) => bodySize(record, encoding, index));
  let total = encoding.headroom;
  for (const size of sizes) total += sizeOfSignedVarint(size) + size;
  const bytes = Buffer.allocUnsafe(total);
  let position = encoding.headroom;
  records.forEach((record, index) => {
    position = writeSignedVarint(bytes, position, sizes[index] ?? 0);
    bytes[position++] = 0;
    position = writeSignedVarint(bytes, position, timestampDelta(record, encoding));
    position = writeSignedVarint(bytes, position, encoding.deltas[index] ?? 0);
    position = writeBytes(bytes, position, record.key ?? null);
    position = writeBytes(bytes, position, record.value ?? null);
    const headers = record.headers ?? [];
    position = writeSignedVarint(bytes, position, headers.length);
    for (const { key, value } of headers) {
      position = writeSignedVarint(bytes, position, Buffer.byteLength(key));
      position += bytes.write(key, position);
      position = writeBytes(bytes, position, value);
    }
  });
  return bytes;
}

function bodySize(record: RecordInput, encoding: Encoding, index: number): number {
  let size =
    1 +
    sizeOfSignedVarint(timestampDelta(record, encoding)) +
    sizeOfSignedVarint(encoding.deltas[index] ?? 0) +
    sizeOfBytes(record.key ?? null) +
    sizeOfBytes(record.value ?? null) +
    sizeOfSignedVarint(record.headers?.length ?? 0);
  for (const { key, value } of record.headers ?? []) {
    const keyBytes = Buffer.byteLength(key);
    size += sizeOfSignedVarint(keyBytes) + keyBytes + sizeOfBytes(value);
  }
  return size;
}

function timestampDelta(record: RecordInput, encoding: Encoding): number {
  return (record.timestamp ?? -1) - encoding.baseTimestamp;
}

function sizeOfBytes(value: Buffer | null): number {
  return value === null ? 1 : sizeOfSignedVarint(value.length) + value.length;
}

function writeBytes(bytes: Buffer, position: number, value: Buffer | null): number {
  if (value === null) return writeSignedVarint(bytes, position, -1);
  const start = writeSignedVarint(bytes, position, value.length);
  return start + value.copy(bytes, start);
}

function withHeadroom(payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(BATCH_HEADER_BYTES + payload.length);
  payload.copy(bytes, BATCH_HEADER_BYTES);
  return bytes;
}

/** What stands in the header of a batch, beside its length and its checksum. */
export interface BatchHeaderInput {
  readonly baseOffset: number;
  readonly partitionLeaderEpoch: number;
  /** See `BatchAttributes`; the low bits are the index of the compression type. */
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/**
 * Writes the header of a batch of `sizeInBytes` at the beginning of `bytes`, with the checksum of it and of the records,
 * which must be there already.
 */
export function writeBatchHeader(bytes: Buffer, sizeInBytes: number, header: BatchHeaderInput): void {
  putInt64(bytes, BatchLayout.baseOffset, header.baseOffset);
  bytes.writeInt32BE(sizeInBytes - BATCH_OVERHEAD_BYTES, BatchLayout.batchLength);
  bytes.writeInt32BE(header.partitionLeaderEpoch, BatchLayout.partitionLeaderEpoch);
  bytes[BatchLayout.magic] = CURRENT_MAGIC;
  bytes.writeInt16BE(header.attributes, BatchLayout.attributes);
  bytes.writeInt32BE(header.lastOffsetDelta, BatchLayout.lastOffsetDelta);
  putInt64(bytes, BatchLayout.baseTimestamp, header.baseTimestamp);
  putInt64(bytes, BatchLayout.maxTimestamp, header.maxTimestamp);
  putInt64(bytes, BatchLayout.producerId, header.producerId);
  bytes.writeInt16BE(header.producerEpoch, BatchLayout.producerEpoch);
  bytes.writeInt32BE(header.baseSequence, BatchLayout.baseSequence);
  bytes.writeInt32BE(header.recordCount, BatchLayout.recordCount);
  writeBatchCrc(bytes, 0);
}

function attributesOf(batch: BatchInput, compression: CompressionType): number {
  return (
    COMPRESSION_TYPES.indexOf(compression) |
    (batch.logAppendTimeMs === undefined ? 0 : BatchAttributes.logAppendTime) |
    (batch.isTransactional === true ? BatchAttributes.transactional : 0) |
    (batch.isControl === true ? BatchAttributes.control : 0) |
    (batch.deleteHorizonMs === undefined ? 0 : BatchAttributes.deleteHorizon)
  );
}
