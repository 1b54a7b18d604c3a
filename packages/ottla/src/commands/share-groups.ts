import type { Command } from 'commander';
import { printRows } from '../cluster/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

/** `ottla share-groups`: groups whose members share partitions (KIP-932). */
export function registerShareGroups(program: Command): void {
  const groups = program
    .command('share-groups')
    .description('share groups: list, and describe their members');
  withClusterOptions(groups.command('list', { isDefault: true }))
    .description('every share group with its state')
    .addHelpText('after', '\nExample:\n  ottla share-groups')
    .action((options: ClusterOptions) => listShareGroups(options));
  withClusterOptions(groups.command('describe <group...>'))
    .description('the members of share groups and their partitions')
    .addHelpText('after', '\nExample:\n  ottla share-groups describe workers')
    .action((ids: string[], options: ClusterOptions) => describeShareGroups(ids, options));
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

function describeShareGroups(ids: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [];
    for (const outcome of (await admin.shareGroups.describe(ids, limits)).values()) {
      if (outcome instanceof Error) {
        reportFailure(outcome);
        continue;
      }
      for (const { memberId, clientId, host, assignment } of outcome.members) {
        const partitions = assignment.map(({ topic, partition }) => `${topic}-${partition}`);
        rows.push({ group: outcome.groupId, state: outcome.state, memberId, clientId, host, partitions });
      }
    }
    await printRows(rows, options);
  });
}
