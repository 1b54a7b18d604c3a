import { ErrorCodes } from '@ottla/protocol';
import { LogError } from '../errors.ts';
import type { ProducerBatch } from '../producers/producer-entry.ts';
import type { LogAppendInfo } from '../types.ts';

/** What an append is told that repeats a batch: where the batch was written the first time. */
export function duplicateInfo(duplicate: ProducerBatch, logStartOffset: number): LogAppendInfo {
  return {
    firstOffset: duplicate.firstOffset,
    lastOffset: duplicate.lastOffset,
    logAppendTimeMs: duplicate.timestamp,
    maxTimestamp: duplicate.timestamp,
    logStartOffset,
    sizeInBytes: 0,
    duplicate: true,
  };
}

/** The refusal of an append that no segment of the log could hold. */
export function tooLargeForSegment(
  bytes: number,
  { name, segmentBytes }: { name: string; segmentBytes: number },
): LogError {
  return new LogError(
    ErrorCodes.RECORD_LIST_TOO_LARGE,
    `Message batch size is ${bytes} bytes in append to partition ${name}, which exceeds the maximum configured ` +
      `segment size of ${segmentBytes}`,
  );
}
