import { ErrorCodes } from '@ottla/protocol';
import { LogError } from '@ottla/storage';
import type { Partition } from '../replica/partition.ts';

const BY_DURATION = 'by_duration:';
/** ISO 8601 as Java's `Duration` writes it: days, hours, minutes and seconds. */
const DURATION = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/i;

/**
 * Where a group begins in a partition that it never read: by `share.auto.offset.reset`.
 * @throws LogError when the log that has to be looked into is offline or cannot be read
 */
export async function initialShareOffset(
  partition: Partition,
  reset: string,
  nowMs: number,
): Promise<number> {
  const strategy = reset.toLowerCase();
  const end = Math.max(0, partition.highWatermark);
  if (strategy === 'earliest') return partition.log?.logStartOffset ?? 0;
  if (!strategy.startsWith(BY_DURATION)) return end;
  if (partition.log === null) throw new LogError(ErrorCodes.KAFKA_STORAGE_ERROR, 'The log is offline');
  const found = await partition.offsetForTimestamp(nowMs - durationMs(reset.slice(BY_DURATION.length)));
  return found.offset === -1 ? end : found.offset;
}

function durationMs(text: string): number {
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = DURATION.exec(text) ?? [];
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}
