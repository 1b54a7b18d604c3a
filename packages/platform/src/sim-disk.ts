import type { Clock } from './clock.ts';
import type { Disk, DiskFile, DiskLock } from './disk.ts';
import { diskError, parentPath, partsOf } from './disk-paths.ts';
import { Replacements } from './replacements.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimFileNode, SimFolderNode, type SimNode } from './sim-nodes.ts';

/** Calls that can be made to fail. */
export type SimOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'datasync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'syncFolder';

export interface SimFault {
  readonly operation: SimOperation;
  /** Only for paths that contain this. */
  readonly path?: string;
  /** `EIO`, `ENOSPC`, ... */
  readonly code: string;
  /** Calls that still succeed before. */
  readonly after?: number;
  /** How often it fails; default 1. */
  readonly times?: number;
}

export interface SimDiskOptions {
  readonly random?: SeededRandom;
  /** For modification times. */
  readonly clock?: Clock;
  /** Bytes of file content that fit; more fails with ENOSPC after a partial write. */
  readonly capacityBytes?: number;
  /** Awaited by every asynchronous call before it takes effect; default: the next microtask. */
  readonly delay?: () => Promise<void>;
}

/**
 * A disk in memory that fails as disks do. What was not synced may be lost in a power cut, sector by sector; creations,
 * renames and removals come undone unless their folder was synced; single calls fail on demand; it can be full.
 */
export class SimDisk implements Disk {
  readonly concurrency = 4;
  readonly random: SeededRandom;
  readonly #clock: Clock | null;
  readonly #delay: () => Promise<void>;
  readonly #root = new SimFolderNode();
  readonly #replacements = new Replacements();
  readonly #faults: { fault: SimFault; skip: number; left: number }[] = [];
  readonly #locks = new Set<string>();
  #capacityBytes: number;
  #generation = 0;

  constructor(options: SimDiskOptions = {}) {
    this.random = options.random ?? new SeededRandom(1);
    this.#clock = options.clock ?? null;
    this.#capacityBytes = options.capacityBytes ?? Infinity;
    this.#delay = options.delay ?? (() => Promise.resolve());
  }

  /** The process dies (kill -9): nothing written is lost, but handles and locks are gone. */
  crash(): void {
    this.#generation++;
    this.#locks.clear();
    this.#faults.length = 0;
  }

  /** The machine loses power. */
  cutPower(): void {
    this.crash();
    this.#root.cutPower(this.random);
  }

  inject(fault: SimFault): void {
    this.#faults.push({ fault, skip: fault.after ?? 0, left: fault.times ?? 1 });
  }

  /** The disk works again. */
  clearFaults(): void {
    this.#faults.length = 0;
  }

  /** Somebody fills the volume, or makes room. */
  setCapacity(bytes: number): void {
    this.#capacityBytes = bytes;
  }

  /** Content of all files as readers see it. */
  usedBytes(): number {
    return usedBy(this.#root);
  }

  /** Damages a file: flips one bit, as a bad cable or an ageing medium does. */
  flipBit(path: string, position: number, bit: number): void {
    this.#fileAt(path).flipBit(position, bit);
  }

  /** Counts the restarts; a handle of an earlier one is of no use. */
  get generation(): number {
    return this.#generation;
  }

  openSync(path: string, mode: 'read' | 'append'): DiskFile {
    this.check('open', path);
    const { folder, name } = this.#parentOf(path);
    let node = folder.entries.get(name);
    if (node === undefined) {
      if (mode === 'read') throw diskError('ENOENT', 'open', path);
      node = new SimFileNode();
      this.touch(node);
      folder.apply([[name, node]]);
    }
    if (node instanceof SimFolderNode) throw diskError('EISDIR', 'open', path);
    return new SimFile(this, { node, path, isWritable: mode === 'append' });
  }

  readFileSync(path: string): Buffer {
    this.check('read', path);
    const node = this.#fileAt(path);
    return Buffer.from(node.content.subarray(0, node.length));
  }

  replaceFile(path: string, content: Buffer | string): Promise<void> {
    return this.#replacements.run(path, async (isNewest) => {
      await this.settle();
      if (isNewest()) this.#replace(path, content);
    });
  }

  replaceFileSync(path: string, content: Buffer | string): void {
    this.#replacements.overtake(path);
    this.#replace(path, content);
  }

  /** By the same single steps as the real one, so that each of them can fail or come undone. */
  #replace(path: string, content: Buffer | string): void {
    const temporary = `${path}.tmp`;
    const file = this.openSync(temporary, 'append');
    file.truncateSync(0);
    file.writeSync([Buffer.from(content)], 0);
    file.datasyncSync();
    file.closeSync();
    this.renameSync(temporary, path);
    this.syncFolderSync(parentPath(path));
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
    return [...this.#folderAt(folder).entries.keys()].sort();
  }

  isDirectorySync(path: string): boolean {
    return this.#find(path) instanceof SimFolderNode;
  }

  mkdirSync(path: string): void {
    let folder = this.#root;
    for (const part of partsOf(path)) {
      let next = folder.entries.get(part);
      if (next === undefined) {
        this.check('mkdir', path);
        next = new SimFolderNode();
        folder.apply([[part, next]]);
      }
      if (next instanceof SimFileNode) throw diskError('ENOTDIR', 'mkdir', path);
      folder = next;
    }
  }

  /** Within one folder only, which is all that a broker needs. */
  renameSync(from: string, to: string): void {
    this.check('rename', from);
    const source = this.#parentOf(from);
    const target = this.#parentOf(to);
    if (source.folder !== target.folder) throw diskError('EXDEV', 'rename', from);
    const node = source.folder.entries.get(source.name);
    if (node === undefined) throw diskError('ENOENT', 'rename', from);
    source.folder.apply([
      [source.name, null],
      [target.name, node],
    ]);
  }

  unlinkSync(path: string): void {
    this.check('unlink', path);
    const parent = this.#find(parentPath(path));
    if (!(parent instanceof SimFolderNode)) return;
    const name = partsOf(path).at(-1)!;
    if (parent.entries.has(name)) parent.apply([[name, null]]);
  }

  async unlink(path: string): Promise<void> {
    await this.settle();
    this.unlinkSync(path);
  }

  async removeFolder(folder: string): Promise<void> {
    await this.settle();
    this.unlinkSync(folder);
  }

  async syncFolder(folder: string): Promise<void> {
    await this.settle();
    this.syncFolderSync(folder);
  }

  syncFolderSync(folder: string): void {
    const node = this.#folderAt(folder);
    this.check('syncFolder', folder);
    node.sync();
  }

  async statVolume(): Promise<{ totalBytes: number; usableBytes: number }> {
    const totalBytes = Math.min(this.#capacityBytes, 2 ** 40);
    return { totalBytes, usableBytes: Math.max(0, totalBytes - this.usedBytes()) };
  }

  lockSync(path: string): DiskLock | false {
    if (this.#locks.has(path)) return false;
    this.openSync(path, 'append').closeSync();
    this.#locks.add(path);
    const generation = this.#generation;
    return {
      releaseSync: () => {
        if (generation === this.#generation) this.#locks.delete(path);
      },
    };
  }

  isLockedSync(path: string): boolean {
    return this.#locks.has(path);
  }

  /** Throws if a fault was injected for this call. */
  check(operation: SimOperation, path: string): void {
    for (const each of this.#faults) {
      const { fault } = each;
      if (each.left === 0 || fault.operation !== operation) continue;
      if (fault.path !== undefined && !path.includes(fault.path)) continue;
      if (each.skip > 0) {
        each.skip--;
        continue;
      }
      each.left--;
      throw diskError(fault.code, operation, path);
    }
  }

  /** Bytes that a file may still grow by. */
  get freeBytes(): number {
    return this.#capacityBytes === Infinity ? Infinity : Math.max(0, this.#capacityBytes - this.usedBytes());
  }

  /** Lets the time of an asynchronous call pass; fails when the machine went down meanwhile. */
  async settle(generation = this.#generation): Promise<void> {
    await this.#delay();
    if (generation !== this.#generation) throw diskError('EIO', 'settle', 'the process is gone');
  }

  /** Sets the modification time. */
  touch(node: SimFileNode): void {
    node.modifiedMs = this.#clock?.nowMs() ?? 0;
  }

  /** The node at a path; null when there is none. */
  #find(path: string): SimNode | null {
    let node: SimNode = this.#root;
    for (const part of partsOf(path)) {
      if (node instanceof SimFileNode) return null;
      const next: SimNode | undefined = node.entries.get(part);
      if (next === undefined) return null;
      node = next;
    }
    return node;
  }

  #fileAt(path: string): SimFileNode {
    const node = this.#find(path);
    if (node === null) throw diskError('ENOENT', 'open', path);
    if (node instanceof SimFolderNode) throw diskError('EISDIR', 'read', path);
    return node;
  }

  #folderAt(path: string): SimFolderNode {
    const node = this.#find(path);
    if (node === null) throw diskError('ENOENT', 'scandir', path);
    if (node instanceof SimFileNode) throw diskError('ENOTDIR', 'scandir', path);
    return node;
  }

  #parentOf(path: string): { folder: SimFolderNode; name: string } {
    return { folder: this.#folderAt(parentPath(path)), name: partsOf(path).at(-1)! };
  }
}

/** An open handle. It refers to the node, not to the name, so it survives renames and removals as on Linux. */
class SimFile implements DiskFile {
  readonly path: string;
  readonly #disk: SimDisk;
  readonly #node: SimFileNode;
  readonly #isWritable: boolean;
  readonly #generation: number;
  #isClosed = false;

  constructor(disk: SimDisk, options: { node: SimFileNode; path: string; isWritable: boolean }) {
    this.#disk = disk;
    this.#node = options.node;
    this.path = options.path;
    this.#isWritable = options.isWritable;
    this.#generation = disk.generation;
  }

  writeSync(buffers: readonly Buffer[], position: number): void {
    this.#use('write');
    if (!this.#isWritable) throw diskError('EBADF', 'write', this.path);
    let at = position;
    for (const buffer of buffers) {
      const growth = Math.max(0, at + buffer.length - this.#node.length);
      const { freeBytes } = this.#disk;
      // What fits is written before the error, as a real file system does it.
      if (growth > freeBytes) {
        this.#node.write(buffer.subarray(0, buffer.length - growth + freeBytes), at);
        throw diskError('ENOSPC', 'write', this.path);
      }
      this.#node.write(buffer, at);
      at += buffer.length;
    }
    this.#disk.touch(this.#node);
  }

  /** Some first part is there at once, as a kernel copies page by page; the process may die before the rest. */
  async write(buffers: readonly Buffer[], position: number): Promise<void> {
    const bytes = Buffer.concat(buffers);
    const early = this.#disk.random.nextInt(bytes.length + 1);
    this.writeSync([bytes.subarray(0, early)], position);
    await this.#disk.settle(this.#generation);
    this.writeSync([Buffer.concat(buffers).subarray(early)], position + early);
  }

  readSync(target: Buffer, targetOffset: number, length: number, position: number): number {
    this.#use('read');
    const count = Math.max(0, Math.min(length, this.#node.length - position));
    this.#node.content.copy(target, targetOffset, position, position + count);
    return count;
  }

  async read(target: Buffer, targetOffset: number, length: number, position: number): Promise<number> {
    await this.#disk.settle(this.#generation);
    return this.readSync(target, targetOffset, length, position);
  }

  /** Some of it is in memory, or all, or nothing: as it happens. */
  // oxlint-disable-next-line max-params -- the port's signature, which is that of the system call
  readCached(target: Buffer, targetOffset: number, length: number, position: number): number {
    if (this.#isClosed || this.#generation !== this.#disk.generation) return -1;
    const luck = this.#disk.random.nextInt(4);
    if (luck === 0) return -1;
    const there = luck === 1 ? 1 + this.#disk.random.nextInt(length) : length;
    const count = Math.max(0, Math.min(there, this.#node.length - position));
    this.#node.content.copy(target, targetOffset, position, position + count);
    return count;
  }

  async datasync(): Promise<void> {
    this.#alive();
    const begun = this.#node.beginSync();
    await this.#disk.settle(this.#generation);
    this.#finishSync(begun);
  }

  datasyncSync(): void {
    this.#finishSync(this.#node.beginSync());
  }

  /** Takes effect when the call ends: a power cut in the middle of it leaves the data unsynced. */
  #finishSync(begun: { sectors: Set<number>; length: number }): void {
    try {
      this.#use('datasync');
    } catch (error) {
      this.#node.failSync(begun);
      throw error;
    }
    this.#node.finishSync(begun);
  }

  truncateSync(length: number): void {
    this.#use('truncate');
    this.#node.truncate(length);
    this.#disk.touch(this.#node);
  }

  sizeSync(): number {
    return this.#node.length;
  }

  closeSync(): void {
    this.#isClosed = true;
  }

  /** Every call passes here: is the process alive, is the handle open, was a fault injected. */
  #use(operation: SimOperation): void {
    this.#alive();
    this.#disk.check(operation, this.path);
  }

  #alive(): void {
    if (this.#generation !== this.#disk.generation)
      throw diskError('EIO', 'use', `${this.path} (the process is gone)`);
    if (this.#isClosed) throw diskError('EBADF', 'use', this.path);
  }
}

function usedBy(folder: SimFolderNode): number {
  let bytes = 0;
  for (const node of folder.entries.values())
    bytes += node instanceof SimFileNode ? node.length : usedBy(node);
  return bytes;
}
