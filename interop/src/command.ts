import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';

/** How to run a command; every field is optional. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Text for the standard input; without it the input is empty. */
  readonly input?: string;
  /** After this time the command is killed and the code is -1. Default two minutes. */
  readonly timeoutMs?: number;
}

/** What a command printed, and its exit code (-1 when it did not start or was killed). */
export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Never throws: a command that is not there is a code of -1. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    // Not the `timeout` of `spawn`: that one goes on, and keeps the process, when the command is not there.
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    const end = (result: CommandResult): void => {
      clearTimeout(timer);
      resolve(result);
    };
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.stdin.on('error', () => {});
    child.on('error', (error) => end({ code: -1, stdout, stderr: stderr + error.message }));
    child.on('close', (code) => end({ code: code ?? -1, stdout, stderr }));
    child.stdin.end(options.input ?? '');
  });
}

/** Whether `command args` starts and ends well, e.g. `go version`. */
export async function commandWorks(command: string, args: readonly string[]): Promise<boolean> {
  return (await runCommand(command, args, { timeoutMs: 20_000 })).code === 0;
}

/** Runs a step of the preparation; throws with the end of its output when it fails. */
export async function mustRun(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const result = await runCommand(command, args, { timeoutMs: 600_000, ...options });
  if (result.code !== 0) {
    const tail = (result.stdout + result.stderr).trim().split('\n').slice(-12).join('\n');
    throw new Error(`"${command} ${args.slice(0, 3).join(' ')}" ended with ${result.code}\n${tail}`);
  }
  return result.stdout;
}

/** A port of 127.0.0.1 that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Waits; tests poll with it and never rely on a fixed delay. */
export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Polls `probe` until it returns something other than undefined. Throws after `timeoutMs`, naming `what`. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 20_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${timeoutMs} ms`);
    await delay(25);
  }
}
