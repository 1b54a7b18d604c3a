import type { Disk } from '@ottla/platform';
import {
  CLEAN_SHUTDOWN_FILE,
  FAILED_SYNC_FILE,
  LOCK_FILE,
  META_PROPERTIES_FILE,
  type FoundMetaProperties,
} from '../dir-files.ts';
import { isDeletedFolderName, LOG_SUFFIX, parseFolderName } from '../log-files.ts';
import { RECOVERY_POINT_FILE } from '../offset-checkpoint.ts';
import type { TopicPartition } from '../types.ts';
import { checkPartition, type PartitionReport } from './check-partition.ts';
import { CheckedCheckpoints, checkMetaProperties } from './dir-checks.ts';
import { ProblemList, type LogProblem } from './log-problem.ts';

export interface LogDirsCheckOptions {
  readonly disk: Disk;
  /** The directories of one broker (`log.dirs`). */
  readonly dirs: readonly string[];
  /** The partitions to check; all when absent. */
  readonly isWanted?: (topicPartition: TopicPartition) => boolean;
  /** Headers and CRCs alone, without opening records. */
  readonly isShallow?: boolean;
  /** Told of each finding as soon as it is made. */
  readonly onProblem: (problem: LogProblem) => void;
  /** Told of each partition when it has been checked. */
  readonly onPartition?: (report: PartitionReport) => void;
  readonly onProgress?: (progress: CheckProgress) => void;
}

/** How far a check has come. */
export interface CheckProgress {
  readonly partitionCount: number;
  readonly checkedCount: number;
  /** The partition that is being checked. */
  readonly partition: string;
  readonly totalBytes: number;
  readonly readBytes: number;
}

/** What a check comes to. */
export interface LogDirsReport {
  readonly partitionCount: number;
  readonly batchCount: number;
  readonly recordCount: number;
  readonly sizeInBytes: number;
  readonly problemCount: number;
  readonly remarkCount: number;
}

/** The directories in which a broker is running: what is being written there may look damaged. */
export function lockedDirs(disk: Disk, dirs: readonly string[]): string[] {
  return dirs.filter((dir) => disk.isLockedSync(`${dir}/${LOCK_FILE}`));
}

/**
 * Reads log directories, of Ottla or of Kafka, while no broker runs there, and tells of everything that is wrong; nothing is
 * changed. Takes a few megabytes of memory however large the logs are: batches go by one after the other.
 */
export async function checkLogDirs(options: LogDirsCheckOptions): Promise<LogDirsReport> {
  return new LogDirsCheck(options).run();
}

interface FoundPartition {
  readonly name: string;
  readonly topicPartition: TopicPartition;
  readonly sizeInBytes: number;
}

interface FoundDir {
  readonly path: string;
  readonly names: readonly string[];
  readonly problems: ProblemList;
  readonly partitions: readonly FoundPartition[];
  /** Partitions that were put somewhere by themselves: nothing is known of the last run, so nothing excuses damage. */
  readonly isLoose: boolean;
}

class LogDirsCheck {
  readonly #options: LogDirsCheckOptions;
  /** Where each partition lies. */
  readonly #places = new Map<string, string>();
  /** The id of each topic, and the partition that says so. */
  readonly #topicIds = new Map<string, { readonly topicId: string; readonly partition: string }>();
  readonly #report = {
    partitionCount: 0,
    batchCount: 0,
    recordCount: 0,
    sizeInBytes: 0,
    problemCount: 0,
    remarkCount: 0,
  };
  #partitionCount = 0;
  #totalBytes = 0;
  #readBytes = 0;

  constructor(options: LogDirsCheckOptions) {
    this.#options = options;
  }

  async run(): Promise<LogDirsReport> {
    const dirs = this.#options.dirs.map((path) => this.#list(path));
    for (const { partitions } of dirs) {
      this.#partitionCount += partitions.length;
      for (const { sizeInBytes } of partitions) this.#totalBytes += sizeInBytes;
    }
    const owners: { problems: ProblemList; found: FoundMetaProperties }[] = [];
    for (const dir of dirs) {
      const isAsked = this.#options.isWanted !== undefined && dir.isLoose;
      const hasPartitions = dir.partitions.length > 0 && !isAsked;
      const found = checkMetaProperties(this.#options.disk, dir.problems, hasPartitions);
      if (found !== null) owners.push({ problems: dir.problems, found });
      await this.#checkDir(dir);
    }
    checkOwners(owners);
    for (const { problems } of dirs) {
      this.#report.problemCount += problems.problemCount;
      this.#report.remarkCount += problems.remarkCount;
    }
    return this.#report;
  }

  #list(path: string): FoundDir {
    const { disk, isWanted = () => true, onProblem } = this.#options;
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

  async #checkDir(dir: FoundDir): Promise<void> {
    const { disk } = this.#options;
    const { path, names, problems } = dir;
    const hadCleanShutdown = dir.isLoose || names.includes(CLEAN_SHUTDOWN_FILE);
    const checkpoints = new CheckedCheckpoints(disk, problems);
    this.#tellOfFolders(dir);
    if (names.includes(FAILED_SYNC_FILE))
      problems.remark(
        'disk',
        { file: `${path}/${FAILED_SYNC_FILE}` },
        {
          problem: 'A call of the disk failed in the last run',
          remedy: 'The next start writes again what may not have reached the disk',
        },
      );
    if (this.#options.isWanted === undefined) tellOfMissingFolders(dir, checkpoints, hadCleanShutdown);
    for (const partition of dir.partitions) {
      await this.#checkPartition(dir, partition, checkpoints.of(partition.name, hadCleanShutdown));
    }
  }

  /** Folders that no broker serves. */
  #tellOfFolders({ path, names, problems }: FoundDir): void {
    if (this.#options.disk.isLockedSync(`${path}/${LOCK_FILE}`))
      problems.remark(
        'folder',
        { file: `${path}/${LOCK_FILE}` },
        {
          problem: 'A broker is running in the directory',
          remedy: 'What is being written may look damaged: check again when it has stopped',
        },
      );
    for (const name of names) {
      const what = isDeletedFolderName(name)
        ? { problem: 'A deleted partition', remedy: 'The next start removes it' }
        : /\.[0-9a-f]{32}-future$/.test(name)
          ? {
              problem: 'A replica that Kafka was moving here from another directory',
              remedy: 'Ottla leaves it alone; remove it when the partition itself is sound',
            }
          : /\.[0-9a-f]{32}-stray$/.test(name)
            ? {
                problem: 'A replica that Kafka has put aside, since the metadata did not know it',
                remedy: 'Nobody reads it: remove it when it is not missed',
              }
            : null;
      if (what !== null) problems.remark('leftover', { file: `${path}/${name}` }, what);
    }
  }

  async #checkPartition(
    { path, problems }: FoundDir,
    { name, topicPartition }: FoundPartition,
    known: ReturnType<CheckedCheckpoints['of']>,
  ): Promise<void> {
    const other = this.#places.get(name);
    this.#places.set(name, path);
    if (other !== undefined)
      problems.problem(
        'folder',
        { file: `${path}/${name}` },
        {
          problem: `Partition "${name}" lies in "${other}" too`,
          remedy: 'A start takes the directory offline. Move the older one away',
        },
      );
    const { disk, isShallow = false, onProblem } = this.#options;
    const onBytes = (count: number): void => {
      this.#readBytes += count;
      this.#tellProgress(name);
    };
    try {
      const options = { disk, dir: path, name, known, isShallow, onProblem, onBytes };
      this.#take(await checkPartition(options), topicPartition, problems);
    } catch (error) {
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error;
      problems.problem(
        'disk',
        { file: (error as NodeJS.ErrnoException).path ?? `${path}/${name}` },
        {
          problem: `Partition "${name}" could not be read: ${(error as Error).message}`,
          remedy:
            'The directory goes offline when a broker comes to it. Look at the disk and at the rights of the file',
        },
      );
    }
    this.#tellProgress(name);
  }

  #tellProgress(partition: string): void {
    this.#options.onProgress?.({
      partition,
      partitionCount: this.#partitionCount,
      checkedCount: this.#report.partitionCount,
      totalBytes: this.#totalBytes,
      readBytes: this.#readBytes,
    });
  }

  #take(report: PartitionReport, { topic }: TopicPartition, problems: ProblemList): void {
    const { topicId, partition } = report;
    const known = this.#topicIds.get(topic);
    if (topicId !== null && known === undefined) this.#topicIds.set(topic, { topicId, partition });
    if (topicId !== null && known !== undefined && known.topicId !== topicId)
      problems.problem(
        'topic-id',
        { file: `${report.dir}/${partition}` },
        {
          problem: `"${partition}" belongs to a topic with the id "${topicId}", "${known.partition}" to one with "${known.topicId}"`,
          remedy: 'One of them is left from an earlier topic of this name and is not served: move it away',
        },
      );
    this.#report.partitionCount += 1;
    this.#report.batchCount += report.batchCount;
    this.#report.recordCount += report.recordCount;
    this.#report.sizeInBytes += report.sizeInBytes;
    this.#report.problemCount += report.problemCount;
    this.#report.remarkCount += report.remarkCount;
    this.#options.onPartition?.(report);
  }
}

/** Partitions that had been here, by the recovery points; a deletion takes its line away a moment after the folder. */
function tellOfMissingFolders(
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

/** All directories of a broker say the same about it. */
function checkOwners(owners: readonly { problems: ProblemList; found: FoundMetaProperties }[]): void {
  const [first, ...others] = owners;
  const directoryIds = new Map<string, string>();
  for (const { problems, found } of owners) {
    if (found.directoryId === null) continue;
    const other = directoryIds.get(found.directoryId);
    directoryIds.set(found.directoryId, problems.dir);
    if (other !== undefined)
      problems.problem(
        'meta-properties',
        {},
        {
          problem: `Its directory.id "${found.directoryId}" is that of "${other}" too`,
          remedy: 'One is a copy of the other: a broker starts with one of them only',
        },
      );
  }
  for (const { problems, found } of others) {
    for (const name of ['clusterId', 'nodeId'] as const)
      if (found[name] !== first!.found[name])
        problems.problem(
          'meta-properties',
          {},
          {
            problem: `It belongs to ${name === 'nodeId' ? 'node' : 'cluster'} "${found[name] ?? ''}", "${first!.problems.dir}" to "${first!.found[name] ?? ''}"`,
            remedy: 'A broker starts with the directories of one cluster and node only',
          },
        );
  }
}
