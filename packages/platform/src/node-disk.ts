import fs from 'node:fs';
import path from 'node:path';
import type { Disk, DiskFile, DiskLock } from './disk.ts';
import { isFileLocked, lockFile } from './node-lock.ts';
import { pageCacheRead } from './node-page-cache.ts';
import { Replacements } from './replacements.ts';

/** libuv's own, unless UV_THREADPOOL_SIZE says otherwise. */
const DEFAULT_POOL_THREADS = 4;

/** The real file system. */
export class NodeDisk implements Disk {
  /** The threads of libuv's pool. */
  readonly concurrency = Number(process.env.UV_THREADPOOL_SIZE) || DEFAULT_POOL_THREADS;
  readonly #replacements = new Replacements();
  #temporaryCount = 0;

  /** Unique, so that a synchronous replacement during an asynchronous one of the same file does not mix with it. */
  #temporaryName(file: string): string {
    return `${file}.${this.#temporaryCount++}.tmp`;
  }

  openSync(file: string, mode: 'read' | 'append'): DiskFile {
    // `a` would make Linux ignore positions, so that a torn tail could not be overwritten; hence read-write, created when absent.
    const flags = mode === 'read' ? fs.constants.O_RDONLY : fs.constants.O_RDWR | fs.constants.O_CREAT;
    return new NodeFile(file, fs.openSync(file, flags, 0o644));
  }

  readFileSync(file: string): Buffer {
    return fs.readFileSync(file);
  }

  replaceFile(file: string, content: Buffer | string): Promise<void> {
    return this.#replacements.run(file, (isNewest) => this.#replace(file, content, isNewest));
  }

  async #replace(file: string, content: Buffer | string, isNewest: () => boolean): Promise<void> {
    const temporary = this.#temporaryName(file);
    const handle = await fs.promises.open(temporary, 'w');
    try {
      await handle.writeFile(content);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    if (!isNewest()) return this.unlink(temporary);
    // Within the same turn: nothing newer can come in between.
    fs.renameSync(temporary, file);
    await this.syncFolder(path.dirname(file));
  }

  replaceFileSync(file: string, content: Buffer | string): void {
    this.#replacements.overtake(file);
    const temporary = this.#temporaryName(file);
    const fd = fs.openSync(temporary, 'w');
    try {
      fs.writeFileSync(fd, content);
      fs.fdatasyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(temporary, file);
    this.syncFolderSync(path.dirname(file));
  }

  existsSync(file: string): boolean {
    return fs.existsSync(file);
  }

  sizeSync(file: string): number {
    return fs.statSync(file).size;
  }

  modifiedMsSync(file: string): number {
    return Math.floor(fs.statSync(file).mtimeMs);
  }

  listSync(folder: string): string[] {
    return fs.readdirSync(folder).sort();
  }

  isDirectorySync(file: string): boolean {
    return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  /**
   * Creates the parents too, step by step: Node's own `recursive` never returns on a file system that answers ENOENT for
   * a folder whose parent is there, such as /proc.
   */
  mkdirSync(folder: string): void {
    if (this.isDirectorySync(folder)) return;
    const parent = path.dirname(folder);
    if (parent !== folder) this.mkdirSync(parent);
    try {
      fs.mkdirSync(folder);
    } catch (error) {
      // Somebody else may have created it just now; a file of that name is an error all the same.
      if (!this.isDirectorySync(folder)) throw error;
    }
  }

  renameSync(from: string, to: string): void {
    fs.renameSync(from, to);
  }

  /** `rm` with `force`, since a file that is gone already is what was asked for. */
  unlinkSync(file: string): void {
    fs.rmSync(file, { force: true });
  }

  async unlink(file: string): Promise<void> {
    await fs.promises.rm(file, { force: true });
  }

  async removeFolder(folder: string): Promise<void> {
    await fs.promises.rm(folder, { recursive: true, force: true });
  }

  async syncFolder(folder: string): Promise<void> {
    const handle = await fs.promises.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  syncFolderSync(folder: string): void {
    const fd = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  async statVolume(file: string): Promise<{ totalBytes: number; usableBytes: number }> {
    const stats = await fs.promises.statfs(file);
    return { totalBytes: stats.blocks * stats.bsize, usableBytes: stats.bavail * stats.bsize };
  }

  lockSync(file: string): DiskLock | false {
    return lockFile(file);
  }

  isLockedSync(file: string): boolean {
    return isFileLocked(file);
  }
}

/** Linux takes at most this many pieces in one writev (IOV_MAX). */
const MAX_PIECES = 1024;

/** A file descriptor. Positions are always given, so that readers and the writer do not share a cursor. */
class NodeFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  #closed = false;

  constructor(file: string, fd: number) {
    this.path = file;
    this.#fd = fd;
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    if (buffers.length === 1) {
      this.#writeOne(buffers[0]!, position);
      return;
    }
    for (let first = 0; first < buffers.length; first += MAX_PIECES) {
      const pieces = buffers.slice(first, first + MAX_PIECES);
      let length = 0;
      for (const piece of pieces) length += piece.length;
      let written = fs.writevSync(this.#fd, pieces, position);
      if (written < length) {
        // A short write: the rest goes piece by piece, so that the error that stopped it comes to light.
        let before = 0;
        for (const piece of pieces) {
          if (before + piece.length > written) {
            this.#writeOne(piece.subarray(written - before), position + written);
            written = before + piece.length;
          }
          before += piece.length;
        }
      }
      position += length;
    }
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    for (let first = 0; first < buffers.length; first += MAX_PIECES) {
      const pieces = buffers.slice(first, first + MAX_PIECES);
      const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
      const written = await this.#writeOnce(pieces, position);
      // A short write is rare: the rest goes on the event loop, and the error that stopped it comes to light.
      if (written < length) this.writeSync([Buffer.concat(pieces).subarray(written)], position + written);
      position += length;
    }
  }

  #writeOnce(pieces: readonly Buffer[], position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.writev(this.#fd, pieces, position, (error, written) => {
        if (error) reject(error);
        else resolve(written);
      });
    });
  }

  /** Loops over short writes; when the disk is full the next attempt throws the reason. */
  #writeOne(buffer: Buffer, position: number): void {
    let done = 0;
    while (done < buffer.length) {
      done += fs.writeSync(this.#fd, buffer, done, buffer.length - done, position + done);
    }
  }

  /** Loops over short reads, so that less than `length` means the end of the file. */
  readSync(target: Buffer, targetOffset: number, length: number, position: number): number {
    let done = 0;
    while (done < length) {
      const count = fs.readSync(this.#fd, target, targetOffset + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  async read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const count = await this.#readOnce(target, targetOffset + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }

  /** `fs.promises` handles cost more than twice as much per call as the callback form. */
  // oxlint-disable-next-line max-params -- mirrors the system call
  #readOnce(target: Buffer, targetOffset: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.read(this.#fd, target, targetOffset, length, position, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }

  // oxlint-disable-next-line max-params -- as above
  readCached(target: Buffer, targetOffset: number, length: number, position: number): number {
    // The number of a closed descriptor may belong to another file by now.
    if (this.#closed) return -1;
    return pageCacheRead()?.(this.#fd, target, targetOffset, length, position) ?? -1;
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fs.fdatasync(this.#fd, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }

  datasyncSync(): void {
    fs.fdatasyncSync(this.#fd);
  }

  truncateSync(length: number): void {
    fs.ftruncateSync(this.#fd, length);
  }

  sizeSync(): number {
    return fs.fstatSync(this.#fd).size;
  }

  /** Once only: the number of a closed descriptor may belong to another file by now. */
  closeSync(): void {
    if (this.#closed) return;
    this.#closed = true;
    fs.closeSync(this.#fd);
  }
}
