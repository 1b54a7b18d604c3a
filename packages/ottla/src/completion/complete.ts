import type { Argument, Command, Option } from 'commander';
import { defaultSubcommand } from '../help-texts.ts';

/** What may stand at the cursor. */
export interface Suggestion {
  readonly value: string;
  readonly description: string;
}

/** Values that only the shell or the cluster knows. */
export type ValueKind = 'file' | 'topic' | 'group';

/** What a command line can go on with. */
export interface Completion {
  readonly suggestions: readonly Suggestion[];
  /** What else fits, by kind. */
  readonly kind: ValueKind | null;
}

/** By the word in angle brackets with which a command declares an argument or the value of an option. */
const KINDS: Readonly<Record<string, ValueKind>> = {
  topic: 'topic',
  topics: 'topic',
  group: 'group',
  groups: 'group',
  file: 'file',
  files: 'file',
  folder: 'file',
  folders: 'file',
  path: 'file',
  'server.properties': 'file',
};

const NOTHING: Completion = { suggestions: [], kind: null };

/**
 * What can follow: `words` are those behind `ottla`, the last one is at the cursor and may be empty. Everything comes
 * from the declarations of the commands.
 */
export function complete(program: Command, words: readonly string[]): Completion {
  let command = program;
  let argumentCount = 0;
  let awaiting: Option | null = null;
  for (const word of words.slice(0, -1)) {
    if (awaiting !== null) awaiting = null;
    else if (word.startsWith('-')) awaiting = optionThatWaits(command, word);
    else {
      const child: Command | undefined = argumentCount === 0 ? childOf(command, word) : undefined;
      if (child === undefined) argumentCount += 1;
      else command = child;
    }
  }
  const current = words.at(-1) ?? '';
  if (awaiting !== null) return valuesOf(awaiting.argChoices, placeholderOf(awaiting), current);
  if (current.startsWith('-')) return { suggestions: starting(optionsOf(command), current), kind: null };
  const argument = argumentAt(command, argumentCount);
  const values = argument === undefined ? NOTHING : valuesOf(argument.argChoices, argument.name(), current);
  const children = argumentCount === 0 ? visibleChildren(command) : [];
  return { suggestions: [...starting(children, current), ...values.suggestions], kind: values.kind };
}

/** What the commands up to the cursor give for an option, for those that say where the cluster is; undefined when nothing. */
export function givenValue(words: readonly string[], ...names: readonly string[]): string | undefined {
  const at = words.slice(0, -2).findLastIndex((word) => names.includes(word));
  return at < 0 ? undefined : words[at + 1];
}

function starting(all: readonly Suggestion[], prefix: string): Suggestion[] {
  return all.filter(({ value }) => value.startsWith(prefix));
}

function valuesOf(choices: readonly string[] | undefined, placeholder: string, prefix: string): Completion {
  if (choices !== undefined)
    return {
      suggestions: starting(
        choices.map((value) => ({ value, description: '' })),
        prefix,
      ),
      kind: null,
    };
  return { suggestions: [], kind: KINDS[placeholder] ?? null };
}

function childOf(command: Command, name: string): Command | undefined {
  return command.commands.find((child) => child.name() === name || child.aliases().includes(name));
}

/** A command, and its default subcommand, whose options and arguments it takes too. */
function withDefault(command: Command): Command[] {
  const child = defaultSubcommand(command);
  return child === undefined ? [command] : [command, child];
}

function argumentAt(command: Command, count: number): Argument | undefined {
  for (const each of withDefault(command)) {
    const found = each.registeredArguments[count];
    if (found !== undefined) return found;
    const last = each.registeredArguments.at(-1);
    if (last?.variadic === true) return last;
  }
  return undefined;
}

function optionThatWaits(command: Command, word: string): Option | null {
  if (word.includes('=')) return null;
  const all = withDefault(command).flatMap((each) => each.options);
  const found = all.find(({ short, long }) => word === short || word === long);
  return found !== undefined && (found.required || found.optional) ? found : null;
}

function placeholderOf(option: Option): string {
  return /[<[]([\w.-]+)/.exec(option.flags)?.[1] ?? '';
}

function optionsOf(command: Command): Suggestion[] {
  const found = new Map<string, Suggestion>();
  for (const each of withDefault(command))
    for (const { long, short, description } of each.createHelp().visibleOptions(each)) {
      const value = long ?? short ?? '';
      found.set(value, { value, description });
    }
  return [...found.values()];
}

function visibleChildren(command: Command): Suggestion[] {
  const help = command.createHelp();
  return help
    .visibleCommands(command)
    .map((child) => ({ value: child.name(), description: help.subcommandDescription(child) }));
}
