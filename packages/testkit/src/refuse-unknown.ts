import { type OptionNames, unknownOption } from '@ottla/platform';

/** Mistyped, an option would silently count for nothing. @throws TypeError with the name that may have been meant */
export function refuseUnknown<T extends object>(of: string, options: T, names: OptionNames<T>): void {
  const problem = unknownOption(of, options, names);
  if (problem !== null) throw new TypeError(problem);
}
