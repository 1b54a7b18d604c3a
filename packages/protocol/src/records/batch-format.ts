/**
 * A record batch of magic 2 (KIP-98). Everything from the attributes on is covered by the CRC, so base offset and
 * leader epoch can be patched in place.
 *
 *   0 baseOffset int64          21 attributes int16        43 producerId int64
 *   8 batchLength int32         23 lastOffsetDelta int32   51 producerEpoch int16
 *  12 partitionLeaderEpoch i32  27 baseTimestamp int64     53 baseSequence int32
 *  16 magic int8                35 maxTimestamp int64      57 recordCount int32
 *  17 crc uint32                                           61 records, compressed as the attributes say
 *
 *  attributes: bits 0-2 compression, 3 LogAppendTime, 4 transactional, 5 control, 6 delete horizon in baseTimestamp
 */
export const BatchLayout = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** Bytes of base offset and batch length, which `batchLength` does not count. */
export const BATCH_OVERHEAD_BYTES = 12;
/** Bytes in front of the records. */
export const BATCH_HEADER_BYTES = BatchLayout.records;
/** The only message format that Kafka 4 accepts. */
export const CURRENT_MAGIC = 2;

export const BatchAttributes = {
  compressionMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  deleteHorizon: 0x40,
} as const;

/** Compression types in the order of their numbers in the attributes, by Kafka's config names. */
export const COMPRESSION_TYPES = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type CompressionType = (typeof COMPRESSION_TYPES)[number];
export type TimestampType = 'CreateTime' | 'LogAppendTime';

/** The sequence number `count` records after `sequence`: past 2^31-1 it begins again at 0. */
export function addToSequence(sequence: number, count: number): number {
  const sum = sequence + count;
  return sum > 0x7fffffff ? sum - 0x80000000 : sum;
}
