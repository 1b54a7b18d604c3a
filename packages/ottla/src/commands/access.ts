import type { Command } from 'commander';
import { printRows } from '../cluster/print.ts';
import {
  reportFailure,
  runOnCluster,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

/** `ottla acls`, `ottla users`, `ottla quotas`: who may do what, and how much of it. They only show; they change nothing. */
export function registerAccess(program: Command): void {
  withClusterOptions(program.command('acls'))
    .description('the access control lists')
    .option('--principal <principal>', 'only of this one: User:alice')
    .addHelpText('after', '\nExample:\n  ottla acls --principal User:alice')
    .action((options: ClusterOptions & { principal?: string }) => listAcls(options));
  withClusterOptions(program.command('users'))
    .description('users with SCRAM credentials, and their mechanisms')
    .addHelpText('after', '\nExample:\n  ottla users --jsonl')
    .action((options: ClusterOptions) => listUsers(options));
  withClusterOptions(program.command('quotas'))
    .description('quotas of users, client ids and addresses')
    .addHelpText('after', '\nExample:\n  ottla quotas')
    .action((options: ClusterOptions) => listQuotas(options));
}

function listAcls(options: ClusterOptions & { principal?: string }): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const { principal } = options;
    const bindings = await admin.acls.describe(principal === undefined ? {} : { principal }, limits);
    await printRows(
      bindings.map((binding) => ({
        principal: binding.principal,
        host: binding.host,
        permission: binding.permission,
        operation: binding.operation,
        resourceType: binding.resourceType,
        patternType: binding.patternType,
        resourceName: binding.resourceName,
      })),
      options,
    );
  });
}

function listUsers(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [];
    for (const outcome of (await admin.users.describe('all', limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else
        for (const { mechanism, iterations } of outcome.credentials)
          rows.push({ user: outcome.user, mechanism, iterations });
    }
    await printRows(rows, options);
  });
}

function listQuotas(options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = (await admin.quotas.describe({}, limits)).flatMap(({ entity, limits: quotas }) =>
      Object.entries(quotas).map(([quota, value]) => ({
        // The default of a kind of entity has no name.
        entity: Object.entries(entity).map(
          ([kind, name]) => `${kind}=${typeof name === 'string' ? name : '<default>'}`,
        ),
        quota,
        value,
      })),
    );
    await printRows(rows, options);
  });
}
