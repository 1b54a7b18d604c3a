import type { Disk } from '@ottla/platform';
import { META_PROPERTIES_FILE } from '../files/dir-files.ts';
import { LOG_SUFFIX, parseFolderName } from '../files/log-files.ts';
import { RECOVERY_POINT_FILE } from '../files/offset-checkpoint.ts';
import type { TopicPartition } from '../types.ts';
import { ProblemList, type LogProblem } from './log-problem.ts';

/** A partition that is to be checked. */
export interface FoundPartition {
  readonly name: string;
  readonly topicPartition: TopicPartition;
  readonly sizeInBytes: number;
}

/** A log directory, and what lies in it. */
export interface FoundDir {
  readonly path: string;
  readonly names: readonly string[];
  readonly problems: ProblemList;
  readonly partitions: readonly FoundPartition[];
  /** Partitions that were put somewhere by themselves: nothing is known of the last run, so nothing excuses damage. */
  readonly isLoose: boolean;
}

/** Lists a log directory. @throws the error of the disk when it cannot be read */
export function findDir(
  path: string,
  options: {
    readonly disk: Disk;
    /** The partitions to check; all when absent. */
    readonly isWanted?: (topicPartition: TopicPartition) => boolean;
    readonly onProblem: (problem: LogProblem) => void;
  },
): FoundDir {
  const { disk, isWanted = () => true, onProblem } = options;
  const names = disk.listSync(path);
  const partitions: FoundPartition[] = [];
  for (const name of names) {
    const topicPartition = parseFolderName(name);
    if (topicPartition === null || !isWanted(topicPartition) || !disk.isDirectorySync(`${path}/${name}`))
      continue;
    const sizeInBytes = disk
      .listSync(`${path}/${name}`)
      .filter((file) => file.endsWith(LOG_SUFFIX))
      .reduce((sum, file) => sum + disk.sizeSync(`${path}/${name}/${file}`), 0);
    partitions.push({ name, topicPartition, sizeInBytes });
  }
  const isLoose = !names.includes(META_PROPERTIES_FILE) && !names.includes(RECOVERY_POINT_FILE);
  const problems = new ProblemList({ dir: path, partition: null }, onProblem);
  return { path, names, problems, partitions, isLoose };
}
