import type { Command } from 'commander';
import { ClusterExitCode } from '../cluster/run-on-cluster.ts';

/** How a command that takes something away is told to. */
export interface ConfirmOptions {
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

/** Adds the options of a command that takes something away. */
export function withConfirmation(command: Command): Command {
  return command
    .option('--dry-run', 'show what would be done, and do nothing')
    .option('--force', 'do it without asking');
}

/**
 * Whether to go on: `--force` says yes, `--dry-run` no, else a person at the terminal is asked. Without a terminal nothing is done
 * and the exit code is 1, so that no script takes that for success.
 */
export async function confirmed(question: string, options: ConfirmOptions): Promise<boolean> {
  if (options.dryRun === true) {
    process.stderr.write('ottla: Nothing was changed; leave out --dry-run to do it\n');
    return false;
  }
  if (options.force === true) return true;
  if (!process.stdin.isTTY) {
    process.stderr.write('ottla: Nothing was changed; add --force where nobody can be asked\n');
    process.exitCode = ClusterExitCode.failed;
    return false;
  }
  process.stderr.write(`${question}? (y/n) `);
  // A terminal hands out whole lines.
  const answer = await new Promise<string>((resolve) => {
    process.stdin.once('data', (line: Buffer) => resolve(String(line))).once('end', () => resolve(''));
  });
  process.stdin.pause();
  return /^y(es)?$/i.test(answer.trim());
}
