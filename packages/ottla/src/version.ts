import { createRequire } from 'node:module';

/** The version of the ottla package, from its package.json. */
export function ottlaVersion(): string {
  // By name, so that it is found from a bundle as well.
  const manifest: unknown = createRequire(import.meta.url)('ottla/package.json');
  return String((manifest as { version?: unknown }).version ?? 'unknown');
}
