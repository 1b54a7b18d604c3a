import type { Disk } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { DamagedLogError, LogError } from '../errors.ts';
import { formatPartitionMetadata, readPartitionMetadata } from './dir-files.ts';
import { PARTITION_METADATA_FILE } from './log-files.ts';

/** The topic id of a partition's folder, in memory and in `partition.metadata`. */
export class PartitionMetadata {
  readonly #disk: Disk;
  readonly #folder: string;
  #topicId: string | null;
  #isDirty = false;

  /** @throws DamagedLogError when the file cannot be understood */
  constructor(disk: Disk, folder: string, topicId: string | null) {
    this.#disk = disk;
    this.#folder = folder;
    this.#topicId = this.#read();
    if (topicId !== null) this.assign(topicId);
  }

  get topicId(): string | null {
    return this.#topicId;
  }

  #read(): string | null {
    try {
      return readPartitionMetadata(this.#disk, this.#file);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== undefined) throw error;
      throw new DamagedLogError(this.#file, `${message}. Write the topic's id into it, or remove the file`);
    }
  }

  /**
   * Notes the id and writes the file to the page cache at once, so that a folder with records always says whose they are.
   * @throws LogError INCONSISTENT_TOPIC_ID when the folder belongs to an earlier topic of the same name
   */
  assign(topicId: string): void {
    if (this.#topicId === topicId) return;
    if (this.#topicId !== null) {
      throw new LogError(
        ErrorCodes.INCONSISTENT_TOPIC_ID,
        `Folder "${this.#folder}" belongs to the topic with id "${this.#topicId}", not "${topicId}"`,
      );
    }
    const content = Buffer.from(formatPartitionMetadata(topicId));
    const file = this.#disk.openSync(this.#file, 'append');
    try {
      file.truncateSync(0);
      file.writeSync([content], 0);
    } finally {
      file.closeSync();
    }
    this.#topicId = topicId;
    this.#isDirty = true;
  }

  /** Makes the file durable; the first flush of the log does. */
  async persist(): Promise<void> {
    if (!this.#isDirty) return;
    this.#isDirty = false;
    const file = this.#disk.openSync(this.#file, 'read');
    try {
      await file.datasync();
    } catch (error) {
      this.#isDirty = true;
      throw error;
    } finally {
      file.closeSync();
    }
  }

  get #file(): string {
    return `${this.#folder}/${PARTITION_METADATA_FILE}`;
  }
}
