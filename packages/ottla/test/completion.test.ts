import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBroker } from '@ottla/testkit';
import { describe, expect, test } from 'vitest';
import { createProgram } from '../src/cli.ts';
import { complete, givenValue } from '../src/completion/complete.ts';
import { completionScript, SHELLS } from '../src/completion/shell-scripts.ts';
import { isBuilt, runOttla } from './run-ottla.ts';

const bin = fileURLToPath(new URL('../bin/ottla.cjs', import.meta.url));

function suggested(...words: string[]): string[] {
  return complete(createProgram(), words).suggestions.map(({ value }) => value);
}

describe('what may follow', () => {
  test.each([
    [['topi'], ['topics']],
    [
      ['topics', 'de'],
      ['describe', 'delete'],
    ],
    // Options of the default subcommand hold without its name too.
    [['topics', '--inter'], ['--internal']],
    [
      ['topics', '--timeout', '5', 'd'],
      ['describe', 'delete'],
    ],
    [['start', '--log-level', 'w'], ['warn']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['topics', 'describe', 'one', '--js'],
      ['--json', '--jsonl'],
    ],
    [['no-such-command', ''], []],
  ])('%j is completed to %j', (words, values) => {
    expect(suggested(...words)).toEqual(values);
  });

  test.each([
    [['consume', ''], 'topic'],
    [['topics', 'delete', 'one', ''], 'topic'],
    [['groups', 'describe', ''], 'group'],
    [['start', ''], 'file'],
    [['verify', ''], 'file'],
    [['verify', '-t', ''], 'topic'],
    [['topics', '--command-config', ''], 'file'],
    [['topics', '--timeout', ''], null],
  ])('behind %j stands a %s', (words, kind) => {
    expect(complete(createProgram(), words).kind).toBe(kind);
  });

  test('every visible command is suggested, hidden ones are not', () => {
    const program = createProgram();
    const names = program.commands.map((command) => command.name()).filter((name) => !name.startsWith('_'));
    expect(suggested('')).toEqual(names);
  });

  test('the value of an option is the last one given before the cursor', () => {
    expect(
      givenValue(['topics', '-b', 'a:1', '--bootstrap-server', 'b:1', ''], '-b', '--bootstrap-server'),
    ).toBe('b:1');
    expect(givenValue(['topics', '-b', ''], '-b')).toBeUndefined();
  });
});

/** How to ask a shell what it would complete a line to; a zsh does so only on a terminal. */
const askShell: Readonly<Record<string, (line: string) => string>> = {
  bash: (line) =>
    `${completionScript('bash')}
     COMP_LINE='${line}' COMP_POINT=${line.length}; read -ra COMP_WORDS <<< "$COMP_LINE"; COMP_CWORD=$((\${#COMP_WORDS[@]}-1))
     _ottla; printf '%s\\n' "\${COMPREPLY[@]}"`,
  fish: (line) => `${completionScript('fish')}\ncomplete -C '${line}' | string replace -r '\\t.*' ''`,
};

describe.skipIf(!isBuilt)('the scripts of the shells', () => {
  const shells = SHELLS.filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);

  test.each(shells)('%s reads its script without complaint', (shell) => {
    const folder = mkdtempSync(join(tmpdir(), 'ottla-completion-'));
    try {
      const file = join(folder, 'script');
      writeFileSync(file, completionScript(shell));
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.each(shells.filter((shell) => askShell[shell] !== undefined))(
    '%s completes subcommands, and the topics of the cluster that the line names',
    async (shell) => {
      await using kafka = await startBroker({ topics: { orders: 1, other: 1 } });
      const ask = async (line: string): Promise<string[]> => {
        const program = `ottla() { '${process.execPath}' '${bin}' "$@"; }\n`;
        const fish = `function ottla; '${process.execPath}' '${bin}' $argv; end\n`;
        const script = (shell === 'fish' ? fish : program) + askShell[shell]!(line);
        const { stdout } = await runOttla(['-c', script], { program: [shell] });
        return stdout
          .split('\n')
          .filter((each) => each !== '')
          .sort();
      };
      expect(await ask('ottla topics de')).toEqual(['delete', 'describe']);
      expect(await ask(`ottla consume -b ${kafka.bootstrap} or`)).toEqual(['orders']);
      expect(await ask('ottla consume -b 127.0.0.1:1 or')).toEqual([]);
    },
    60_000,
  );
});
