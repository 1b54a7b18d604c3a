import type { Clock } from './clock.ts';
import type { Disk, DiskFile, DiskLock } from './disk.ts';
import { diskError, parentPath, partsOf } from './disk-paths.ts';
import { Replacements } from './replacements.ts';

export interface MemoryDiskOptions {
  /** For modification times. */
  readonly clock: Clock;
  /** Bytes of file content that fit; more fails with ENOSPC, as a full volume does. Default: 1 GiB. */
  readonly capacityBytes?: number;
}

const DEFAULT_CAPACITY_BYTES = 1024 * 1024 * 1024;

/** Files grow by pieces of this size, so that a large one is never copied; small ones double up to it. */
const PIECE_BYTES = 256 * 1024;
const SMALLEST_PIECE_BYTES = 256;

type MemoryFolder = Map<string, MemoryNode>;
type MemoryNode = MemoryContent | MemoryFolder;

/**
 * A disk in memory, for a broker whose data ends with the process: nothing waits for a device, and a sync has nothing to do.
 * It never fails but for want of room; what fails as real disks do is `SimDisk`.
 */
export class MemoryDisk implements Disk {
  readonly concurrency = 4;
  readonly #clock: Clock;
  readonly #capacityBytes: number;
  readonly #root: MemoryFolder = new Map();
  readonly #locks = new Set<string>();
  readonly #replacements = new Replacements();
  #usedBytes = 0;

  constructor(options: MemoryDiskOptions) {
    this.#clock = options.clock;
    this.#capacityBytes = options.capacityBytes ?? DEFAULT_CAPACITY_BYTES;
  }

  openSync(path: string, mode: 'read' | 'append'): DiskFile {
    const { folder, name } = this.#parentOf(path);
    let node = folder.get(name);
    if (node === undefined) {
      if (mode === 'read') throw diskError('ENOENT', 'open', path);
      node = new MemoryContent((bytes) => this.#take(bytes, path), this.#clock);
      folder.set(name, node);
    }
    if (!(node instanceof MemoryContent)) throw diskError('EISDIR', 'open', path);
    return new MemoryFile(path, node, mode === 'append');
  }

  readFileSync(path: string): Buffer {
    const content = this.#fileAt(path);
    const bytes = Buffer.alloc(content.length);
    content.read(bytes, 0);
    return bytes;
  }

  /** Takes effect after what the caller still does in this turn, as on any disk. */
  replaceFile(path: string, content: Buffer | string): Promise<void> {
    return this.#replacements.run(path, async (isNewest) => {
      await Promise.resolve();
      if (isNewest()) this.#replace(path, content);
    });
  }

  replaceFileSync(path: string, content: Buffer | string): void {
    this.#replacements.overtake(path);
    this.#replace(path, content);
  }

  /** Nobody else runs in between, so that the new content needs no file of its own first. */
  #replace(path: string, content: Buffer | string): void {
    const next = new MemoryContent((bytes) => this.#take(bytes, path), this.#clock);
    next.write(Buffer.from(content), 0);
    const { folder, name } = this.#parentOf(path);
    this.#forget(folder.get(name));
    folder.set(name, next);
  }

  existsSync(path: string): boolean {
    return this.#find(path) !== null;
  }

  sizeSync(path: string): number {
    return this.#fileAt(path).length;
  }

  modifiedMsSync(path: string): number {
    return this.#fileAt(path).modifiedMs;
  }

  listSync(folder: string): string[] {
    return [...this.#folderAt(folder).keys()].sort();
  }

  isDirectorySync(path: string): boolean {
    return this.#find(path) instanceof Map;
  }

  mkdirSync(path: string): void {
    let folder = this.#root;
    for (const part of partsOf(path)) {
      let next = folder.get(part);
      if (next === undefined) {
        next = new Map();
        folder.set(part, next);
      }
      if (next instanceof MemoryContent) throw diskError('ENOTDIR', 'mkdir', path);
      folder = next;
    }
  }

  renameSync(from: string, to: string): void {
    const source = this.#parentOf(from);
    const target = this.#parentOf(to);
    const node = source.folder.get(source.name);
    if (node === undefined) throw diskError('ENOENT', 'rename', from);
    if (target.folder.get(target.name) !== node) this.#forget(target.folder.get(target.name));
    source.folder.delete(source.name);
    target.folder.set(target.name, node);
  }

  unlinkSync(path: string): void {
    const parent = this.#find(parentPath(path));
    if (!(parent instanceof Map)) return;
    const name = partsOf(path).at(-1) ?? '';
    this.#forget(parent.get(name));
    parent.delete(name);
  }

  async unlink(path: string): Promise<void> {
    this.unlinkSync(path);
  }

  async removeFolder(folder: string): Promise<void> {
    this.unlinkSync(folder);
  }

  async syncFolder(folder: string): Promise<void> {
    this.syncFolderSync(folder);
  }

  syncFolderSync(folder: string): void {
    this.#folderAt(folder);
  }

  async statVolume(): Promise<{ totalBytes: number; usableBytes: number }> {
    return { totalBytes: this.#capacityBytes, usableBytes: this.#capacityBytes - this.#usedBytes };
  }

  lockSync(path: string): DiskLock | false {
    if (this.#locks.has(path)) return false;
    this.openSync(path, 'append').closeSync();
    this.#locks.add(path);
    return { releaseSync: () => void this.#locks.delete(path) };
  }

  isLockedSync(path: string): boolean {
    return this.#locks.has(path);
  }

  /** Counts what a file grows by; a negative number gives room back. */
  #take(bytes: number, path: string): void {
    if (this.#usedBytes + bytes > this.#capacityBytes) throw diskError('ENOSPC', 'write', path);
    this.#usedBytes += bytes;
  }

  /** What a name stood for is gone; whoever has it open may go on, and no longer counts. */
  #forget(node: MemoryNode | undefined): void {
    if (node === undefined) return;
    if (node instanceof MemoryContent) node.detach();
    else for (const child of node.values()) this.#forget(child);
  }

  #find(path: string): MemoryNode | null {
    let node: MemoryNode = this.#root;
    for (const part of partsOf(path)) {
      if (node instanceof MemoryContent) return null;
      const next: MemoryNode | undefined = node.get(part);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  #fileAt(path: string): MemoryContent {
    const node = this.#find(path);
    if (node === null) throw diskError('ENOENT', 'open', path);
    if (!(node instanceof MemoryContent)) throw diskError('EISDIR', 'read', path);
    return node;
  }

  #folderAt(path: string): MemoryFolder {
    const node = this.#find(path);
    if (node === null) throw diskError('ENOENT', 'scandir', path);
    if (node instanceof MemoryContent) throw diskError('ENOTDIR', 'scandir', path);
    return node;
  }

  #parentOf(path: string): { folder: MemoryFolder; name: string } {
    return { folder: this.#folderAt(parentPath(path)), name: partsOf(path).at(-1) ?? '' };
  }
}

/**
 * The bytes of a file.
 *
 *     small  [ 0 .. 256 B doubled up to 256 KiB ]
 *     large  [ 256 KiB ][ 256 KiB ][ 256 KiB ]    all pieces are full but the last
 */
class MemoryContent {
  length = 0;
  modifiedMs: number;
  readonly #pieces: Buffer[] = [];
  readonly #clock: Clock;
  readonly #take: (bytes: number) => void;
  #isDetached = false;

  constructor(take: (bytes: number) => void, clock: Clock) {
    this.#take = take;
    this.#clock = clock;
    this.modifiedMs = clock.nowMs();
  }

  write(bytes: Buffer, position: number): void {
    this.#resize(Math.max(this.length, position + bytes.length));
    let done = 0;
    while (done < bytes.length) {
      const { piece, at } = this.#place(position + done);
      done += bytes.copy(piece, at, done);
    }
    this.modifiedMs = this.#clock.nowMs();
  }

  /** Fills `target` from `position` on; returns how many bytes there were. */
  read(target: Buffer, position: number): number {
    const wanted = Math.min(target.length, this.length - position);
    let done = 0;
    while (done < wanted) {
      const { piece, at } = this.#place(position + done);
      done += piece.copy(target, done, at, Math.min(piece.length, at + wanted - done));
    }
    return done;
  }

  truncate(length: number): void {
    const before = this.length;
    this.#resize(length);
    // What lies beyond the end reads as zeros if the file grows again.
    for (let position = length; position < before;) {
      const index = Math.floor(position / PIECE_BYTES);
      const piece = this.#pieces[index];
      piece?.fill(0, position % PIECE_BYTES);
      position = (index + 1) * PIECE_BYTES;
    }
    const pieces = Math.ceil(length / PIECE_BYTES);
    if (pieces < this.#pieces.length) this.#pieces.length = pieces;
    this.modifiedMs = this.#clock.nowMs();
  }

  /** No name stands for it any more: its room is free again. */
  detach(): void {
    if (!this.#isDetached) this.#take(-this.length);
    this.#isDetached = true;
  }

  #place(position: number): { piece: Buffer; at: number } {
    return { piece: this.#pieces[Math.floor(position / PIECE_BYTES)]!, at: position % PIECE_BYTES };
  }

  #resize(length: number): void {
    if (!this.#isDetached) this.#take(length - this.length);
    if (length > this.length) this.#reserve(length);
    this.length = length;
  }

  #reserve(length: number): void {
    const first = this.#pieces[0];
    if (this.#pieces.length <= 1 && (first?.length ?? 0) < PIECE_BYTES && (first?.length ?? 0) < length) {
      const size = Math.max(SMALLEST_PIECE_BYTES, (first?.length ?? 0) * 2, length);
      const larger = Buffer.alloc(Math.min(PIECE_BYTES, size));
      first?.copy(larger);
      this.#pieces[0] = larger;
    }
    while (this.#pieces.length * PIECE_BYTES < length && this.#pieces[0]!.length === PIECE_BYTES)
      this.#pieces.push(Buffer.alloc(PIECE_BYTES));
  }
}

/** An open handle. It refers to the content, not to the name, so it survives renames and removals as on Linux. */
class MemoryFile implements DiskFile {
  readonly path: string;
  readonly #content: MemoryContent;
  readonly #isWritable: boolean;
  #isClosed = false;

  constructor(path: string, content: MemoryContent, isWritable: boolean) {
    this.path = path;
    this.#content = content;
    this.#isWritable = isWritable;
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    this.#requireOpen('write');
    if (!this.#isWritable) throw diskError('EBADF', 'write', this.path);
    let at = position;
    for (const buffer of buffers) {
      this.#content.write(buffer, at);
      at += buffer.length;
    }
  }

  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    this.writeSync(buffers, position);
  }

  // oxlint-disable-next-line max-params -- the port's signature, which is that of the system call
  readSync(target: Buffer, targetOffset: number, length: number, position: number): number {
    this.#requireOpen('read');
    return this.#content.read(target.subarray(targetOffset, targetOffset + length), position);
  }

  // oxlint-disable-next-line max-params -- as above
  async read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number> {
    return this.readSync(target, targetOffset, length, position);
  }

  // oxlint-disable-next-line max-params -- as above
  readCached(target: Buffer, targetOffset: number, length: number, position: number): number {
    return this.#isClosed ? -1 : this.readSync(target, targetOffset, length, position);
  }

  async datasync(): Promise<void> {
    this.#requireOpen('fdatasync');
  }

  datasyncSync(): void {
    this.#requireOpen('fdatasync');
  }

  truncateSync(length: number): void {
    this.#requireOpen('ftruncate');
    this.#content.truncate(length);
  }

  sizeSync(): number {
    this.#requireOpen('fstat');
    return this.#content.length;
  }

  closeSync(): void {
    this.#isClosed = true;
  }

  #requireOpen(operation: string): void {
    if (this.#isClosed) throw diskError('EBADF', operation, this.path);
  }
}
