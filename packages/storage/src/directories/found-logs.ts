import type { Disk } from '@ottla/platform';
import { readPartitionMetadata } from '../files/dir-files.ts';
import { PARTITION_METADATA_FILE } from '../files/log-files.ts';
import type { Log } from '../log/log.ts';

/**
 * Where a start finds the logs, since all directories are loaded at the same time. A partition that lies in two directories under
 * different topic ids was deleted while one of them was away, and created anew in the other: the metadata will say which one counts.
 */
export class FoundLogs {
  readonly #disk: Disk;
  /** The directory in which each partition was found first. */
  readonly #dirs = new Map<string, string>();
  readonly #namesakes = new Map<string, Log[]>();

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  /**
   * Notes that a partition lies in a directory; false when another directory has one of that name.
   * @throws Error when both may be the same
   */
  isFirst(key: string, dir: string): boolean {
    const other = this.#dirs.get(key);
    if (other === undefined) {
      this.#dirs.set(key, dir);
      return true;
    }
    const [topicId, otherTopicId] = [this.#topicIdIn(`${dir}/${key}`), this.#topicIdIn(`${other}/${key}`)];
    if (topicId === null || otherTopicId === null || topicId === otherTopicId)
      throw new Error(`Partition "${key}" lies in two log directories: "${other}" and "${dir}"`);
    return false;
  }

  /** What makes no sense is told of when the log is opened. */
  #topicIdIn(folder: string): string | null {
    try {
      return readPartitionMetadata(this.#disk, `${folder}/${PARTITION_METADATA_FILE}`);
    } catch {
      return null;
    }
  }

  addNamesake(key: string, log: Log): void {
    this.#namesakes.set(key, [...(this.#namesakes.get(key) ?? []), log]);
  }

  /** The namesakes of a log, once: it is known by now which topic counts. */
  takeNamesakes(key: string): readonly Log[] {
    const logs = this.#namesakes.get(key) ?? [];
    this.#namesakes.delete(key);
    return logs;
  }
}
