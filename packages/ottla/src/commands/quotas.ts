import type { QuotaEntity, QuotaEntry, QuotaFilter } from '@ottla/client';
import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  runOnCluster,
  UsageError,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';
import { collect } from '../collect.ts';

interface EntityOptions extends ClusterOptions {
  readonly user?: string;
  readonly userDefault?: boolean;
  readonly clientId?: string;
  readonly clientIdDefault?: boolean;
  readonly ip?: string;
  readonly ipDefault?: boolean;
}

interface AlterOptions extends EntityOptions {
  readonly set: readonly string[];
  readonly unset: readonly string[];
  readonly dryRun?: boolean;
}

/** `ottla quotas`: how much users, client ids and addresses may use (KIP-546, KIP-612). */
export function registerQuotas(program: Command): void {
  const quotas = program
    .command('quotas')
    .description('quotas of users, client ids and addresses: list, alter, delete');
  withEntity(withClusterOptions(quotas.command('list', { isDefault: true })))
    .description('all quotas, or those of an entity')
    .addHelpText('after', '\nExample:\n  ottla quotas list --user alice')
    .action((options: EntityOptions) => listQuotas(options));
  withEntity(withClusterOptions(quotas.command('alter')))
    .description('set quotas of an entity, or take them away')
    .option('--set <quota=value>', 'producer_byte_rate=1048576, ...; may be repeated', collect, [])
    .option('--unset <quota>', 'may be repeated', collect, [])
    .option('--dry-run', 'let the cluster check it, and change nothing')
    .addHelpText(
      'after',
      `
Quotas: producer_byte_rate, consumer_byte_rate (bytes a second), request_percentage, controller_mutation_rate,
of addresses connection_creation_rate.

Example:
  ottla quotas alter --user alice --client-id-default --set producer_byte_rate=1048576`,
    )
    .action((options: AlterOptions) => alterQuotas(options));
  withConfirmation(withEntity(withClusterOptions(quotas.command('delete'))))
    .description('take all quotas of an entity away')
    .addHelpText('after', '\nExample:\n  ottla quotas delete --ip 10.0.0.7 --force')
    .action((options: EntityOptions & ConfirmOptions) => deleteQuotas(options));
}

function withEntity(command: Command): Command {
  return command
    .option('--user <name>', 'of this user')
    .option('--user-default', 'of users that have none of their own')
    .option('--client-id <id>', 'of this client id; with a user: of that user with it')
    .option('--client-id-default', 'of client ids that have none of their own')
    .option('--ip <address>', 'of this address')
    .option('--ip-default', 'of addresses that have none of their own');
}

function rowsOf(entries: readonly QuotaEntry[]) {
  return entries.flatMap(({ entity, limits }) =>
    Object.entries(limits).map(([quota, value]) => ({ entity: partNames(entity), quota, value })),
  );
}

/** The parts of an entity, always in the same order; the default of a kind has no name. */
function partNames(entity: QuotaEntity): string[] {
  return (['user', 'client-id', 'ip'] as const).flatMap((kind) => {
    const name = entity[kind];
    return name === undefined ? [] : [`${kind}=${name ?? '<default>'}`];
  });
}

function listQuotas(options: EntityOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    await printRows(rowsOf(await admin.quotas.describe(partsOf(options), limits)), options);
  });
}

function alterQuotas(options: AlterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const changes: Record<string, number | null> = {};
    for (const text of options.set) {
      const [, name = '', value] = /^([^=]+)=(\d+(?:\.\d+)?)$/.exec(text) ?? [];
      if (value === undefined) throw new UsageError(`"${text}" is not of the form quota=number`);
      changes[name] = Number(value);
    }
    for (const name of options.unset) changes[name] = null;
    if (Object.keys(changes).length === 0)
      throw new UsageError('Nothing to change: give --set quota=number or --unset quota');
    const validateOnly = options.dryRun === true;
    await admin.quotas.alter(entityOf(options), changes, { ...limits, validateOnly });
  });
}

function deleteQuotas(options: EntityOptions & ConfirmOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const entity = entityOf(options);
    const found = await admin.quotas.describe(entity, { ...limits, strict: true });
    await printRows(rowsOf(found), options);
    const names = found.flatMap((entry) => Object.keys(entry.limits));
    if (names.length === 0 || !(await confirmed(`Delete these ${names.length} quotas`, options))) return;
    await admin.quotas.alter(entity, Object.fromEntries(names.map((name) => [name, null])), limits);
  });
}

function entityOf(options: EntityOptions): QuotaEntity {
  const entity = partsOf(options);
  const kinds = Object.keys(entity);
  if (kinds.length === 0)
    throw new UsageError('Say whose: --user, --client-id, --ip or one of their defaults');
  if (kinds.includes('ip') && kinds.length > 1)
    throw new UsageError('Quotas of addresses stand alone: leave out the user and the client id');
  return entity;
}

function partsOf(options: EntityOptions): QuotaEntity & QuotaFilter {
  return {
    ...part('user', options.user, options.userDefault),
    ...part('client-id', options.clientId, options.clientIdDefault),
    ...part('ip', options.ip, options.ipDefault),
  };
}

/** A part of an entity; null stands for the default. */
function part(kind: 'user' | 'client-id' | 'ip', name: string | undefined, isDefault = false): QuotaEntity {
  if (name !== undefined && isDefault) throw new UsageError(`Give either --${kind} or --${kind}-default`);
  if (isDefault) return { [kind]: null };
  return name === undefined ? {} : { [kind]: name };
}
