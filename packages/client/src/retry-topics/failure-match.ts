import { SerdeError } from '../errors/client-errors.ts';

/** An error's class, or the name that it or its class has. */
export type FailureMatch = string | (abstract new (...args: never[]) => Error);

/** More causes than this are not looked at: they may go in a circle. */
const MAX_CAUSES = 32;

/** Whether an attempt that ended with `error` is worth another one. As in Spring, causes count too. */
export function isRetriableFailure(
  error: unknown,
  rules: {
    readonly include: readonly FailureMatch[] | undefined;
    readonly exclude: readonly FailureMatch[] | undefined;
  },
): boolean {
  const { include, exclude = [] } = rules;
  if (matchesAny(error, exclude)) return false;
  if (include !== undefined && include.length > 0) return matchesAny(error, include);
  // What cannot be read now cannot be read later.
  return !matchesAny(error, [SerdeError]);
}

/** Whether an error, or one of its causes, is one of these. */
export function matchesAny(error: unknown, matches: readonly FailureMatch[]): boolean {
  if (matches.length === 0) return false;
  let current = error;
  for (let depth = 0; current instanceof Error && depth < MAX_CAUSES; depth += 1) {
    const failure = current;
    if (matches.some((match) => isMatch(failure, match))) return true;
    current = failure.cause;
  }
  return false;
}

function isMatch(error: Error, match: FailureMatch): boolean {
  if (typeof match !== 'string') return error instanceof match;
  return error.name === match || error.constructor.name === match;
}
