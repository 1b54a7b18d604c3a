import type { GroupStatus, OffsetReset } from '@ottla/client';
import type { Command } from 'commander';
import { printRows } from '../cluster/print.ts';
import { collect } from '../collect.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

interface ResetOptions extends ClusterOptions {
  readonly topic: readonly string[];
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toCurrent?: boolean;
  readonly toOffset?: number;
  readonly toDatetime?: string;
  readonly byDuration?: string;
  readonly shiftBy?: string;
  readonly execute?: boolean;
}

/** `ottla groups`: list, describe, delete, and move what is committed. */
export function registerGroups(program: Command): void {
  const groups = program
    .command('groups')
    .description('consumer groups: list, describe with lag, delete, reset offsets');
  withClusterOptions(groups.command('list', { isDefault: true }))
    .description('every group with its type and state')
    .addHelpText('after', '\nExample:\n  ottla groups list')
    .action((options: ClusterOptions) => listGroups(options));
  withClusterOptions(groups.command('describe <group...>'))
    .description('committed offsets, ends of the logs and lag of each partition')
    .option('--members', 'the members and their partitions instead')
    .addHelpText('after', '\nExample:\n  ottla groups describe billing --jsonl | jq .lag')
    .action((ids: string[], options: ClusterOptions & { members?: boolean }) => describeGroups(ids, options));
  withClusterOptions(groups.command('delete <group...>'))
    .description('delete groups that have no members')
    .addHelpText('after', '\nExample:\n  ottla groups delete billing-old')
    .action((ids: string[], options: ClusterOptions) => deleteGroups(ids, options));
  withClusterOptions(groups.command('reset-offsets <group>'))
    .description(
      'move the committed offsets of a group without members; shows the plan, and does it with --execute',
    )
    .requiredOption('-t, --topic <topic[:partition,...]>', 'what to move; may be repeated', collect, [])
    .option('--to-earliest', 'to the beginning of the log')
    .option('--to-latest', 'to its end')
    .option('--to-current', 'to where the group is, within the log')
    .option('--to-offset <offset>', 'to this offset', wholeNumber)
    .option('--to-datetime <time>', 'to the first record at or after a time: 2026-11-26T10:00:00.000')
    .option('--by-duration <duration>', 'to the first record of the last PT1H, P7D, ...')
    .option('--shift-by <count>', 'by so many records, back when negative')
    .option('--execute', 'do it')
    .addHelpText(
      'after',
      '\nExample:\n  ottla groups reset-offsets billing -t orders --to-earliest --execute',
    )
    .action((id: string, options: ResetOptions) => resetOffsets(id, options));
}

function listGroups(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = (await admin.groups.list(limits)).map(({ groupId, type, state, protocolType }) => ({
      group: groupId,
      type,
      state,
      protocolType,
    }));
    await printRows(
      rows.sort((a, b) => (a.group < b.group ? -1 : 1)),
      options,
    );
  });
}

function describeGroups(
  ids: readonly string[],
  options: ClusterOptions & { members?: boolean },
): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const found: GroupStatus[] = [];
    for (const outcome of (await admin.groups.describe(ids, limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else found.push(outcome);
    }
    const rows = options.members === true ? found.flatMap(memberRows) : found.flatMap(offsetRows);
    await printRows(rows, options);
  });
}

function offsetRows({ groupId, state, offsets }: GroupStatus) {
  return offsets.map(({ topic, partition, committed, logEndOffset, lag, memberId }) => ({
    group: groupId,
    state,
    topic,
    partition,
    committed,
    logEndOffset,
    lag,
    memberId,
  }));
}

function memberRows({ groupId, members }: GroupStatus) {
  return members.map(({ memberId, groupInstanceId, clientId, host, assignment }) => ({
    group: groupId,
    memberId,
    groupInstanceId,
    clientId,
    host,
    partitions: assignment.map(({ topic, partition }) => `${topic}-${partition}`),
  }));
}

function deleteGroups(ids: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    for (const outcome of (await admin.groups.delete(ids, limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}

function resetOffsets(id: string, options: ResetOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const dryRun = options.execute !== true;
    const target = await resetTarget(options);
    const places = options.topic.flatMap(placesOf);
    const steps = await admin.groups.resetOffsets(id, places, target, { ...limits, dryRun });
    await printRows(
      steps.map(({ topic, partition, from, to }) => ({ group: id, topic, partition, from, to })),
      options,
    );
    if (dryRun) process.stderr.write('ottla: Nothing was changed; add --execute to do it\n');
  });
}

/** Exactly one way may be given. @throws UsageError */
async function resetTarget(options: ResetOptions): Promise<OffsetReset> {
  const given: OffsetReset[] = [];
  if (options.toEarliest === true) given.push('earliest');
  if (options.toLatest === true) given.push('latest');
  if (options.toCurrent === true) given.push('current');
  if (options.toOffset !== undefined) given.push({ offset: options.toOffset });
  if (options.toDatetime !== undefined) given.push(timeOf(options.toDatetime));
  if (options.byDuration !== undefined) given.push({ durationMs: durationMs(options.byDuration) });
  if (options.shiftBy !== undefined) given.push({ shiftBy: shift(options.shiftBy) });
  const [only, ...others] = given;
  if (only === undefined || others.length > 0)
    throw new UsageError(
      'Give one of --to-earliest, --to-latest, --to-current, --to-offset, --to-datetime, --by-duration and --shift-by',
    );
  return only;
}

/** Without a zone a time is UTC, as Kafka's tools take it. */
function timeOf(text: string): Date {
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

function placesOf(text: string): (string | { topic: string; partition: number })[] {
  const [topic = '', list] = text.split(':');
  if (list === undefined) return [topic];
  return list.split(',').map((partition) => ({ topic, partition: wholeNumber(partition) }));
}
