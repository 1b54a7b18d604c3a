import type { ClientOptions } from '../src/index.ts';

/** A logger that keeps the texts of warnings. */
export function keepingWarnings(): { readonly logger: ClientOptions['logger']; readonly warnings: string[] } {
  const warnings: string[] = [];
  const ignore = (): void => {};
  const warn = (_: object, text: string): void => void warnings.push(text);
  return { logger: { debug: ignore, info: ignore, warn, error: ignore }, warnings };
}
