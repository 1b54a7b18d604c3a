import type { ShareGroupDescription } from '@ottla/client';
import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { collect } from '../collect.ts';
import { scopeOf, timeOf, withScope, type ResetPlace, type ScopeOptions } from './reset-options.ts';

interface ResetOptions extends ClusterOptions, ScopeOptions {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toDatetime?: string;
  readonly execute?: boolean;
}

type DeleteOffsetsOptions = ClusterOptions & ConfirmOptions & { readonly topic: readonly string[] };

/** `ottla share-groups`: groups whose members share partitions (KIP-932). */
export function registerShareGroups(program: Command): void {
  const groups = program
    .command('share-groups')
    .description('share groups: list, describe, delete, reset offsets');
  withClusterOptions(groups.command('list', { isDefault: true }))
    .description('every share group with its state')
    .addHelpText('after', '\nExample:\n  ottla share-groups')
    .action((options: ClusterOptions) => listShareGroups(options));
  withClusterOptions(groups.command('describe <group...>'))
    .description('where share groups begin to read in each partition, and how many records are left')
    .option('--members', 'the members and their partitions instead')
    .addHelpText('after', '\nExample:\n  ottla share-groups describe workers')
    .action((ids: string[], options: ClusterOptions & { members?: boolean }) => describe(ids, options));
  withScope(withClusterOptions(groups.command('reset-offsets <group>')))
    .description('move where a group without members reads; shows the plan, and does it with --execute')
    .option('--to-earliest', 'to the beginning of the log')
    .option('--to-latest', 'to its end')
    .option('--to-datetime <time>', 'to the first record at or after a time: 2026-11-26T10:00:00.000')
    .option('--execute', 'do it')
    .addHelpText(
      'after',
      '\nExample:\n  ottla share-groups reset-offsets workers -t orders --to-latest --execute',
    )
    .action((id: string, options: ResetOptions) => resetOffsets(id, options));
  withConfirmation(withClusterOptions(groups.command('delete-offsets <group>')))
    .description('forget where a group without members is in topics')
    .option('-t, --topic <topic>', 'may be repeated', collect, [])
    .addHelpText('after', '\nExample:\n  ottla share-groups delete-offsets workers -t orders-old')
    .action((id: string, options: DeleteOffsetsOptions) => deleteOffsets(id, options));
  withClusterOptions(groups.command('delete <group...>'))
    .description('delete share groups that have no members')
    .addHelpText('after', '\nExample:\n  ottla share-groups delete workers-old')
    .action((ids: string[], options: ClusterOptions) => deleteGroups(ids, options));
}

function listShareGroups(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const found = await admin.groups.list({ ...limits, types: ['share'] });
    await printRows(
      found.map(({ groupId, state }) => ({ group: groupId, state })),
      options,
    );
  });
}

function describe(ids: readonly string[], options: ClusterOptions & { members?: boolean }): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    const rows = [];
    for (const outcome of (await admin.shareGroups.describe(ids, limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else if (options.members === true) rows.push(...memberRows(outcome));
      else rows.push(...(await offsetRows(access, outcome)));
    }
    await printRows(rows, options);
  });
}

function memberRows({ groupId, state, members }: ShareGroupDescription) {
  return members.map(({ memberId, clientId, host, assignment }) => {
    const partitions = assignment.map(({ topic, partition }) => `${topic}-${partition}`);
    return { group: groupId, state, memberId, clientId, host, partitions };
  });
}

async function offsetRows({ admin, limits }: ClusterAccess, { groupId, state }: ShareGroupDescription) {
  const rows = [];
  for (const each of await admin.shareGroups.offsets(groupId, limits)) {
    if (each.error !== null) {
      reportFailure(each.error);
      continue;
    }
    const { topic, partition, startOffset, lag } = each;
    rows.push({
      group: groupId,
      state,
      topic,
      partition,
      startOffset: startOffset < 0 ? null : startOffset,
      lag,
    });
  }
  return rows;
}

function resetOffsets(id: string, options: ResetOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    const spec = specOf(options);
    const begun = await startOffsets(access, id);
    const scope = await scopeOf(options, async () =>
      begun.map(({ topic, partition }) => ({ topic, partition })),
    );
    const places = await wholeTopics(access, scope);
    const steps = [];
    for (const found of await admin.offsets.listPartitions(
      places.map((place) => ({ ...place, spec })),
      limits,
    )) {
      if (found.error !== null) throw found.error;
      const { topic, partition } = found;
      // No record is that young: the group goes on with the next one.
      const to = found.offset >= 0 ? found.offset : await endOf(access, { topic, partition });
      const own = begun.find((each) => each.topic === topic && each.partition === partition);
      steps.push({ group: id, topic, partition, from: own?.startOffset ?? null, to });
    }
    if (options.execute === true) {
      const moves = steps.map(({ topic, partition, to }) => ({ topic, partition, startOffset: to }));
      for (const { error } of await admin.shareGroups.alterOffsets(id, moves, limits))
        if (error !== null) reportFailure(error);
    } else process.stderr.write('ottla: Nothing was changed; add --execute to do it\n');
    await printRows(steps, options);
  });
}

function specOf({ toEarliest, toLatest, toDatetime }: ResetOptions): 'earliest' | 'latest' | Date {
  const given = [
    ...(toEarliest === true ? (['earliest'] as const) : []),
    ...(toLatest === true ? (['latest'] as const) : []),
    ...(toDatetime === undefined ? [] : [timeOf(toDatetime)]),
  ];
  const [only, ...others] = given;
  if (only === undefined || others.length > 0)
    throw new UsageError('Give one of --to-earliest, --to-latest and --to-datetime');
  return only;
}

/** Where the group has begun. */
async function startOffsets({ admin, limits }: ClusterAccess, id: string) {
  const offsets = await admin.shareGroups.offsets(id, limits);
  return offsets.flatMap((each) => (each.error === null && each.startOffset >= 0 ? [each] : []));
}

async function wholeTopics(
  { admin, limits }: ClusterAccess,
  scope: readonly ResetPlace[],
): Promise<{ topic: string; partition: number }[]> {
  const places = scope.flatMap((place) => (typeof place === 'string' ? [] : [place]));
  const names = scope.flatMap((place) => (typeof place === 'string' ? [place] : []));
  if (names.length === 0) return places;
  for (const [topic, outcome] of await admin.topics.describe(names, limits)) {
    if (outcome instanceof Error) throw outcome;
    places.push(...outcome.partitions.map(({ partition }) => ({ topic, partition })));
  }
  return places;
}

async function endOf(
  { admin, limits }: ClusterAccess,
  place: { readonly topic: string; readonly partition: number },
): Promise<number> {
  const [end] = await admin.offsets.listPartitions([{ ...place, spec: 'latest' }], limits);
  if (end === undefined || end.error !== null)
    throw end?.error ?? new UsageError(`Nobody answered for ${place.topic}-${place.partition}`);
  return end.offset;
}

function deleteOffsets(id: string, options: DeleteOffsetsOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    if (options.topic.length === 0) throw new UsageError('Name topics with --topic');
    const found = (await startOffsets(access, id)).filter(({ topic }) => options.topic.includes(topic));
    await printRows(
      found.map(({ topic, partition, startOffset }) => ({ group: id, topic, partition, startOffset })),
      options,
    );
    if (!(await confirmed(`Forget where "${id}" is in ${options.topic.join(', ')}`, options))) return;
    for (const outcome of (await admin.shareGroups.deleteOffsets(id, options.topic, limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}

function deleteGroups(ids: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    for (const outcome of (await admin.groups.delete(ids, limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}
