import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/ottla.cjs', import.meta.url));

/** Whether there is a build to run. */
export const isBuilt = existsSync(new URL('../dist/cli.js', import.meta.url));

export interface OttlaRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** What it reads on stdin. */
  readonly input?: string | Buffer;
  /** Brokers that it finds in KAFKA_BROKERS. */
  readonly bootstrap?: string;
  /** Another program, with its arguments, instead of `ottla`. */
  readonly program?: readonly [string, ...string[]];
}

/** Runs `ottla` as a process to its end. */
export async function runOttla(args: readonly string[], options: RunOptions = {}): Promise<OttlaRun> {
  const [command, ...first] = options.program ?? [process.execPath, bin];
  const { bootstrap, input = '' } = options;
  const env = { ...process.env, ...(bootstrap !== undefined && { KAFKA_BROKERS: bootstrap }) };
  const child = spawn(command, [...first, ...args], { env });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  // It may have ended before it read anything.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const code = await new Promise<number>((resolve) => child.on('close', (exit) => resolve(exit ?? -1)));
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
}

/** The values of JSON lines. */
export function jsonLines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
