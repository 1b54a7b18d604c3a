import type { LogConfig } from '../log-config.ts';
import type { LogSegment } from './log-segment.ts';

/** What decides whether a segment may go. */
export interface RetentionFacts {
  readonly config: LogConfig;
  readonly nowMs: number;
  readonly sizeInBytes: number;
  readonly logStartOffset: number;
  readonly highWatermark: number;
  readonly logEndOffset: number;
}

/**
 * The segments that retention removes, from the oldest on until the first that has to stay: those below the log start
 * offset, and with `cleanup.policy=delete` those older than `retention.ms` or in excess of `retention.bytes`. Only
 * committed segments go, and an empty active one never does. The active segment may be among them: the log then
 * rolls first, as Kafka does.
 */
export function removableSegments(segments: readonly LogSegment[], facts: RetentionFacts): LogSegment[] {
  const { config } = facts;
  const removable: LogSegment[] = [];
  let excessBytes = config.retentionBytes < 0 ? -1 : facts.sizeInBytes - config.retentionBytes;
  for (let slot = 0; slot < segments.length; slot++) {
    const segment = segments[slot]!;
    const next = segments[slot + 1];
    const endOffset = next === undefined ? facts.logEndOffset : next.baseOffset;
    if (segment.sizeInBytes === 0 || endOffset > facts.highWatermark) break;
    const isBelowStart = next !== undefined && next.baseOffset <= facts.logStartOffset;
    const isExcess = config.delete && excessBytes >= segment.sizeInBytes;
    if (!isBelowStart && !isExcess && !(config.delete && isExpired(segment, facts))) break;
    removable.push(segment);
    excessBytes -= segment.sizeInBytes;
  }
  return removable;
}

function isExpired(segment: LogSegment, { config, nowMs }: RetentionFacts): boolean {
  return config.retentionMs >= 0 && nowMs - segment.largestTimestamp > config.retentionMs;
}
