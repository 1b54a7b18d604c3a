import type { Disk, DiskFile } from '@ottla/platform';
import type { BatchSource } from '@ottla/storage';

/** A file of batches, opened for reading; close it. */
export interface OpenFile extends BatchSource {
  readonly sizeBytes: number;
  [Symbol.dispose](): void;
}

/** Opens a file that holds batches. @throws the disk's error when it is not there */
export function openBatchFile(disk: Disk, path: string): OpenFile {
  const file: DiskFile = disk.openSync(path, 'read');
  return {
    sizeBytes: file.sizeSync(),
    read: (target, length, position) => file.read(target, 0, length, position),
    [Symbol.dispose]: () => file.closeSync(),
  };
}
