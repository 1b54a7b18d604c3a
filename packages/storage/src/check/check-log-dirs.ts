import type { Disk } from '@ottla/platform';
import { CLEAN_SHUTDOWN_FILE, LOCK_FILE } from '../files/dir-files.ts';
import type { TopicPartition } from '../types.ts';
import { checkPartition, type PartitionReport } from './check-partition.ts';
import { CheckedCheckpoints, checkMetaProperties, checkOwners, type Owner } from './dir-checks.ts';
import { findDir, type FoundDir, type FoundPartition } from './found-dir.ts';
import { tellOfLastRun, tellOfMissingFolders } from './last-run.ts';
import type { LogProblem, ProblemList } from './log-problem.ts';

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
    const dirs = this.#options.dirs.map((path) => findDir(path, this.#options));
    for (const { partitions } of dirs) {
      this.#partitionCount += partitions.length;
      for (const { sizeInBytes } of partitions) this.#totalBytes += sizeInBytes;
    }
    const owners: Owner[] = [];
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

  async #checkDir(dir: FoundDir): Promise<void> {
    const { disk } = this.#options;
    const { names, problems } = dir;
    const hadCleanShutdown = dir.isLoose || names.includes(CLEAN_SHUTDOWN_FILE);
    const checkpoints = new CheckedCheckpoints(disk, problems);
    tellOfLastRun(disk, dir);
    if (this.#options.isWanted === undefined) tellOfMissingFolders(dir, checkpoints, hadCleanShutdown);
    for (const partition of dir.partitions) {
      await this.#checkPartition(dir, partition, checkpoints.of(partition.name, hadCleanShutdown));
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
          remedy:
            'A start takes the directory offline, unless the topic ids differ: then the one of the topic that exists counts. ' +
            'Move the older one away',
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
