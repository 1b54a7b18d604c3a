import type * as Client from '@ottla/client';
import type { Admin, ClientOptions, Ottla } from '@ottla/client';
import type { Disk } from '@ottla/platform';
import { InvalidArgumentError, type Command } from 'commander';
import { collect } from '../collect.ts';
import { ProgressLine } from '../terminal/progress-line.ts';

/** Exit codes of the commands that talk to a cluster; 130 and 143 are those of a signal. */
export const ClusterExitCode = {
  done: 0,
  /** Refused by the broker, or asked for wrongly; one line on stderr says why. */
  failed: 1,
  /** No broker answered in time. */
  unreachable: 3,
  /** Credentials or rights are missing. */
  denied: 4,
} as const;

/** How a command prints; a table for people when neither is set. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly jsonl?: boolean;
}

/** What every such command takes. */
export interface ClusterOptions extends OutputOptions {
  readonly bootstrapServer?: string;
  readonly commandConfig?: string;
  readonly timeout: number;
  /** Properties over those of the file, as `name=value`. */
  readonly property?: readonly string[];
}

/** Something was asked for that makes no sense; the message is for people. Commander knows it where it parses options. */
export class UsageError extends InvalidArgumentError {
  override readonly name = 'UsageError';
}

const DEFAULT_TIMEOUT_MS = 30_000;

/** Adds the options by which a command finds its cluster and says how it prints. */
export function withClusterOptions(command: Command): Command {
  return withOutputOptions(withConnectionOptions(command));
}

/** Adds the options by which a command finds its cluster. */
export function withConnectionOptions(command: Command): Command {
  return command
    .option(
      '-b, --bootstrap-server <host:port,...>',
      'brokers to begin with (default: KAFKA_BROKERS, else localhost:9092)',
    )
    .option('--command-config <file>', "properties for the client, as Kafka's tools take them")
    .option('--timeout <ms>', 'how long the cluster may take', wholeNumber, DEFAULT_TIMEOUT_MS);
}

/** Adds the option for single properties, for commands that send or read records. */
export function withProperties(command: Command): Command {
  return command.option(
    '-X, --property <name=value>',
    "one of Kafka's client properties; may be repeated",
    collect,
    [],
  );
}

/** Adds the options by which a command says how it prints. */
export function withOutputOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document')
    .option('--jsonl', 'print one JSON object a line');
}

/** Parses an option that counts something. @throws UsageError */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError(`"${text}" is not a whole number`);
  return Number(text);
}

/** Parses an option that counts something of which there has to be some. @throws UsageError */
export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new UsageError(`"${text}" is not at least 1`);
  return number;
}

/** What a command does with its cluster. */
export interface ClusterAccess {
  readonly ottla: Ottla;
  readonly admin: Admin;
  /** For every call of the admin. */
  readonly limits: { readonly timeoutMs: number };
  /** Properties that are not about connecting, for producers and consumers. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Splits `name=value`. @throws UsageError naming what it is for */
export function nameAndValue(text: string, what: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals < 1) throw new UsageError(`${what} "${text}" is not of the form name=value`);
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Connects, runs, closes; a failure becomes one line on stderr and the exit code. */
export async function runOnCluster(
  options: ClusterOptions,
  run: (access: ClusterAccess) => Promise<void>,
): Promise<void> {
  endWithTheReader();
  const client = await import('@ottla/client');
  try {
    const limits = { timeoutMs: options.timeout };
    const { connection, properties } = await clientOptions(options);
    await using ottla = client.connect(connection);
    await untilReady(ottla, options.timeout);
    await run({ ottla, admin: ottla.admin(), limits, properties });
  } catch (error) {
    process.stderr.write(`ottla: ${messageOf(error)}\n`);
    process.exitCode = exitCodeOf(error, client);
  }
}

/** Waits for the first answer, and says so when that takes long. */
async function untilReady(ottla: Ottla, timeoutMs: number): Promise<void> {
  const progress = new ProgressLine();
  const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
  progress.keepUpdating(
    () => `No broker has answered for ${seconds(progress.elapsedMs)}; waiting for ${seconds(timeoutMs)}`,
  );
  try {
    await ottla.ready({ timeoutMs });
  } finally {
    progress.clear();
  }
}

/** Whoever reads the output may have seen enough: then the command ends without complaint. */
function endWithTheReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    process.stderr.write(`ottla: The output cannot be written: ${error.message}\n`);
    process.exit(ClusterExitCode.failed);
  });
}

/** Runs a command that needs no cluster; a failure becomes one line on stderr and the exit code. */
export async function runLocally(run: () => Promise<void>): Promise<void> {
  endWithTheReader();
  try {
    await run();
  } catch (error) {
    process.stderr.write(`ottla: ${messageOf(error)}\n`);
    process.exitCode = ClusterExitCode.failed;
  }
}

/** Prints what failed for one thing among several; the others go on. The first failure decides the exit code. */
export function reportFailure(error: Error): void {
  process.stderr.write(`ottla: ${messageOf(error)}\n`);
  process.exitCode ||= isDenied(error) ? ClusterExitCode.denied : ClusterExitCode.failed;
}

/** A broker's refusal for want of rights, by its name: the client is loaded only where it is needed. */
function isDenied({ name }: Error): boolean {
  return name.endsWith('_AUTHORIZATION_FAILED');
}

async function clientOptions({ bootstrapServer, commandConfig, property = [] }: ClusterOptions): Promise<{
  readonly connection: ClientOptions;
  readonly properties: ReadonlyMap<string, string>;
}> {
  const { clientOptionsFromProperties } = await import('@ottla/client');
  const { NodeDisk, parseProperties } = await import('@ottla/platform');
  const disk = new NodeDisk();
  if (commandConfig !== undefined) refuseFolder(disk, commandConfig);
  const text = commandConfig === undefined ? '' : disk.readFileSync(commandConfig).toString();
  const all = new Map(parseProperties(text));
  for (const each of property) all.set(...nameAndValue(each, 'Property'));
  const { options, rest } = clientOptionsFromProperties(all);
  const bootstrap = bootstrapServer === undefined ? {} : { bootstrap: bootstrapServer };
  return { connection: { clientId: 'ottla', ...options, ...bootstrap }, properties: rest };
}

/** Node's own error for reading a folder has no name in it. @throws UsageError when `path` is one */
export function refuseFolder(disk: Disk, path: string): void {
  if (disk.isDirectorySync(path)) throw new UsageError(`"${path}" is a folder, not a file`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `There is no file "${path ?? ''}"`;
  return error.name === 'UsageError' || error.name === 'INVALID_OPTION' || error.name === 'PropertiesError'
    ? error.message
    : `${error.name}: ${error.message}`;
}

function exitCodeOf(error: unknown, client: typeof Client): number {
  if (error instanceof client.ConnectionError || error instanceof client.TimeoutError)
    return ClusterExitCode.unreachable;
  if (error instanceof client.AuthenticationError || error instanceof client.AuthorizationError)
    return ClusterExitCode.denied;
  return ClusterExitCode.failed;
}
