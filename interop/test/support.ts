import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inject } from 'vitest';
import {
  JavaTools,
  Peer,
  runCommand,
  type CommandResult,
  type PeerOptions,
  type Program,
} from '../src/index.ts';
import type { InteropContext } from './global-setup.ts';

/** This run: which broker, where, and which peers are there. */
export const interop: InteropContext = inject('interop');

/** Address of the shared broker. */
export const bootstrap = `127.0.0.1:${interop.port}`;

/** Title for a group of tests, with the reason when its peer is absent. */
export function title(name: string, peer: Program | InteropContext['java']): string {
  return 'absent' in peer ? `${name} (skipped: ${peer.absent})` : name;
}

/** Whether the peer is absent, for `describe.skipIf`. */
export function absent(peer: Program | InteropContext['java']): boolean {
  return 'absent' in peer;
}

/** The official tools; only for tests that are skipped when Java is absent. */
export function javaTools(): JavaTools {
  if ('absent' in interop.java) throw new Error(interop.java.absent);
  return new JavaTools(interop.java.toolPort);
}

/** Test files that follow each other in one process each count from one. */
const file = randomUUID().slice(0, 8);
let count = 0;

/** A name that no other test uses. */
export function unique(prefix: string): string {
  return `${prefix}-${file}-${(count += 1)}`;
}

/** A broker of the kind under test for one test alone, e.g. to kill it. */
export function startPeer(options: Omit<PeerOptions, 'kind' | 'libs'> = {}): Promise<Peer> {
  const libs = 'absent' in interop.java ? {} : { libs: interop.java.brokerLibs };
  return Peer.start({ kind: interop.kind, ...libs, ...options });
}

/** Runs a program of another language and parses the JSON line it ends with. Throws with its output when it fails. */
export async function runProgram(program: Program, args: readonly string[], input = ''): Promise<unknown> {
  const result = await rawProgram(program, args, input);
  const last = result.stdout.trim().split('\n').at(-1) ?? '';
  if (result.code !== 0)
    throw new Error(`${args.slice(0, 3).join(' ')} ended with ${result.code}: ${result.stderr.slice(-1500)}`);
  return JSON.parse(last) as unknown;
}

/** Runs a program of another language and returns what it printed. */
export function rawProgram(program: Program, args: readonly string[], input = ''): Promise<CommandResult> {
  if ('absent' in program) throw new Error(program.absent);
  return runCommand(program.path, args, { input, timeoutMs: 60_000 });
}

/** Resident memory of a broker, in bytes; 0 where the system does not tell. */
export function residentBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
