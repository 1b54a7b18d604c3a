import { createRequire } from 'node:module';

/** The version of the ottla package, from its package.json. */
export function ottlaVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../package.json');
  return String((manifest as { version?: unknown }).version ?? 'unknown');
}
