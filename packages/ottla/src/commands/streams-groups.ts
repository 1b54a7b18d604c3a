import type { StreamsGroupDescription } from '@ottla/client';
import type { Command } from 'commander';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { registerGroupOffsets } from './group-offsets.ts';

type DeleteOptions = ClusterOptions & { readonly deleteAllInternalTopics?: boolean };

/** `ottla streams-groups`: groups of Streams applications (KIP-1071). */
export function registerStreamsGroups(program: Command): void {
  const groups = program
    .command('streams-groups')
    .description('streams groups: list, describe, delete, reset offsets');
  withClusterOptions(groups.command('list', { isDefault: true }))
    .description('every streams group with its state')
    .addHelpText('after', '\nExample:\n  ottla streams-groups')
    .action((options: ClusterOptions) => listStreamsGroups(options));
  withClusterOptions(groups.command('describe <group...>'))
    .description('committed offsets of the input topics; or members, or topology')
    .option('--members', 'the members and their tasks instead')
    .option('--topology', 'the subtopologies and their topics instead')
    .addHelpText('after', '\nExample:\n  ottla streams-groups describe word-count --members')
    .action((ids: string[], options: ClusterOptions & { members?: boolean; topology?: boolean }) =>
      describe(ids, options),
    );
  registerGroupOffsets(groups, refuseMembers);
  withClusterOptions(groups.command('delete <group...>'))
    .description('delete streams groups that have no members')
    .option('--delete-all-internal-topics', 'their changelog and repartition topics too')
    .addHelpText('after', '\nExample:\n  ottla streams-groups delete word-count')
    .action((ids: string[], options: DeleteOptions) => deleteGroups(ids, options));
}

function listStreamsGroups(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const found = await admin.groups.list({ ...limits, types: ['streams'] });
    await printRows(
      found.map(({ groupId, state }) => ({ group: groupId, state })),
      options,
    );
  });
}

function describe(
  ids: readonly string[],
  options: ClusterOptions & { members?: boolean; topology?: boolean },
): Promise<void> {
  return runOnCluster(options, async (access) => {
    const rows = [];
    for (const outcome of (await access.admin.streamsGroups.describe(ids, access.limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else if (options.members === true) rows.push(...memberRows(outcome));
      else if (options.topology === true) rows.push(...topologyRows(outcome));
      else rows.push(...(await offsetRows(access, outcome)));
    }
    await printRows(rows, options);
  });
}

function memberRows({ groupId, state, members }: StreamsGroupDescription) {
  const tasks = (list: readonly { subtopologyId: string; partitions: readonly number[] }[]) =>
    list.flatMap(({ subtopologyId, partitions }) => partitions.map((each) => `${subtopologyId}_${each}`));
  return members.map(({ memberId, processId, clientId, host, assignment }) => ({
    group: groupId,
    state,
    memberId,
    processId,
    clientId,
    host,
    active: tasks(assignment.activeTasks),
    standby: tasks(assignment.standbyTasks),
    warmup: tasks(assignment.warmupTasks),
  }));
}

function topologyRows({ groupId, topologyEpoch, subtopologies }: StreamsGroupDescription) {
  return subtopologies.map((each) => ({
    group: groupId,
    topologyEpoch,
    subtopology: each.subtopologyId,
    sourceTopics: each.sourceTopics,
    repartitionSinkTopics: each.repartitionSinkTopics,
    repartitionSourceTopics: each.repartitionSourceTopics,
    stateChangelogTopics: each.stateChangelogTopics,
  }));
}

async function offsetRows({ admin, limits }: ClusterAccess, { groupId, state }: StreamsGroupDescription) {
  const committed = (await admin.groups.offsets(groupId, limits)).flatMap((each) => {
    if (each.error !== null) reportFailure(each.error);
    return each.error === null ? [each] : [];
  });
  const ends = await admin.offsets.listPartitions(
    committed.map(({ topic, partition }) => ({ topic, partition, spec: 'latest' as const })),
    limits,
  );
  return committed.map(({ topic, partition, offset }) => {
    const end = ends.find((each) => each.topic === topic && each.partition === partition);
    const logEndOffset = end?.error === null ? end.offset : null;
    const lag = logEndOffset === null ? null : Math.max(0, logEndOffset - offset);
    return { group: groupId, state, topic, partition, committed: offset, logEndOffset, lag };
  });
}

/** Members would go on from where they are, and commit over what was moved. */
async function refuseMembers({ admin, limits }: ClusterAccess, groupId: string): Promise<void> {
  const { members } = await admin.streamsGroups.describe(groupId, limits);
  if (members.length > 0)
    throw new UsageError(
      `Streams group "${groupId}" has ${members.length} members; stop the application before its offsets are reset`,
    );
}

function deleteGroups(ids: readonly string[], options: DeleteOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const described =
      options.deleteAllInternalTopics === true ? await admin.streamsGroups.describe(ids, limits) : undefined;
    const topics: string[] = [];
    for (const [id, outcome] of await admin.groups.delete(ids, limits)) {
      if (outcome instanceof Error) reportFailure(outcome);
      else topics.push(...internalTopics(described?.get(id)));
    }
    if (topics.length === 0) return;
    for (const outcome of (await admin.topics.delete(topics, limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}

function internalTopics(group: StreamsGroupDescription | Error | undefined): string[] {
  if (group === undefined || group instanceof Error) return [];
  return group.subtopologies.flatMap(({ repartitionSourceTopics, stateChangelogTopics }) => [
    ...repartitionSourceTopics,
    ...stateChangelogTopics,
  ]);
}
