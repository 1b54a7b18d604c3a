import { Argument, type Command } from 'commander';
import { runOnCluster, type ClusterOptions } from '../cluster/run-on-cluster.ts';
import { complete, givenValue, type ValueKind } from '../completion/complete.ts';
import { COMPLETE_COMMAND, completionScript, SHELLS, type Shell } from '../completion/shell-scripts.ts';

/** Nobody waits longer for the names of topics while typing. */
const CLUSTER_TIMEOUT_MS = 1_500;

/** `ottla completion`: the script of a shell; and what that script asks at each press of the key. */
export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print what makes a shell complete commands, options, topics and groups')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  source <(ottla completion bash)                                 # bash: in ~/.bashrc',
        '  source <(ottla completion zsh)                                  # zsh: in ~/.zshrc, behind compinit',
        '  ottla completion fish > ~/.config/fish/completions/ottla.fish',
      ].join('\n'),
    )
    .action((shell: Shell) => void process.stdout.write(completionScript(shell)));
  program
    .command(COMPLETE_COMMAND, { hidden: true })
    .argument('[words...]')
    .action((words: string[]) => printCompletion(program, words));
}

async function printCompletion(program: Command, words: readonly string[]): Promise<void> {
  const { suggestions, kind } = complete(program, words);
  const lines = suggestions.map(({ value, description }) => `${value}\t${description.split('\n')[0]}\n`);
  if (kind === 'file') lines.push(':file\n');
  else if (kind !== null) for (const name of await namesOf(kind, words)) lines.push(`${name}\t${kind}\n`);
  process.stdout.write(lines.join(''));
}

/** Names that the cluster of this command line has; none when it does not answer. */
async function namesOf(kind: Exclude<ValueKind, 'file'>, words: readonly string[]): Promise<string[]> {
  const bootstrapServer = givenValue(words, '-b', '--bootstrap-server');
  const commandConfig = givenValue(words, '--command-config');
  const options: ClusterOptions = {
    timeout: CLUSTER_TIMEOUT_MS,
    ...(bootstrapServer !== undefined && { bootstrapServer }),
    ...(commandConfig !== undefined && { commandConfig }),
  };
  const prefix = words.at(-1) ?? '';
  const found: string[] = [];
  await runOnCluster(options, async ({ admin, limits }) => {
    if (kind === 'topic') for (const { name } of await admin.topics.list(limits)) found.push(name);
    else for (const { groupId } of await admin.groups.list(limits)) found.push(groupId);
  });
  // The scripts drop what goes to stderr; an exit code would only disturb them.
  process.exitCode = 0;
  return found.filter((name) => name.startsWith(prefix)).sort();
}
