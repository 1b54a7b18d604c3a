import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.ts';
import { defaultSubcommand } from '../src/help-texts.ts';

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

test('help marks the subcommand that stands for the command alone, and that one only', () => {
  for (const command of everyCommand(createProgram())) {
    const marked = command.helpInformation().match(/^ {2}(\S+).*(?:\n {4,}.*)*?\(default\)/gm) ?? [];
    const names = marked.map((line) => /\S+/.exec(line)![0]);
    expect(names).toEqual(
      defaultSubcommand(command) === undefined ? [] : [defaultSubcommand(command)!.name()],
    );
  }
});

test('describing an option leaves it as it was declared', () => {
  const declared = () => {
    const program = createProgram();
    const options = everyCommand(program).flatMap((command) => command.options);
    const look = () =>
      options.map(({ flags, defaultValue, defaultValueDescription }) => [
        flags,
        defaultValue,
        defaultValueDescription,
      ]);
    return { program, look };
  };
  const { program, look } = declared();
  for (const command of everyCommand(program)) command.helpInformation();
  expect(look()).toEqual(declared().look());
});
