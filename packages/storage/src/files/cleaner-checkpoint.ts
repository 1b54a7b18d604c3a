import type { Disk } from '@ottla/platform';
import type { TopicPartition } from '../types.ts';
import { partitionKey } from './log-files.ts';
import { formatOffsets, readOffsetCheckpoint, type OffsetCheckpointEntry } from './offset-checkpoint.ts';

/** Kafka's name for it. */
export const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint';

/** Up to where each log of a directory has been compacted. Lost, it only costs compacting anew. */
export class CleanerCheckpoint {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #offsets: Map<string, number>;

  constructor(disk: Disk, dir: string) {
    this.#disk = disk;
    this.#path = `${dir}/${CLEANER_OFFSET_FILE}`;
    this.#offsets = readCompactedOffsets(disk, dir);
  }

  /** Undefined for a log that was never compacted. */
  get(topicPartition: TopicPartition): number | undefined {
    return this.#offsets.get(partitionKey(topicPartition));
  }

  /** Notes the end of a compaction; `existing` are the logs to keep, those that were deleted are left out. */
  write(topicPartition: TopicPartition, offset: number, existing: Iterable<TopicPartition>): Promise<void> {
    this.#offsets.set(partitionKey(topicPartition), offset);
    return this.#write(existing);
  }

  /** Forgets a log that was deleted, so that another one of its name does not count as compacted. */
  async forget(topicPartition: TopicPartition, existing: Iterable<TopicPartition>): Promise<void> {
    if (this.#offsets.delete(partitionKey(topicPartition))) await this.#write(existing);
  }

  async #write(existing: Iterable<TopicPartition>): Promise<void> {
    const entries: OffsetCheckpointEntry[] = [];
    const gone = new Set(this.#offsets.keys());
    for (const each of existing) {
      const known = this.get(each);
      gone.delete(partitionKey(each));
      if (known !== undefined) entries.push({ ...each, offset: known });
    }
    for (const key of gone) this.#offsets.delete(key);
    await this.#disk.replaceFile(this.#path, formatOffsets(entries));
  }
}

/** Up to where each log of a directory was compacted. A damaged checkpoint is no reason not to go on: it is made anew. */
export function readCompactedOffsets(disk: Disk, dir: string): Map<string, number> {
  try {
    return readOffsetCheckpoint(disk, `${dir}/${CLEANER_OFFSET_FILE}`);
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).code === 'string') throw error;
    return new Map();
  }
}
