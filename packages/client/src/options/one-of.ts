import { OptionError } from '../errors/client-errors.ts';

/** The value of an option that has only certain ones. @throws OptionError naming the option, its value and what is allowed */
export function oneOf<const T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new OptionError(
    `${name} "${String(value)}" is none of ${allowed.map((each) => `"${each}"`).join(', ')}`,
  );
}
