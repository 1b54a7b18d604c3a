import type { Disk } from '@ottla/platform';
import { readPartitionMetadata } from '../files/dir-files.ts';
import { PARTITION_METADATA_FILE } from '../files/log-files.ts';
import { contentProblem, type ProblemList } from './log-problem.ts';
import type { PartitionFiles } from './partition-files.ts';

/** The topic id in `partition.metadata`; null where the folder does not say. Tells of a file that makes no sense. */
export function checkedTopicId(
  place: {
    readonly disk: Disk;
    readonly folder: string;
    /** Something of the partition had been durable: so had the file. */
    readonly wasDurable: boolean;
  },
  problems: ProblemList,
): string | null {
  const file = `${place.folder}/${PARTITION_METADATA_FILE}`;
  const remedy = 'Write the id of the topic into it, as `ottla topics describe` shows it, or remove the file';
  try {
    const topicId = readPartitionMetadata(place.disk, file);
    if (topicId === null && place.wasDurable && place.disk.existsSync(file))
      problems.problem('topic-id', { file }, { problem: 'The file has no topic id', remedy });
    return topicId;
  } catch (error) {
    problems.problem('topic-id', { file }, { problem: contentProblem(error), remedy });
    return null;
  }
}

/** What an interrupted compaction or deletion left in the folder. */
export function tellOfLeftovers(
  folder: string,
  { removed, swapped }: PartitionFiles,
  problems: ProblemList,
): void {
  if (swapped.length > 0)
    problems.remark(
      'leftover',
      { file: `${folder}/${swapped[0]}` },
      {
        problem: 'A compaction was interrupted when it was done',
        remedy: `The next start puts ${swapped.length} files in the place of those they were made from`,
      },
    );
  const unused = removed.filter((name) => /\.(?:deleted|cleaned|swap|tmp)$/.test(name));
  if (unused.length > 0)
    problems.remark(
      'leftover',
      { file: `${folder}/${unused[0]}` },
      {
        problem: `${unused.length} files were to be removed when the last run ended`,
        remedy: 'The next start removes them',
      },
    );
}
