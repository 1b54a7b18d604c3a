import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder among the system's temporary files. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with all it holds. */
  removeSync(): void;
}

/** Creates a folder that nobody else has; its name begins with `prefix`. */
export function temporaryFolder(prefix: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, removeSync: () => rmSync(path, { recursive: true, force: true }) };
}
