import type { LogConfig } from './log-config.ts';
import type { LogSegment } from './log-segment.ts';

/** All records of the segment are older than `retention.ms`. */
export function isExpiredSegment(config: LogConfig, segment: LogSegment, nowMs: number): boolean {
  return config.retentionMs >= 0 && nowMs - segment.largestTimestamp > config.retentionMs;
}

/** Bytes that the log holds above `retention.bytes`; whole segments are removed while they fit in here. */
export function excessBytes(config: LogConfig, sizeInBytes: number): number {
  return config.retentionBytes < 0 ? -1 : sizeInBytes - config.retentionBytes;
}
