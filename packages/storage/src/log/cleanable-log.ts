import type { LogConfig } from '../log-config.ts';

/** A segment as far as choosing what to compact goes. */
export interface SegmentFacts {
  readonly baseOffset: number;
  /** Base offset of the next segment. */
  readonly endOffset: number;
  readonly sizeInBytes: number;
  /** Newest record time. */
  readonly largestTimestamp: number;
  /** Time of the first batch, -1 when unknown. */
  readonly firstTimestamp: number;
}

/** What decides whether a log is worth compacting. */
export interface LogFacts {
  readonly config: LogConfig;
  readonly nowMs: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /**
   * Nothing at or above is compacted: undecided transactions stay as they are (the last stable offset), and so does what
   * is not durable, since recovery must never meet a compacted segment (the recovery point).
   */
  readonly stableOffset: number;
  /** All but the active one. */
  readonly sealed: readonly SegmentFacts[];
  /** Where the last compaction ended, from the checkpoint; undefined when there was none. */
  readonly cleanedUpTo: number | undefined;
}

/** What a compaction of the log would cover. */
export interface CleanableRange {
  readonly firstDirtyOffset: number;
  /** The segments from the first one on that may be rewritten. */
  readonly segments: readonly SegmentFacts[];
  /** Share of the bytes that has not been compacted, 0 to 1. */
  readonly dirtyRatio: number;
  /** A record has waited for `max.compaction.lag.ms`. */
  readonly isOverdue: boolean;
}

/**
 * What of a log can be compacted now; null when it is not worth it (Kafka's LogCleanerManager):
 *
 *     cleanedUpTo          v first segment that is too young, undecided or not durable
 *     [ clean bytes | dirty bytes |         not yet          | active ]
 *     worth it when dirty / (clean + dirty) > min.cleanable.dirty.ratio, or a record is overdue
 */
export function cleanableRange(facts: LogFacts): CleanableRange | null {
  const { config, nowMs } = facts;
  if (!config.compact) return null;
  const firstDirtyOffset = firstDirty(facts);
  const segments: SegmentFacts[] = [];
  for (const segment of facts.sealed) {
    if (segment.endOffset > facts.stableOffset) break;
    const isTooYoung =
      config.minCompactionLagMs > 0 && segment.largestTimestamp > nowMs - config.minCompactionLagMs;
    if (segment.endOffset > firstDirtyOffset && isTooYoung) break;
    segments.push(segment);
  }
  let cleanBytes = 0;
  let dirtyBytes = 0;
  let oldestDirtyMs = Infinity;
  for (const segment of segments) {
    if (segment.endOffset <= firstDirtyOffset) {
      cleanBytes += segment.sizeInBytes;
      continue;
    }
    dirtyBytes += segment.sizeInBytes;
    if (segment.firstTimestamp > 0) oldestDirtyMs = Math.min(oldestDirtyMs, segment.firstTimestamp);
  }
  if (dirtyBytes === 0) return null;
  const dirtyRatio = dirtyBytes / (cleanBytes + dirtyBytes);
  const maxLagMs = Math.max(config.maxCompactionLagMs, config.minCompactionLagMs);
  const isOverdue = oldestDirtyMs < nowMs - maxLagMs;
  if (!isOverdue && dirtyRatio <= config.minCleanableDirtyRatio) return null;
  return { firstDirtyOffset, segments, dirtyRatio, isOverdue };
}

/** A checkpoint outside of the log belongs to an earlier log of that name: everything counts as dirty then. */
function firstDirty({ cleanedUpTo, logStartOffset, logEndOffset }: LogFacts): number {
  if (cleanedUpTo === undefined || cleanedUpTo < logStartOffset || cleanedUpTo > logEndOffset) {
    return logStartOffset;
  }
  return cleanedUpTo;
}

/** Which of two logs is compacted first: an overdue one, then the dirtier one. */
export function isDirtier(one: CleanableRange, other: CleanableRange): boolean {
  if (one.isOverdue !== other.isOverdue) return one.isOverdue;
  return one.dirtyRatio > other.dirtyRatio;
}

/** Where a producer is: its batch at that offset stays, emptied at worst, or its sequence numbers would be forgotten. */
export interface LastBatch {
  readonly producerEpoch: number;
  /** -1: it has written nothing but markers. */
  readonly lastDataOffset: number;
}
