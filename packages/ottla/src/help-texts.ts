import { Help, type Command, type Option } from 'commander';

/** What we word otherwise than Commander's help does; every command has it from its parent. */
export const helpTexts = { optionDescription, subcommandDescription };

/** The subcommand that stands for the command alone; undefined when there is none. */
export function defaultSubcommand(command: Command): Command | undefined {
  // Commander tells nobody which one it is.
  const { _defaultCommandName: name } = command as Command & { readonly _defaultCommandName?: string | null };
  return command.commands.find((child) => child.name() === name);
}

/** Shows a default as it is typed, not as JSON; the empty list, with which what may be repeated begins, tells a reader nothing. */
function optionDescription(option: Option): string {
  const value: unknown = option.defaultValue;
  const shown =
    Array.isArray(value) && value.length === 0
      ? { defaultValue: { value: undefined } }
      : { defaultValueDescription: { value: option.defaultValueDescription ?? String(value) } };
  // A view of the option: the option itself is what the parser works with.
  return new Help().optionDescription(Object.create(option, shown) as Option);
}

function subcommandDescription(child: Command): string {
  const text = new Help().subcommandDescription(child);
  return child.parent !== null && defaultSubcommand(child.parent) === child ? `${text} (default)` : text;
}
