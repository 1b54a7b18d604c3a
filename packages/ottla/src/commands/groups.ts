import type { GroupStatus } from '@ottla/client';
import type { Command } from 'commander';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { registerGroupOffsets } from './group-offsets.ts';

/** `ottla groups`: list, describe, delete, and move what is committed. */
export function registerGroups(program: Command): void {
  const groups = program
    .command('groups')
    .description('consumer groups: list, describe with lag, delete, reset offsets');
  withClusterOptions(groups.command('list', { isDefault: true }))
    .description('every group with its type and state')
    .addHelpText('after', '\nExample:\n  ottla groups list')
    .action((options: ClusterOptions) => listGroups(options));
  withClusterOptions(groups.command('describe [group...]'))
    .description(
      'committed offsets, ends of the logs and lag of each partition; without a name of all groups',
    )
    .option('--members', 'the members and their partitions instead')
    .addHelpText('after', '\nExample:\n  ottla groups describe billing --jsonl | jq .lag')
    .action((ids: string[], options: ClusterOptions & { members?: boolean }) => describeGroups(ids, options));
  withClusterOptions(groups.command('delete <group...>'))
    .description('delete groups that have no members')
    .addHelpText('after', '\nExample:\n  ottla groups delete billing-old')
    .action((ids: string[], options: ClusterOptions) => deleteGroups(ids, options));
  registerGroupOffsets(groups);
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
    const wanted = ids.length > 0 ? ids : await consumerGroups(admin, limits);
    for (const outcome of (await admin.groups.describe(wanted, limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else found.push(outcome);
    }
    const rows = options.members === true ? found.flatMap(memberRows) : found.flatMap(offsetRows);
    await printRows(rows, options);
  });
}

/** Share groups and streams groups have commands of their own. */
async function consumerGroups(
  admin: ClusterAccess['admin'],
  limits: ClusterAccess['limits'],
): Promise<string[]> {
  const groups = await admin.groups.list(limits);
  return groups
    .filter(({ type }) => type !== 'share' && type !== 'streams')
    .map(({ groupId }) => groupId)
    .toSorted();
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
