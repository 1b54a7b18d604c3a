import { UsageError } from '../cluster/run-on-cluster.ts';

/**
 * A moment in milliseconds since the epoch: such a number, or a date as ISO 8601 has it, which is in UTC when it names no zone.
 * @throws UsageError for anything else
 */
export function parseTimeMs(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text);
  const hasTime = text.includes('T');
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text)
    ? Date.parse(hasTime && !hasZone ? `${text}Z` : text)
    : Number.NaN;
  if (Number.isNaN(ms) || ms < 0)
    throw new UsageError(
      `Time "${text}" is neither milliseconds since 1970 nor a date like 2026-01-31T12:00:00Z`,
    );
  return ms;
}
