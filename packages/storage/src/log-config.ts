/**
 * The topic configuration as the log needs it: parsed values, Kafka's defaults. `-1` means "no limit" where Kafka says so.
 * Numbers that default to Kafka's `Long.MAX_VALUE` are `Number.MAX_SAFE_INTEGER` here.
 */
export interface LogConfig {
  /** `segment.bytes`: a segment is rolled before it would exceed this. */
  readonly segmentBytes: number;
  /** `segment.ms`: a segment is rolled when its first record is older, by record time. */
  readonly segmentMs: number;
  /** `segment.jitter.ms`: up to this much is taken off `segmentMs`, at random per segment. */
  readonly segmentJitterMs: number;
  /** `segment.index.bytes`: the offset and the time index of a segment each hold at most this; a full one rolls the segment. */
  readonly segmentIndexBytes: number;
  /** `flush.messages`: flush once this many records are not durable. */
  readonly flushMessages: number;
  /** `flush.ms`: flush once the oldest such record waited this long. */
  readonly flushMs: number;
  /** `retention.bytes` per partition; -1: no limit. */
  readonly retentionBytes: number;
  /** `retention.ms`; -1: no limit. */
  readonly retentionMs: number;
  /** `max.message.bytes`: the largest batch accepted, header included. */
  readonly maxMessageBytes: number;
  /** `index.interval.bytes`: about this many log bytes lie between two index entries. */
  readonly indexIntervalBytes: number;
  /** `file.delete.delay.ms`: how long a `.deleted` file stays for readers that still hold it. */
  readonly fileDeleteDelayMs: number;
  /** `cleanup.policy` contains `compact`: records need keys, and only the newest of each key stays. */
  readonly compact: boolean;
  /** `min.cleanable.dirty.ratio`: the share of bytes not compacted yet, 0 to 1, above which a log is compacted. */
  readonly minCleanableDirtyRatio: number;
  /** `min.compaction.lag.ms`: a record stays as it is at least this long. */
  readonly minCompactionLagMs: number;
  /** `max.compaction.lag.ms`: a record may be compacted at the latest after this long, whatever the ratio. */
  readonly maxCompactionLagMs: number;
  /** `delete.retention.ms`: how long tombstones and empty transactions' markers stay once they are compacted. */
  readonly deleteRetentionMs: number;
  /** `cleanup.policy` contains `delete`: retention applies. */
  readonly delete: boolean;
  /** `compression.type`; `producer` keeps what the client chose. */
  readonly compressionType: 'producer' | 'uncompressed' | 'gzip' | 'snappy' | 'lz4' | 'zstd';
  /** `compression.gzip.level`: -1 or 1 to 9. */
  readonly compressionGzipLevel: number;
  /** `compression.lz4.level`: 1 to 17. */
  readonly compressionLz4Level: number;
  /** `compression.zstd.level`: -131072 to 22. */
  readonly compressionZstdLevel: number;
  /** `message.timestamp.type`. */
  readonly messageTimestampType: 'CreateTime' | 'LogAppendTime';
  /** `message.timestamp.before.max.ms`: the oldest CreateTime accepted, against the broker's clock. */
  readonly messageTimestampBeforeMaxMs: number;
  /** `message.timestamp.after.max.ms`: how far in the future a CreateTime may lie. */
  readonly messageTimestampAfterMaxMs: number;
}

/** Kafka 4.3's defaults. */
export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 1024 * 1024 * 1024,
  segmentMs: 7 * 24 * 60 * 60 * 1000,
  segmentJitterMs: 0,
  segmentIndexBytes: 10 * 1024 * 1024,
  flushMessages: Number.MAX_SAFE_INTEGER,
  flushMs: Number.MAX_SAFE_INTEGER,
  retentionBytes: -1,
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  maxMessageBytes: 1024 * 1024 + 12,
  indexIntervalBytes: 4096,
  fileDeleteDelayMs: 60_000,
  compact: false,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Number.MAX_SAFE_INTEGER,
  deleteRetentionMs: 24 * 60 * 60 * 1000,
  delete: true,
  compressionType: 'producer',
  compressionGzipLevel: -1,
  compressionLz4Level: 9,
  compressionZstdLevel: 3,
  messageTimestampType: 'CreateTime',
  messageTimestampBeforeMaxMs: Number.MAX_SAFE_INTEGER,
  messageTimestampAfterMaxMs: 60 * 60 * 1000,
};
