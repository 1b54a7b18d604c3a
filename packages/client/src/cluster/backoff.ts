import type { Random } from '@ottla/platform';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** How much a delay may differ from its middle, so that many clients do not come back together. */
const JITTER = 0.2;

/** Kafka's exponential backoff: doubles with each failure up to the maximum, give or take 20 %. */
export function backoffMs(options: BackoffOptions, failures: number, random: Random): number {
  if (options.initialMs === 0) return 0;
  // The cap comes first, as in Kafka: when the initial delay is above it, the cap wins.
  const middle = Math.min(options.initialMs * 2 ** Math.min(failures, 30), Math.max(options.maxMs, 0));
  const factor = 1 - JITTER + (random.nextInt(1001) / 1000) * 2 * JITTER;
  return Math.min(middle * factor, Math.max(options.maxMs, options.initialMs));
}
