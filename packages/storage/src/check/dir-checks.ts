import type { Disk } from '@ottla/platform';
import { CLEANER_OFFSET_FILE } from '../files/cleaner-checkpoint.ts';
import { META_PROPERTIES_FILE, readMetaProperties, type FoundMetaProperties } from '../files/dir-files.ts';
import {
  HIGH_WATERMARK_FILE,
  LOG_START_OFFSET_FILE,
  readOffsetCheckpoint,
  RECOVERY_POINT_FILE,
} from '../files/offset-checkpoint.ts';
import { contentProblem, type ProblemList } from './log-problem.ts';
import type { KnownOffsets } from './start-outlook.ts';

/** Checks who the owner of a directory is, by itself; null when the file says nothing. */
export function checkMetaProperties(
  disk: Disk,
  problems: ProblemList,
  hasPartitions: boolean,
): FoundMetaProperties | null {
  const file = `${problems.dir}/${META_PROPERTIES_FILE}`;
  const found = readMetaProperties(disk, file);
  const tell = (problem: string, remedy: string): void =>
    problems.problem('meta-properties', { file }, { problem, remedy });
  if (found === null) {
    if (hasPartitions)
      tell(
        'The file is missing, in a directory that holds partitions',
        'Ottla takes the directory for one of its own and writes the file anew, Kafka does not start with it',
      );
    return null;
  }
  const { version, clusterId, nodeId, directoryId } = found;
  if (version !== '1')
    tell(`It has the version "${version ?? ''}"`, 'No broker of today starts with it: it has to be "1"');
  if (clusterId === null) tell('It has no cluster.id', 'Write the one that the other directories have');
  if (nodeId === null || !Number.isInteger(nodeId))
    tell('It has no node.id', 'Write the one of the broker whose directory it is');
  if (directoryId === null)
    problems.remark(
      'meta-properties',
      { file },
      { problem: 'It has no directory.id, as before Kafka 3.7', remedy: 'The next start adds one' },
    );
  return found;
}

/** The checkpoints of a directory; each is empty when it is absent or makes no sense. */
export class CheckedCheckpoints {
  readonly recoveryPoints: ReadonlyMap<string, number>;
  readonly #logStartOffsets: ReadonlyMap<string, number>;
  readonly #highWatermarks: ReadonlyMap<string, number>;
  readonly #cleanerOffsets: ReadonlyMap<string, number>;

  constructor(disk: Disk, problems: ProblemList) {
    const offline = 'The directory goes offline at the next start. Remove the file: ';
    const read = (name: string, remedy: string): ReadonlyMap<string, number> => {
      const file = `${problems.dir}/${name}`;
      try {
        return readOffsetCheckpoint(disk, file);
      } catch (error) {
        problems.problem('checkpoint', { file }, { problem: contentProblem(error), remedy });
        return new Map();
      }
    };
    this.recoveryPoints = read(
      RECOVERY_POINT_FILE,
      `${offline}a start then reads all logs from their beginning`,
    );
    this.#logStartOffsets = read(LOG_START_OFFSET_FILE, `${offline}records that were deleted may come back`);
    this.#highWatermarks = read(HIGH_WATERMARK_FILE, `${offline}a start finds the high watermarks anew`);
    this.#cleanerOffsets = read(CLEANER_OFFSET_FILE, 'Compaction begins anew, nothing has to be done');
  }

  /** What they say about one partition. */
  of(key: string, hadCleanShutdown: boolean): KnownOffsets {
    return {
      hadCleanShutdown,
      recoveryPoint: this.recoveryPoints.get(key) ?? null,
      logStartOffset: this.#logStartOffsets.get(key) ?? null,
      highWatermark: this.#highWatermarks.get(key) ?? null,
      cleanerOffset: this.#cleanerOffsets.get(key) ?? null,
    };
  }
}

/** Whose a directory is, by its `meta.properties`. */
export interface Owner {
  readonly problems: ProblemList;
  readonly found: FoundMetaProperties;
}

/** All directories of a broker say the same about it. */
export function checkOwners(owners: readonly Owner[]): void {
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
