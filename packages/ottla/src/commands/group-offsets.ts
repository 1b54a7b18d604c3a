import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterAccess,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import {
  resetTarget,
  scopeOf,
  withResetWays,
  withScope,
  type ResetPlace,
  type ResetWays,
  type ScopeOptions,
} from './reset-options.ts';

/** Options of `reset-offsets`. */
export interface ResetOptions extends ClusterOptions, ScopeOptions, ResetWays {
  readonly execute?: boolean;
  readonly export?: boolean;
}

/** Adds `reset-offsets` and `delete-offsets`; `prepare` runs before anything is moved, and throws when the group must not be touched. */
export function registerGroupOffsets(
  groups: Command,
  prepare: (access: ClusterAccess, groupId: string) => Promise<void> = async () => {},
): void {
  const name = groups.name();
  withResetWays(withScope(withClusterOptions(groups.command('reset-offsets <group>'))))
    .description(
      'move the committed offsets of a group without members; shows the plan, and does it with --execute',
    )
    .option('--execute', 'do it')
    .option('--export', 'print lines for --from-file')
    .addHelpText(
      'after',
      `\nExamples:\n  ottla ${name} reset-offsets billing -t orders --to-earliest --execute\n  ottla ${name} reset-offsets billing --all-topics --to-current --export > offsets.csv`,
    )
    .action((id: string, options: ResetOptions) =>
      runOnCluster(options, async (access) => {
        await prepare(access, id);
        await resetOffsets(access, id, options);
      }),
    );
  withConfirmation(withScope(withClusterOptions(groups.command('delete-offsets <group>'))))
    .description('forget what a group has committed for topics that it is not subscribed to')
    .addHelpText('after', `\nExample:\n  ottla ${name} delete-offsets billing -t orders-old --force`)
    .action((id: string, options: ClusterOptions & ScopeOptions & ConfirmOptions) =>
      deleteOffsets(id, options),
    );
}

async function resetOffsets(access: ClusterAccess, id: string, options: ResetOptions): Promise<void> {
  const { admin, limits } = access;
  const dryRun = options.execute !== true;
  const target = await resetTarget(options, id);
  // A file says itself what it moves.
  const places =
    Array.isArray(target) && options.topic.length === 0
      ? (target as readonly { topic: string; partition: number }[])
      : await scopeOf(options, () => committedPlaces(access, id));
  const steps = await admin.groups.resetOffsets(id, places, target, { ...limits, dryRun });
  if (options.export === true)
    process.stdout.write(steps.map(({ topic, partition, to }) => `${topic},${partition},${to}\n`).join(''));
  else
    await printRows(
      steps.map(({ topic, partition, from, to }) => ({ group: id, topic, partition, from, to })),
      options,
    );
  if (dryRun) process.stderr.write('ottla: Nothing was changed; add --execute to do it\n');
}

async function committedPlaces({ admin, limits }: ClusterAccess, id: string): Promise<ResetPlace[]> {
  return (await admin.groups.offsets(id, limits)).map(({ topic, partition }) => ({ topic, partition }));
}

function deleteOffsets(id: string, options: ClusterOptions & ScopeOptions & ConfirmOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const { admin, limits } = access;
    const places = await scopeOf(options, () => committedPlaces(access, id));
    const isIn = ({ topic, partition }: { readonly topic: string; readonly partition: number }) =>
      places.some((place) =>
        typeof place === 'string' ? place === topic : place.topic === topic && place.partition === partition,
      );
    const found = (await admin.groups.offsets(id, limits)).filter(isIn);
    await printRows(
      found.map((each) => ({
        group: id,
        topic: each.topic,
        partition: each.partition,
        committed: each.error === null ? each.offset : null,
      })),
      options,
    );
    if (found.length === 0 || !(await confirmed(`Forget these ${found.length} offsets`, options))) return;
    for (const { error } of await admin.groups.deleteOffsets(id, found, limits))
      if (error !== null) reportFailure(error);
  });
}
