import type { ScramMechanism } from '@ottla/client';
import type { Command } from 'commander';
import { confirmed, withConfirmation, type ConfirmOptions } from '../terminal/confirm.ts';
import { printRows } from '../terminal/print.ts';
import {
  reportFailure,
  runOnCluster,
  UsageError,
  wholeNumber,
  withClusterOptions,
  type ClusterOptions,
} from '../cluster/run-on-cluster.ts';

const MECHANISMS: readonly ScramMechanism[] = ['SCRAM-SHA-256', 'SCRAM-SHA-512'];

interface SetOptions extends ClusterOptions {
  readonly mechanism: string;
  readonly iterations?: number;
  readonly passwordFile?: string;
}

/** `ottla users`: users with SCRAM credentials (KIP-554). */
export function registerUsers(program: Command): void {
  const users = program.command('users').description('users with SCRAM credentials: list, set, delete');
  withClusterOptions(users.command('list [user...]', { isDefault: true }))
    .description('users and the mechanisms of their credentials')
    .addHelpText('after', '\nExample:\n  ottla users --jsonl')
    .action((names: string[], options: ClusterOptions) => listUsers(names, options));
  withClusterOptions(users.command('set <user>'))
    .description('set the password of a user, read from stdin or a file; what is sent is its salted hash')
    .option('--mechanism <name>', MECHANISMS.join(' or '), 'SCRAM-SHA-512')
    .option('--iterations <count>', 'of the hash (default: 4096)', wholeNumber)
    .option('--password-file <file>', 'its first line is the password')
    .addHelpText('after', '\nExample:\n  ottla users set alice < password.txt')
    .action((user: string, options: SetOptions) => setPassword(user, options));
  withConfirmation(withClusterOptions(users.command('delete <user>')))
    .description('delete the credentials of a user: all, or those for one mechanism')
    .option('--mechanism <name>', MECHANISMS.join(' or '))
    .addHelpText('after', '\nExample:\n  ottla users delete alice --mechanism SCRAM-SHA-256')
    .action((user: string, options: ClusterOptions & ConfirmOptions & { mechanism?: string }) =>
      deleteUser(user, options),
    );
}

function listUsers(names: readonly string[], options: ClusterOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const rows = [];
    for (const outcome of (await admin.users.describe(names.length === 0 ? 'all' : names, limits)).values()) {
      if (outcome instanceof Error) reportFailure(outcome);
      else
        for (const { mechanism, iterations } of outcome.credentials)
          rows.push({ user: outcome.user, mechanism, iterations });
    }
    await printRows(rows, options);
  });
}

function setPassword(user: string, options: SetOptions): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const mechanism = mechanismOf(options.mechanism);
    const password = await readPassword(options.passwordFile);
    const { iterations } = options;
    const credential = { mechanism, password, ...(iterations !== undefined && { iterations }) };
    await admin.users.setPassword(user, credential, limits);
  });
}

function deleteUser(
  user: string,
  options: ClusterOptions & ConfirmOptions & { mechanism?: string },
): Promise<void> {
  return runOnCluster(options, async ({ admin, limits }) => {
    const only = options.mechanism === undefined ? undefined : mechanismOf(options.mechanism);
    const outcome = (await admin.users.describe([user], limits)).get(user);
    if (outcome instanceof Error) throw outcome;
    const found = (outcome?.credentials ?? []).filter(
      (each) => only === undefined || each.mechanism === only,
    );
    if (found.length === 0)
      throw new UsageError(`User "${user}" has no credentials for ${only ?? 'any mechanism'}`);
    await printRows(
      found.map(({ mechanism, iterations }) => ({ user, mechanism, iterations })),
      options,
    );
    if (!(await confirmed('Delete these credentials', options))) return;
    for (const { mechanism } of found) await admin.users.delete(user, mechanism, limits);
  });
}

function mechanismOf(text: string): ScramMechanism {
  const known = MECHANISMS.find((each) => each === text.toUpperCase());
  if (known === undefined) throw new UsageError(`Mechanism "${text}" is none of ${MECHANISMS.join(', ')}`);
  return known;
}

/** A password is no argument: those are seen by everybody on the machine and kept by shells. */
async function readPassword(file: string | undefined): Promise<string> {
  const { NodeDisk } = await import('@ottla/platform');
  let text = '';
  if (file !== undefined) text = new NodeDisk().readFileSync(file).toString();
  else {
    if (process.stdin.isTTY) process.stderr.write('Password, then return and Ctrl-D: ');
    for await (const chunk of process.stdin.setEncoding('utf8')) text += String(chunk);
  }
  const [password = ''] = text.split(/\r?\n/);
  if (password === '') throw new UsageError('The password is empty; give it on stdin or in --password-file');
  return password;
}
