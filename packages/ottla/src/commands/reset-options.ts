import type { OffsetReset } from '@ottla/client';
import type { Command } from 'commander';
import { UsageError, wholeNumber } from '../cluster/run-on-cluster.ts';
import { collect } from '../collect.ts';

/** A partition, or with only a topic all of its partitions. */
export type ResetPlace = string | { readonly topic: string; readonly partition: number };

/** What offsets are moved. */
export interface ScopeOptions {
  readonly topic: readonly string[];
  readonly allTopics?: boolean;
}

/** Where offsets are moved to: one of these. */
export interface ResetWays {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toCurrent?: boolean;
  readonly toOffset?: number;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
  readonly fromFile?: string;
}

/** Adds the options that say what is moved. */
export function withScope(command: Command): Command {
  return command
    .option('-t, --topic <topic[:partition,...]>', 'what to move; may be repeated', collect, [])
    .option('--all-topics', 'all that the group has offsets for');
}

/** Adds all of Kafka's ways to say where to. */
export function withResetWays(command: Command): Command {
  return command
    .option('--to-earliest', 'to the beginning of the log')
    .option('--to-latest', 'to its end')
    .option('--to-current', 'to where the group is, within the log')
    .option('--to-offset <offset>', 'to this offset', wholeNumber)
    .option('--to-datetime <time>', 'to the first record at or after a time: 2026-11-26T10:00:00.000')
    .option('--by-duration <duration>', 'to the first record of the last PT1H, P7D, ...')
    .option('--shift-by <count>', 'by so many records, back when negative')
    .option('--from-file <file>', 'to the offsets in a file of lines topic,partition,offset');
}

/** The way that is given. @throws UsageError unless it is exactly one */
export async function resetTarget(options: ResetWays, groupId: string): Promise<OffsetReset> {
  const given: (OffsetReset | Promise<OffsetReset>)[] = [];
  if (options.toEarliest === true) given.push('earliest');
  if (options.toLatest === true) given.push('latest');
  if (options.toCurrent === true) given.push('current');
  if (options.toOffset !== undefined) given.push({ offset: options.toOffset });
  if (options.toDatetime !== undefined) given.push(timeOf(options.toDatetime));
  if (options.byDuration !== undefined) given.push({ durationMs: durationMs(options.byDuration) });
  if (options.shiftBy !== undefined) given.push({ shiftBy: shift(options.shiftBy) });
  if (options.fromFile !== undefined) given.push(offsetsInFile(options.fromFile, groupId));
  const [only, ...others] = given;
  if (only === undefined || others.length > 0)
    throw new UsageError(
      'Give one of --to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration, --shift-by and --from-file',
    );
  return only;
}

/** The partitions that are named. @throws UsageError when nothing is, or twice */
export async function scopeOf(
  options: ScopeOptions,
  all: () => Promise<readonly ResetPlace[]>,
): Promise<ResetPlace[]> {
  const { topic, allTopics = false } = options;
  if (topic.length > 0 === allTopics) throw new UsageError('Give either --topic or --all-topics');
  if (!allTopics) return topic.flatMap(placesOf);
  const found = await all();
  if (found.length === 0) throw new UsageError('The group has no offsets; name topics with --topic');
  return [...found];
}

/** Without a zone a time is UTC, as Kafka's tools take it. @throws UsageError */
export function timeOf(text: string): Date {
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T');
  const time = new Date(hasZone ? text : `${text}Z`);
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`"${text}" is no time; write 2026-11-26T10:00:00.000`);
  return time;
}

/** Days, hours, minutes and seconds of ISO 8601, in milliseconds. */
function durationMs(text: string): number {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text);
  if (match === null || match.slice(1).every((part) => part === undefined))
    throw new UsageError(`"${text}" is no duration; write PT1H, P7D, ...`);
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return (((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1000;
}

function shift(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new UsageError(`"${text}" is not a whole number`);
  return Number(text);
}

function placesOf(text: string): ResetPlace[] {
  const [topic = '', list] = text.split(':');
  if (list === undefined) return [topic];
  return list.split(',').map((partition) => ({ topic, partition: wholeNumber(partition) }));
}

async function offsetsInFile(file: string, groupId: string): Promise<OffsetReset> {
  const { NodeDisk } = await import('@ottla/platform');
  return parseOffsets(new NodeDisk().readFileSync(file).toString(), groupId);
}

/**
 * Reads what kafka-consumer-groups.sh exports: lines `topic,partition,offset`, or with the group before them, of which those of other
 * groups are passed over. Names of topics and offsets need no quotes; quotes of other writers are taken.
 * @throws UsageError that names the line
 */
export function parseOffsets(
  text: string,
  groupId: string,
): { topic: string; partition: number; offset: number }[] {
  const offsets = new Map<string, { topic: string; partition: number; offset: number }>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue;
    const [, group, topic, partition, offset] =
      /^(?:("[^"]*"|[^",]*),)?("[\w.-]+"|[\w.-]+),"?(\d+)"?,"?(\d+)"?\s*$/.exec(line) ?? [];
    if (topic === undefined)
      throw new UsageError(`Line ${index + 1} is not topic,partition,offset: "${line}"`);
    if (group !== undefined && unquoted(group) !== groupId) continue;
    const place = { topic: unquoted(topic), partition: Number(partition), offset: Number(offset) };
    if (!Number.isSafeInteger(place.offset))
      throw new UsageError(`Line ${index + 1} has an offset that is too large: "${offset}"`);
    if (offsets.has(`${place.topic}-${place.partition}`))
      throw new UsageError(`Line ${index + 1} names ${place.topic}-${place.partition} for the second time`);
    offsets.set(`${place.topic}-${place.partition}`, place);
  }
  if (offsets.size === 0) throw new UsageError(`The file has no offsets for group "${groupId}"`);
  return [...offsets.values()];
}

function unquoted(text: string): string {
  return text.replaceAll('"', '');
}
