import type { Admin, PartitionOffset } from '@ottla/client';
import { parseTimeMs } from './parse-time.ts';
import { UsageError, wholeNumber, type ClusterAccess } from '../cluster/run-on-cluster.ts';
import { ProgressLine } from '../terminal/progress-line.ts';
import { findTopic } from './find-topic.ts';

/** Where each partition is read from, and up to where. */
export interface ReadPlan {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** One after the last offset that there is now, or that the range of times allows; Infinity when it goes on. */
  readonly end: number;
}

/** What `-o` says, one or several times. */
export interface ReadRange {
  /** `beginning`, `end`, `N`, `-N`, or the time of `s@`. */
  readonly from: string | { readonly timeMs: number };
  /** The time of `e@`: records at or after it are not wanted; null when there is no such limit. */
  readonly untilMs: number | null;
}

/** Reads the values of `-o`, as kcat has them; Kafka's `earliest` and `latest` too. @throws UsageError */
export function parseRange(values: readonly string[]): ReadRange {
  let from: ReadRange['from'] | null = null;
  let untilMs: number | null = null;
  for (const text of values) {
    if (text.startsWith('e@')) untilMs = parseTimeMs(text.slice(2));
    else if (from !== null)
      throw new UsageError(`Offset "${text}" is one too many: give one, and e@TIME beside it`);
    else from = text.startsWith('s@') ? { timeMs: parseTimeMs(text.slice(2)) } : checkedStart(text);
  }
  // Who names an end without a beginning wants what is before it.
  return { from: from ?? (untilMs === null ? 'end' : 'beginning'), untilMs };
}

/** The name that kcat has for an end of the log, of which Kafka has another; anything else as it is. */
export function kcatName(text: string): string {
  if (text === 'earliest') return 'beginning';
  return text === 'latest' ? 'end' : text;
}

function checkedStart(text: string): string {
  const start = kcatName(text);
  if (/^(?:beginning|end|-?\d+)$/.test(start)) return start;
  throw new UsageError(`Offset "${text}" is none of beginning, end, N, -N, s@TIME and e@TIME`);
}

/** What is to be read. */
export interface ReadWish {
  readonly topics: readonly string[];
  readonly range: ReadRange;
  /** Only these partitions; all when absent. */
  readonly partitions?: readonly number[];
  readonly readCommitted: boolean;
  /** Up to what is the end now. */
  readonly toEnd: boolean;
}

/** Looks up where to begin and to end in every partition. A topic that somebody may still create is waited for.
 * @throws UsageError for partitions, and where there is an end for topics, that are not there */
export async function planReads(access: ClusterAccess, wish: ReadWish): Promise<ReadPlan[]> {
  const plans: ReadPlan[] = [];
  for (const topic of wish.topics) {
    const progress = new ProgressLine();
    if ((await findTopic(access, topic)) === null) {
      if (wish.toEnd)
        throw new UsageError(`Topic "${topic}" is not there; "ottla topics" shows those that are`);
      progress.keepUpdating(() => `Topic "${topic}" is not there; waiting for somebody to create it`);
    }
    try {
      plans.push(...(await planTopic(access, topic, wish)));
    } finally {
      progress.clear();
    }
  }
  return plans;
}

async function planTopic(
  { admin, limits }: ClusterAccess,
  topic: string,
  wish: ReadWish,
): Promise<ReadPlan[]> {
  const { range, partitions } = wish;
  const isolationLevel = wish.readCommitted ? 'read_committed' : 'read_uncommitted';
  const list = async (spec: Parameters<Admin['offsets']['list']>[1]): Promise<PartitionOffset[]> =>
    (await admin.offsets.list(topic, spec, { ...limits, isolationLevel })).flatMap((found) => {
      if (found.error !== null) throw found.error;
      return partitions === undefined || partitions.includes(found.partition) ? [found] : [];
    });
  const ends = await list('latest');
  if (partitions?.some((partition) => !ends.some((end) => end.partition === partition)) === true)
    throw new UsageError(
      `Topic "${topic}" has no such partition; "ottla topics describe ${topic}" shows them`,
    );
  const starts = offsetsOf(await list('earliest'));
  const atStart =
    typeof range.from === 'object' ? offsetsOf(await list({ timestampMs: range.from.timeMs })) : null;
  const atUntil = range.untilMs === null ? null : offsetsOf(await list({ timestampMs: range.untilMs }));
  return ends.map(({ partition, offset: end }) => {
    const log = { start: starts.get(partition) ?? 0, end };
    const offset = atStart === null ? startOf(range.from as string, log) : (atStart.get(partition) ?? end);
    const until = atUntil?.get(partition);
    // No record is that late yet: the time of each record decides.
    return { topic, partition, offset, end: until ?? (wish.toEnd ? end : Infinity) };
  });
}

/** Offsets by partition, without those that no record has. */
function offsetsOf(found: readonly PartitionOffset[]): Map<number, number> {
  return new Map(
    found.filter(({ offset }) => offset >= 0).map(({ partition, offset }) => [partition, offset]),
  );
}

/** The offset that `-o` means in a partition. */
function startOf(where: string, log: { readonly start: number; readonly end: number }): number {
  if (where === 'beginning') return log.start;
  if (where === 'end') return log.end;
  if (where.startsWith('-')) return Math.max(log.start, log.end + Number(where));
  return Math.min(Math.max(Number(where), log.start), log.end);
}

/** Parses a list of partitions: 0,3. @throws UsageError */
export function partitionList(text: string): number[] {
  return text.split(',').map(wholeNumber);
}
