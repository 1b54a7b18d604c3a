import type { Disk } from '@ottla/platform';
import { expect } from 'vitest';
import { checkLogDirs } from '../../src/index.ts';

/** Expects that a check of the directory finds no problem; remarks are usual. */
export async function expectSound(disk: Disk, dir: string): Promise<void> {
  await checkLogDirs({
    disk,
    dirs: [dir],
    onProblem: (found) => {
      if (found.severity === 'problem') expect.unreachable(JSON.stringify(found));
    },
  });
}
