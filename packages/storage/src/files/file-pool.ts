import type { Disk, DiskFile } from '@ottla/platform';

interface PooledFile {
  readonly file: DiskFile;
  pins: number;
  /** Closed as soon as nobody reads it any more: the path was dropped meanwhile. */
  dropped: boolean;
}

/**
 * Open handles for reading sealed segments and their indexes, least recently used closed first, so that ten thousand
 * segments do not need ten thousand descriptors. A handle in use by an asynchronous read is pinned.
 */
export class FilePool {
  readonly #disk: Disk;
  readonly #maxOpen: number;
  /** In order of last use. */
  readonly #open = new Map<string, PooledFile>();
  /** Handles that somebody has pinned, dropped ones too. */
  #pinnedCount = 0;

  constructor(disk: Disk, maxOpen = 256) {
    this.#disk = disk;
    this.#maxOpen = maxOpen;
  }

  /** A handle for immediate, synchronous use. */
  get(path: string): DiskFile {
    return this.#entry(path).file;
  }

  /** A handle that stays open until it is given back with `unpin`. */
  pin(path: string): PinnedFile {
    const entry = this.#entry(path);
    if (entry.pins === 0) this.#pinnedCount++;
    entry.pins++;
    return {
      file: entry.file,
      unpin: () => {
        entry.pins--;
        if (entry.pins === 0) this.#pinnedCount--;
        if (entry.dropped && entry.pins === 0) entry.file.closeSync();
      },
    };
  }

  /** The same for who keeps it as long as a client likes: null when so many are pinned that too few could be closed for others. */
  pinForLong(path: string): PinnedFile | null {
    return this.#pinnedCount >= this.#maxOpen / 2 ? null : this.pin(path);
  }

  /** Forgets a path that was renamed, removed or is now written elsewhere; readers in flight finish. */
  drop(path: string): void {
    const entry = this.#open.get(path);
    if (entry === undefined) return;
    this.#open.delete(path);
    entry.dropped = true;
    if (entry.pins === 0) entry.file.closeSync();
  }

  close(): void {
    for (const path of this.#open.keys()) this.drop(path);
  }

  #entry(path: string): PooledFile {
    let entry = this.#open.get(path);
    if (entry === undefined) {
      if (this.#open.size >= this.#maxOpen) this.#evictOne();
      entry = { file: this.#disk.openSync(path, 'read'), pins: 0, dropped: false };
    } else {
      this.#open.delete(path);
    }
    this.#open.set(path, entry);
    return entry;
  }

  #evictOne(): void {
    for (const [path, entry] of this.#open) {
      if (entry.pins > 0) continue;
      this.drop(path);
      return;
    }
  }
}

export interface PinnedFile {
  readonly file: DiskFile;
  unpin(): void;
}
