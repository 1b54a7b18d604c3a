import { errorName } from './errors.ts';

/** A sentence for an error code, for responses that have no better text of their own; null for NONE. */
export function errorMessage(code: number): string | null {
  if (code === 0) return null;
  return errorName(code);
}
