import type { Command } from 'commander';
import { nearestName } from '@ottla/platform';

/** `ottla help topics create` shows the help of that; Commander's own takes one name alone. */
export function registerHelp(program: Command): void {
  program
    .helpCommand(false)
    .command('help [command...]')
    .description('display help for command')
    .action((names: readonly string[]) => {
      let shown = program;
      for (const name of names) {
        const child = shown.commands.find((each) => isCalled(each, name));
        if (child === undefined) refuse(shown, name);
        shown = child;
      }
      shown.help();
    });
}

/**
 * Makes every command that has subcommands answer one that it does not have by naming the nearest and listing all. Commander
 * does so only at the top: below a default subcommand it would say that this takes no arguments.
 */
export function explainUnknownCommands(command: Command): void {
  if (command.commands.length === 0) return;
  for (const child of command.commands) explainUnknownCommands(child);
  command.on('command:*', ([name]: string[]) => refuse(command, name ?? ''));
  command.hook('preSubcommand', () => {
    const [first] = command.args;
    if (first !== undefined && !first.startsWith('-') && !isNameOf(command, first)) refuse(command, first);
  });
  // Behind options the name arrives as an argument of the default subcommand.
  for (const child of command.commands) {
    if (child.commands.length > 0 || child.registeredArguments.length > 0) continue;
    child.allowExcessArguments();
    child.hook('preAction', (_, action) => {
      const [first] = action.args;
      if (first === undefined) return;
      if (isNameOf(command, command.args[0] ?? ''))
        action.error(`error: '${pathOf(action)}' takes no arguments, "${first}" is one too many`);
      refuse(command, first);
    });
  }
}

function isNameOf(command: Command, name: string): boolean {
  // Commander adds `help` by itself.
  return name === 'help' || command.commands.some((child) => isCalled(child, name));
}

function isCalled(command: Command, name: string): boolean {
  return command.name() === name || command.aliases().includes(name);
}

function refuse(command: Command, name: string): never {
  const help = command.createHelp();
  const visible = help.visibleCommands(command).filter((child) => child.name() !== 'help');
  const nearest = nearestName(
    name,
    visible.map((child) => child.name()),
  );
  const width = Math.max(...visible.map((child) => child.name().length)) + 2;
  const lines = [
    `error: unknown command '${name}' of '${pathOf(command)}'`,
    ...(nearest === null ? [] : [`(Did you mean ${nearest}?)`]),
    '',
    'There are:',
    ...visible.map((child) => `  ${child.name().padEnd(width)}${help.subcommandDescription(child)}`),
  ];
  command.error(lines.join('\n'));
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
