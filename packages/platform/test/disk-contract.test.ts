import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryDisk, NodeDisk, SimClock, SimDisk, type Disk } from '../src/index.ts';
import { pageCacheRead } from '../src/node-page-cache.ts';

/** What every disk must do; all of them run the same cases. */
const disks: { name: string; make: () => { disk: Disk; root: string; remove: () => void } }[] = [
  {
    name: 'NodeDisk',
    make: () => {
      const root = mkdtempSync(path.join(tmpdir(), 'ottla-disk-'));
      return { disk: new NodeDisk(), root, remove: () => rmSync(root, { recursive: true, force: true }) };
    },
  },
  {
    name: 'SimDisk',
    make: () => {
      const disk = new SimDisk({ clock: new SimClock() });
      disk.mkdirSync('/data');
      return { disk, root: '/data', remove: () => {} };
    },
  },
  {
    name: 'MemoryDisk',
    make: () => {
      const disk = new MemoryDisk({ clock: new SimClock() });
      disk.mkdirSync('/data');
      return { disk, root: '/data', remove: () => {} };
    },
  },
];

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'no code';
  }
  return 'no error';
}

describe.each(disks)('$name', ({ name, make }) => {
  /** The real file system says so only where `koffi` could be loaded. */
  const canTell = name !== 'NodeDisk' || pageCacheRead() !== null;
  let disk: Disk;
  let root: string;
  let remove: () => void;
  beforeEach(() => ({ disk, root, remove } = make()));
  afterEach(() => remove());

  test('writes pieces at a position and reads them back, both ways', async () => {
    const file = disk.openSync(`${root}/a`, 'append');
    file.writeSync([Buffer.from('hello '), Buffer.from('big '), Buffer.from('world')], 0);
    file.writeSync([Buffer.from('tiny')], 6);
    const target = Buffer.alloc(20, '.');
    expect(file.readSync(target, 2, 15, 0)).toBe(15);
    expect(target.toString()).toBe('..hello tinyworld...');
    expect(await file.read(target, 0, 10, 10)).toBe(5);
    expect(target.subarray(0, 5).toString()).toBe('world');
    expect(await file.read(target, 0, 10, 15)).toBe(0);
    file.closeSync();
  });

  test('reads what is in the page cache, if it can tell', () => {
    const file = disk.openSync(`${root}/a`, 'append');
    file.writeSync([Buffer.from('hello world')], 0);
    const tries = Array.from({ length: 100 }, () => {
      const target = Buffer.alloc(8, '.');
      const count = file.readCached(target, 1, 5, 6);
      expect(count).toBeGreaterThanOrEqual(-1);
      expect(target.toString()).toBe(`.${'world'.slice(0, Math.max(0, count)).padEnd(7, '.')}`);
      return count;
    });
    // It was just written, so wherever somebody can tell it is there.
    expect(Math.max(...tries)).toBe(canTell ? 5 : -1);
    expect(file.readCached(Buffer.alloc(4), 0, 4, 11)).toBeLessThanOrEqual(0);
    file.closeSync();
    expect(file.readCached(Buffer.alloc(4), 0, 4, 0)).toBe(-1);
  });

  test.each(['writeSync', 'write'] as const)(
    '%s writes more pieces than one system call takes',
    async (write) => {
      const file = disk.openSync(`${root}/a`, 'append');
      file.writeSync([Buffer.from('head')], 0);
      const pieces = Array.from({ length: 2500 }, (_, i) => Buffer.from([i & 255, i >> 8]));
      await file[write](pieces, 4);
      expect(disk.readFileSync(`${root}/a`).equals(Buffer.concat([Buffer.from('head'), ...pieces]))).toBe(
        true,
      );
      file.closeSync();
    },
  );

  test('a write through a closed handle fails, both ways', async () => {
    const file = disk.openSync(`${root}/a`, 'append');
    file.closeSync();
    expect(() => file.writeSync([Buffer.from('x')], 0)).toThrow();
    await expect(file.write([Buffer.from('x')], 0)).rejects.toThrow();
    expect(disk.sizeSync(`${root}/a`)).toBe(0);
  });

  test('opens an existing file for appending without losing its content', () => {
    disk.replaceFileSync(`${root}/a`, 'abc');
    const file = disk.openSync(`${root}/a`, 'append');
    expect(file.sizeSync()).toBe(3);
    file.writeSync([Buffer.from('def')], 3);
    file.closeSync();
    expect(disk.readFileSync(`${root}/a`).toString()).toBe('abcdef');
  });

  test('truncates, and a later growth reads as zeros', () => {
    const file = disk.openSync(`${root}/a`, 'append');
    file.writeSync([Buffer.from('abcdef')], 0);
    file.truncateSync(2);
    expect(disk.sizeSync(`${root}/a`)).toBe(2);
    file.writeSync([Buffer.from('z')], 4);
    expect(disk.readFileSync(`${root}/a`)).toEqual(Buffer.from('ab\0\0z'));
    file.closeSync();
  });

  test('keeps what is longer than any piece it may be made of, across their borders', () => {
    const file = disk.openSync(`${root}/a`, 'append');
    const bytes = Buffer.from(Array.from({ length: 700_001 }, (_, i) => (i * 7) & 255));
    file.writeSync([bytes.subarray(0, 100), bytes.subarray(100, 300_000), bytes.subarray(300_000)], 0);
    expect(disk.readFileSync(`${root}/a`).equals(bytes)).toBe(true);
    const middle = Buffer.alloc(10);
    expect(file.readSync(middle, 0, 10, 262_140)).toBe(10);
    expect(middle.equals(bytes.subarray(262_140, 262_150))).toBe(true);
    file.truncateSync(262_145);
    file.writeSync([Buffer.from('z')], 600_000);
    const after = disk.readFileSync(`${root}/a`);
    expect(after.length).toBe(600_001);
    expect(after.subarray(0, 262_145).equals(bytes.subarray(0, 262_145))).toBe(true);
    expect(after.subarray(262_145, 600_000).every((byte) => byte === 0)).toBe(true);
    file.closeSync();
  });

  test('replaces a file whole, and leaves nothing else behind', async () => {
    await disk.replaceFile(`${root}/a`, 'one');
    await disk.replaceFile(`${root}/a`, Buffer.from('two'));
    disk.replaceFileSync(`${root}/b`, 'three');
    expect(disk.listSync(root)).toEqual(['a', 'b']);
    expect(disk.readFileSync(`${root}/a`).toString()).toBe('two');
  });

  test('keeps the newest of several replacements of a file, whichever ends first', async () => {
    const slow = disk.replaceFile(`${root}/a`, 'slow');
    disk.replaceFileSync(`${root}/a`, 'fast');
    await slow;
    expect(disk.readFileSync(`${root}/a`).toString()).toBe('fast');
    const older = disk.replaceFile(`${root}/a`, 'x'.repeat(2 ** 20));
    const newer = disk.replaceFile(`${root}/a`, 'newer');
    const other = disk.replaceFile(`${root}/b`, 'other');
    await older;
    expect(disk.readFileSync(`${root}/a`).toString()).toBe('newer');
    await Promise.all([newer, other]);
    expect(disk.listSync(root)).toEqual(['a', 'b']);
  });

  test('makes folders with their parents, lists, renames and removes them', async () => {
    disk.mkdirSync(`${root}/t-0/deep`);
    disk.mkdirSync(`${root}/t-0`);
    disk.replaceFileSync(`${root}/t-0/x`, '1');
    expect(disk.isDirectorySync(`${root}/t-0`)).toBe(true);
    expect(disk.isDirectorySync(`${root}/t-0/x`)).toBe(false);
    disk.renameSync(`${root}/t-0`, `${root}/t-1`);
    expect(disk.listSync(`${root}/t-1`)).toEqual(['deep', 'x']);
    await disk.syncFolder(root);
    disk.syncFolderSync(root);
    await disk.removeFolder(`${root}/t-1`);
    await disk.removeFolder(`${root}/t-1`);
    expect(disk.existsSync(`${root}/t-1`)).toBe(false);
  });

  test('keeps an open handle of a renamed or removed file usable', async () => {
    const file = disk.openSync(`${root}/a`, 'append');
    file.writeSync([Buffer.from('abc')], 0);
    disk.renameSync(`${root}/a`, `${root}/a.deleted`);
    await disk.unlink(`${root}/a.deleted`);
    disk.unlinkSync(`${root}/a.deleted`);
    const target = Buffer.alloc(3);
    expect(file.readSync(target, 0, 3, 0)).toBe(3);
    await file.datasync();
    file.datasyncSync();
    file.closeSync();
  });

  test('answers what is absent with ENOENT', () => {
    const missing = `${root}/missing`;
    const calls = [
      () => disk.openSync(missing, 'read'),
      () => disk.readFileSync(missing),
      () => disk.sizeSync(missing),
      () => disk.modifiedMsSync(missing),
      () => disk.listSync(missing),
      () => disk.renameSync(missing, `${root}/other`),
      () => disk.openSync(`${missing}/child`, 'append'),
    ];
    for (const call of calls) expect(codeOf(call)).toBe('ENOENT');
    expect(disk.existsSync(missing)).toBe(false);
  });

  test('refuses writes through a handle that was opened for reading', () => {
    disk.replaceFileSync(`${root}/a`, 'abc');
    const file = disk.openSync(`${root}/a`, 'read');
    expect(codeOf(() => file.writeSync([Buffer.from('x')], 0))).toBe('EBADF');
    file.closeSync();
  });

  test('gives a lock to one holder at a time', () => {
    const lock = disk.lockSync(`${root}/.lock`);
    expect(lock).not.toBe(false);
    expect(disk.lockSync(`${root}/.lock`)).toBe(false);
    expect(disk.isLockedSync(`${root}/.lock`)).toBe(true);
    if (lock !== false) lock.releaseSync();
    expect(disk.isLockedSync(`${root}/.lock`)).toBe(false);
    const again = disk.lockSync(`${root}/.lock`);
    expect(again).not.toBe(false);
    if (again !== false) again.releaseSync();
  });

  test('knows the space of its volume', async () => {
    const { totalBytes, usableBytes } = await disk.statVolume(root);
    expect(totalBytes).toBeGreaterThan(0);
    expect(usableBytes).toBeLessThanOrEqual(totalBytes);
  });
});

describe.skipIf(process.platform !== 'linux')('folders of NodeDisk', () => {
  // Node's own recursive mkdir never returns there.
  test('a folder that cannot be created in /proc is an error at once', () => {
    expect(() => new NodeDisk().mkdirSync('/proc/ottla/data')).toThrow('ENOENT');
  });
});
