/**
 * The disk port: the only way product code reaches a file system. `NodeDisk` is the real one, `SimDisk` the simulated
 * one that loses or tears unsynced writes, undoes renames, fills up and fails on demand. One contract suite runs on both.
 *
 * Calls that end in `Sync` run on the event loop and are meant for the page cache (tens of microseconds at most);
 * the others go to the thread pool. Failures are thrown (or rejected) as Node's own errors with `code` (`ENOSPC`, `EIO`, ...).
 */
export interface Disk {
  /** How many asynchronous operations are worked on at a time; the others wait for their turn. */
  readonly concurrency: number;
  /** Opens a file. `append` creates it when absent and opens it for reading and writing; `read` needs it to exist. */
  openSync(path: string, mode: 'read' | 'append'): DiskFile;
  /** Whole content of a small file (checkpoint, snapshot, properties); throws `ENOENT` when absent. */
  readFileSync(path: string): Buffer;
  /**
   * Replaces a small file so that after a power cut either the old or the new content is there, whole:
   * writes a `.tmp` file beside it, fdatasyncs that, renames it over `path`, syncs the folder. Of several replacements that
   * are under way the newest call counts, also when it is a synchronous one and ends first.
   */
  replaceFile(path: string, content: Buffer | string): Promise<void>;
  /** The same on the event loop, for start and shutdown. */
  replaceFileSync(path: string, content: Buffer | string): void;
  existsSync(path: string): boolean;
  /** Size in bytes of a file; throws `ENOENT` when absent. */
  sizeSync(path: string): number;
  /** Time of the last modification in milliseconds since the epoch; throws `ENOENT` when absent. */
  modifiedMsSync(path: string): number;
  /** Names (not paths) in a folder, sorted; throws `ENOENT` when absent. */
  listSync(folder: string): string[];
  isDirectorySync(path: string): boolean;
  /** Creates a folder and those above it; silent when it is there. */
  mkdirSync(path: string): void;
  renameSync(from: string, to: string): void;
  /** Removes one file; silent when absent. */
  unlinkSync(path: string): void;
  unlink(path: string): Promise<void>;
  /** Removes a folder with all it holds; silent when absent. */
  removeFolder(path: string): Promise<void>;
  /** Makes creations, renames and removals in the folder durable. */
  syncFolder(path: string): Promise<void>;
  syncFolderSync(path: string): void;
  /** Total and usable bytes of the volume that holds `path`. */
  statVolume(path: string): Promise<{ totalBytes: number; usableBytes: number }>;
  /** Takes an exclusive lock on `path` for the life of the process; returns false when another process holds it. */
  lockSync(path: string): DiskLock | false;
  /** Whether somebody holds the lock on `path`, this process too; changes nothing. */
  isLockedSync(path: string): boolean;
}

export interface DiskLock {
  releaseSync(): void;
}

/** An open file. Positions and lengths are in bytes. */
export interface DiskFile {
  readonly path: string;
  /** Writes all of `buffers` at `position` with as few system calls as possible; throws after a short write that could not be completed. */
  writeSync(buffers: readonly Buffer[], position: number): void;
  /** The same through the thread pool; the buffers stay as they are meanwhile. A reader may see a first part of it before it ends. */
  write(buffers: readonly Buffer[], position: number): Promise<void>;
  /** Reads up to `length` bytes into `target` on the event loop; returns how many there were. */
  readSync(target: Buffer, targetOffset: number, length: number, position: number): number;
  /** The same through the thread pool. */
  read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number>;
  /**
   * Reads on the event loop what the page cache has from `position` on, at most `length` bytes, and never waits for the
   * device: less than `length` is there when the rest is not in memory, or at the end of the file. -1 when not even the
   * first byte is, or the platform cannot tell; failures are told by `read` only.
   */
  readCached(target: Buffer, targetOffset: number, length: number, position: number): number;
  /** Makes everything written so far durable (`fdatasync`), through the thread pool. */
  datasync(): Promise<void>;
  datasyncSync(): void;
  truncateSync(length: number): void;
  sizeSync(): number;
  closeSync(): void;
}
