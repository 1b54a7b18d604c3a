import type { Random } from '@ottla/platform';
import type { ResolvedRetryOptions } from './retry-options.ts';
import { nextStage, type RetryStage } from './retry-stages.ts';

/** Where a record that failed goes, and how long it waits there. */
export interface RetryRoute {
  readonly stage: RetryStage;
  readonly delayMs: number;
}

/** A record at which a handler has failed. */
export interface FailedRecord {
  /** Index of the stage that it was read from. */
  readonly from: number;
  readonly error: unknown;
  /** 1 for the first. */
  readonly attempt: number;
  /** Since it was first produced. */
  readonly ageMs: number;
}

type RouteOptions = Pick<
  ResolvedRetryOptions,
  'attempts' | 'timeoutMs' | 'isRetriable' | 'deadLetterStrategy' | 'backOff'
>;

/** Where the record goes; null when there is no topic for it. */
export function routeAfterFailure(
  stages: readonly RetryStage[],
  { from, error, attempt, ageMs }: FailedRecord,
  { attempts, timeoutMs, isRetriable, deadLetterStrategy, backOff }: RouteOptions,
): RetryRoute | null {
  const stage = stages[from]!;
  if (stage.kind === 'dead-letter') {
    if (deadLetterStrategy === 'fail-on-error' || !isRetriable(error)) return null;
    const last = stages.findLast(({ kind }) => kind === 'retry');
    return { stage, delayMs: last?.delayMs ?? backOff.delayMs };
  }
  const isLate = timeoutMs > 0 && ageMs > timeoutMs;
  const isFinal = attempt >= attempts || isLate || !isRetriable(error);
  const to = stages[nextStage(stages, from, { error, isFinal })];
  return to === undefined ? null : { stage: to, delayMs: to.delayMs };
}

/** The delay of one record: that of its route, with the jitter, within the bounds of the back-off. */
export function drawDelayMs(
  { stage: { jitterMs }, delayMs }: RetryRoute,
  backOff: ResolvedRetryOptions['backOff'],
  random: Random,
): number {
  if (jitterMs === 0) return delayMs;
  const drawnMs = delayMs - jitterMs + random.nextInt(2 * jitterMs + 1);
  return Math.min(Math.max(drawnMs, backOff.delayMs), backOff.maxDelayMs);
}
