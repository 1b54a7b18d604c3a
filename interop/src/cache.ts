import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder `interop` of the checkout; the same from `src` and from the compiled `dist`. */
export const interopFolder = dirname(dirname(fileURLToPath(import.meta.url)));

/** The checkout itself. */
export const repositoryFolder = dirname(interopFolder);

/**
 * A folder for what is fetched once and shared by all checkouts of a user: jars, Python and Go programs.
 * `OTTLA_CACHE` moves it; deleting it costs one more download.
 */
export function cacheFolder(name: string): string {
  const base =
    process.env['OTTLA_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'ottla');
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}
