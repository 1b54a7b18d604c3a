import { matchesAny, type FailureMatch } from './failure-match.ts';
import type { ResolvedRetryOptions } from './retry-options.ts';

/**
 * One of the places that a record goes through:
 *
 * ```
 * orders -> orders-retry-1000 -> orders-retry-2000 -> orders-retry-4000 (again and again while it stays at 4 s) -> orders-dlt
 * main      retry                retry                retry, reused                                               dead-letter
 * ```
 */
export interface RetryStage {
  readonly kind: 'main' | 'retry' | 'dead-letter';
  /** Of the topics and of the consumer group. */
  readonly suffix: string;
  /** Until the attempt that is made from this topic. */
  readonly delayMs: number;
  /** How far the delay of one record may be off. */
  readonly jitterMs: number;
  /** Takes the records again that fail here, while attempts are left. */
  readonly isReused: boolean;
  /** Of a dead-letter topic: the errors that it is for; null: all that no other one is for. */
  readonly failures: readonly FailureMatch[] | null;
}

type StageOptions = Pick<
  ResolvedRetryOptions,
  | 'attempts'
  | 'backOff'
  | 'retrySuffix'
  | 'deadLetterSuffix'
  | 'suffixBy'
  | 'isSingleTopic'
  | 'deadLetterStrategy'
  | 'deadLetterRouting'
>;

/** The stages in order, named as Spring names them; the first is the main topic. */
export function retryStages(options: StageOptions): RetryStage[] {
  const delays = delaysOf(options);
  const { isSingleTopic, deadLetterStrategy, deadLetterSuffix, deadLetterRouting } = options;
  const last = delays.at(-1);
  // Equal delays can only stand at the end: a multiplier of 1, or the greatest delay.
  const reuses = isSingleTopic && last !== undefined ? countOf(delays, last) - 1 : 0;
  const topicCount = delays.length - reuses;
  const stages: RetryStage[] = [stage('main', '')];
  for (const [index, delayMs] of delays.slice(0, topicCount).entries()) {
    const jitterMs = jitterOf(options, delayMs);
    const suffix = suffixOf(options, { delays, index, topicCount });
    const isReused = isSingleTopic && countOf(delays, delayMs) > 1;
    stages.push({ ...stage('retry', suffix), delayMs, jitterMs, isReused });
  }
  if (deadLetterStrategy === 'no-dlt') return stages;
  for (const [name, failures] of deadLetterRouting)
    stages.push({ ...stage('dead-letter', name + deadLetterSuffix), failures });
  stages.push(stage('dead-letter', deadLetterSuffix));
  return stages;
}

/** The index of the stage for a record that failed in stage `from`; -1 when there is none for it. */
export function nextStage(
  stages: readonly RetryStage[],
  from: number,
  failure: { readonly error: unknown; readonly isFinal: boolean },
): number {
  const current = stages[from]!;
  if (!failure.isFinal && current.isReused) return from;
  if (!failure.isFinal && stages[from + 1]?.kind === 'retry') return from + 1;
  return stages.findIndex(
    ({ kind, failures }) =>
      kind === 'dead-letter' && (failures === null || matchesAny(failure.error, failures)),
  );
}

function stage(kind: RetryStage['kind'], suffix: string): RetryStage {
  return { kind, suffix, delayMs: 0, jitterMs: 0, isReused: false, failures: null };
}

/** What is waited before the second attempt, the third, ... */
function delaysOf({ attempts, backOff }: StageOptions): number[] {
  const { delayMs, multiplier, maxDelayMs } = backOff;
  return Array.from({ length: attempts - 1 }, (_, index) =>
    Math.floor(Math.min(maxDelayMs, delayMs * multiplier ** index)),
  );
}

/** It grows as the delay has grown. */
function jitterOf({ backOff }: StageOptions, delayMs: number): number {
  const { jitterMs } = backOff;
  return backOff.delayMs === 0 ? jitterMs : Math.floor(jitterMs * (delayMs / backOff.delayMs));
}

function suffixOf(
  { retrySuffix, suffixBy, isSingleTopic }: StageOptions,
  { delays, index, topicCount }: { delays: readonly number[]; index: number; topicCount: number },
): string {
  if (isSingleTopic && topicCount === 1) return retrySuffix;
  const isFixed = delays.length > 1 && new Set(delays).size === 1;
  if (suffixBy === 'index' || isFixed) return `${retrySuffix}-${index}`;
  const delayMs = delays[index]!;
  const isRepeated = !isSingleTopic && countOf(delays, delayMs) > 1;
  const suffix = `${retrySuffix}-${delayMs}`;
  return isRepeated ? `${suffix}-${index - delays.indexOf(delayMs)}` : suffix;
}

function countOf(delays: readonly number[], delayMs: number): number {
  return delays.filter((each) => each === delayMs).length;
}
