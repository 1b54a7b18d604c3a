import type { AclBinding, AclFilter } from '@ottla/client';
import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { collect } from '../collect.ts';
import { bindingsOf, filtersOf, removalsOf, type AclOptions } from './acl-rules.ts';

/** `ottla acls`: who may do what; the options are those of kafka-acls.sh. */
export function registerAcls(program: Command): void {
  const acls = program.command('acls').description('access control lists: list, add, remove');
  withResources(withClusterOptions(acls.command('list', { isDefault: true })))
    .description('the rules there are: all, or those of resources and principals')
    .option('--principal <principal>', 'only of this one: User:alice; may be repeated', collect, [])
    .addHelpText('after', '\nExample:\n  ottla acls list --topic orders --resource-pattern-type match')
    .action((options: AclOptions & { principal: readonly string[] }) => listAcls(options));
  withHolders(withResources(withClusterOptions(acls.command('add'))))
    .description('allow or deny principals operations on resources')
    .option('--dry-run', 'show what would be added, and add nothing')
    .addHelpText(
      'after',
      '\nExample:\n  ottla acls add --allow-principal User:alice --consumer --topic orders --group billing',
    )
    .action((options: AclOptions & { dryRun?: boolean }) => addAcls(options));
  withConfirmation(withHolders(withResources(withClusterOptions(acls.command('remove')))))
    .description('remove the rules of resources: all of them, or those of principals and operations')
    .addHelpText(
      'after',
      '\nExample:\n  ottla acls remove --topic orders --allow-principal User:alice --dry-run',
    )
    .action((options: AclOptions & ConfirmOptions) => removeAcls(options));
}

function withResources(command: Command): Command {
  return command
    .option('--topic <topic>', 'may be repeated; * is every topic', collect, [])
    .option('--group <group>', 'may be repeated', collect, [])
    .option('--cluster', 'the cluster as a whole')
    .option('--transactional-id <id>', 'may be repeated', collect, [])
    .option('--delegation-token <token>', 'may be repeated', collect, [])
    .option('--user-principal <principal>', 'a user as a resource: for delegation tokens', collect, [])
    .option(
      '--resource-pattern-type <type>',
      'how names are meant: literal, prefixed; to find also any, match (default: literal)',
    );
}

function withHolders(command: Command): Command {
  return command
    .option('--allow-principal <principal>', 'User:alice; may be repeated', collect, [])
    .option('--deny-principal <principal>', 'denials go before what is allowed', collect, [])
    .option('--allow-host <address>', 'from where (default: *)', collect, [])
    .option('--deny-host <address>', 'from where (default: *)', collect, [])
    .option('--operation <operation>', 'Read, Write, DescribeConfigs, ... (default: All)', collect, [])
    .option('--producer', 'all that a producer needs: write, describe and create the topic')
    .option('--idempotent', 'with --producer: idempotent writes, where brokers are older than 3.0')
    .option('--consumer', 'all that a consumer needs: read and describe the topic, read with the group');
}

function rowOf(binding: AclBinding) {
  const { principal, host, permission, operation, resourceType, patternType, resourceName } = binding;
  return { principal, host, permission, operation, resourceType, patternType, resourceName };
}

function listAcls(options: AclOptions & { principal: readonly string[] }): Promise<void> {
  return runOnCluster(options, async (access) => {
    await printRows((await matching(access, filtersOf(options))).map(rowOf), options);
  });
}

/** What the filters match, each binding once. */
async function matching(
  { admin, limits }: Parameters<Parameters<typeof runOnCluster>[1]>[0],
  filters: readonly AclFilter[],
): Promise<AclBinding[]> {
  const found = new Map<string, AclBinding>();
  for (const filter of filters)
    for (const binding of await admin.acls.describe(filter, limits))
      found.set(JSON.stringify(rowOf(binding)), binding);
  return [...found.values()];
}

function addAcls(options: AclOptions & { dryRun?: boolean }): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const bindings = bindingsOf(options);
    if (options.dryRun !== true) await admin.acls.create(bindings, limits);
    await printRows(bindings.map(rowOf), options);
  });
}

function removeAcls(options: AclOptions & ConfirmOptions & ClusterOptions): Promise<void> {
  return runOnCluster(options, async (access) => {
    const filters = removalsOf(options);
    const bindings = await matching(access, filters);
    await printRows(bindings.map(rowOf), options);
    if (bindings.length === 0 || !(await confirmed(`Remove these ${bindings.length} rules`, options))) return;
    for (const outcome of (await access.admin.acls.delete(filters, access.limits)).values())
      if (outcome instanceof Error) reportFailure(outcome);
  });
}
