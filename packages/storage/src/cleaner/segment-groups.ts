import type { CleanJobSegment } from './clean-job.ts';

/** Offsets in an index are relative to the segment's base, in a signed int32. */
const MAX_RELATIVE_OFFSET = 2 ** 31 - 1;
/** An index entry stands for at least one batch, and takes up to 12 bytes. */
const MAX_INDEX_ENTRY_BYTES = 12;

/**
 * Neighbours that fit into one segment, by their sizes before the compaction: small ones are put together, so that a log
 * of few keys does not end as ten thousand files.
 */
export function groupSegments(
  segments: readonly CleanJobSegment[],
  limits: { segmentBytes: number; segmentIndexBytes: number; indexIntervalBytes: number },
): CleanJobSegment[][] {
  const groups: CleanJobSegment[][] = [];
  const entries = Math.floor(limits.segmentIndexBytes / MAX_INDEX_ENTRY_BYTES);
  const maxBytes = Math.min(limits.segmentBytes, entries * Math.max(1, limits.indexIntervalBytes));
  let bytes = 0;
  for (const segment of segments) {
    const group = groups.at(-1);
    const fits =
      group !== undefined &&
      bytes + segment.sizeInBytes <= maxBytes &&
      segment.endOffset - 1 - group[0]!.baseOffset <= MAX_RELATIVE_OFFSET;
    if (fits) group.push(segment);
    else groups.push([segment]);
    bytes = (fits ? bytes : 0) + segment.sizeInBytes;
  }
  return groups;
}
