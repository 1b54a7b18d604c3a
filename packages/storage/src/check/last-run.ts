import type { Disk } from '@ottla/platform';
import { FAILED_SYNC_FILE, LOCK_FILE } from '../files/dir-files.ts';
import { isDeletedFolderName, isFutureFolderName } from '../files/log-files.ts';
import type { CheckedCheckpoints } from './dir-checks.ts';
import type { FoundDir } from './found-dir.ts';
import type { ProblemText } from './log-problem.ts';

/** What the last run left in a directory beside partitions that are served: its locks, its marks, folders put aside. */
export function tellOfLastRun(disk: Disk, { path, names, problems }: FoundDir): void {
  if (disk.isLockedSync(`${path}/${LOCK_FILE}`))
    problems.remark(
      'folder',
      { file: `${path}/${LOCK_FILE}` },
      {
        problem: 'A broker is running in the directory',
        remedy: 'What is being written may look damaged: check again when it has stopped',
      },
    );
  for (const name of names) {
    const what = folderPutAside(name);
    if (what !== null) problems.remark('leftover', { file: `${path}/${name}` }, what);
  }
  if (names.includes(FAILED_SYNC_FILE))
    problems.remark(
      'disk',
      { file: `${path}/${FAILED_SYNC_FILE}` },
      {
        problem: 'A call of the disk failed in the last run',
        remedy: 'The next start writes again what may not have reached the disk',
      },
    );
}

/** What a folder is that no broker serves any more; null for all others. */
function folderPutAside(name: string): ProblemText | null {
  if (isDeletedFolderName(name))
    return { problem: 'A deleted partition', remedy: 'The next start removes it' };
  if (isFutureFolderName(name))
    return {
      problem: 'A copy of a partition that was being moved here from another directory',
      remedy: 'The next start goes on with the move, or takes the copy when the partition itself is nowhere',
    };
  if (/\.[0-9a-f]{32}-stray$/.test(name))
    return {
      problem: 'A replica that Kafka has put aside, since the metadata did not know it',
      remedy: 'Nobody reads it: remove it when it is not missed',
    };
  return null;
}

/** Partitions that had been here, by the recovery points; a deletion takes its line away a moment after the folder. */
export function tellOfMissingFolders(
  { path, names, problems }: FoundDir,
  { recoveryPoints }: CheckedCheckpoints,
  hadCleanShutdown: boolean,
): void {
  for (const [key, offset] of recoveryPoints) {
    if (names.some((name) => name === key || name.startsWith(`${key}.`))) continue;
    const place = { file: `${path}/${key}`, offset };
    const problem = `The folder is missing, the recovery points name it with offset ${offset}`;
    if (hadCleanShutdown)
      problems.problem('folder', place, {
        problem,
        remedy: 'The next start makes an empty one if the topic is still there. Restore it from a copy',
      });
    else
      problems.remark('folder', place, {
        problem,
        remedy: 'Usual for a partition that was deleted shortly before the last run ended',
      });
  }
}
