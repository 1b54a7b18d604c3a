import { nearestName } from './nearest-name.ts';

/** The names of the options `T`, for a program without types; the compiler sees to it that none is left out. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/**
 * What to tell a caller who gave an option that there is none of, with the name that may have been meant; null when all are
 * known. One that is undefined is as good as absent.
 *
 * @param of whose options they are, as the text begins
 * @param elsewhere names that other libraries have for what is meant
 */
export function unknownOption<T extends object>(
  of: string,
  options: T,
  names: OptionNames<T>,
  elsewhere: Readonly<Record<string, string>> = {},
): string | null {
  const known = Object.keys(names);
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(names, name)) continue;
    const translated = elsewhere[name];
    const meant =
      translated !== undefined && known.includes(translated) ? translated : nearestName(name, known);
    const remedy = meant === null ? `there are ${known.join(', ')}` : `did you mean "${meant}"?`;
    return `${of} has no option "${name}": ${remedy}`;
  }
  return null;
}
