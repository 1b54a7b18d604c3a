import { describe, expect, test } from 'vitest';
import { SeededRandom, SimDisk } from '../src/index.ts';

function newDisk(seed = 1, capacityBytes = Infinity): SimDisk {
  const disk = new SimDisk({ random: new SeededRandom(seed), capacityBytes });
  disk.mkdirSync('/d');
  disk.syncFolderSync('/');
  return disk;
}

describe('a simulated power cut', () => {
  test('keeps what was synced, and of the rest any sectors', () => {
    const outcomes = new Set<string>();
    for (let seed = 0; seed < 60; seed++) {
      const disk = newDisk(seed);
      const file = disk.openSync('/d/a', 'append');
      file.writeSync([Buffer.alloc(1024, 'a')], 0);
      file.datasyncSync();
      disk.syncFolderSync('/d');
      file.writeSync([Buffer.alloc(1024, 'b')], 1024);
      disk.cutPower();
      const left = disk.readFileSync('/d/a');
      expect(left.subarray(0, 1024)).toEqual(Buffer.alloc(1024, 'a'));
      expect(left.length).toBeLessThanOrEqual(2048);
      outcomes.add(`${left.length > 1024} ${left[1024]} ${left[1536]}`);
    }
    // Nothing, everything, the first sector only, the second one only after a hole of zeros.
    expect(outcomes.size).toBeGreaterThan(4);
  });

  test('undoes creations, renames and removals in folders that were not synced', () => {
    const left = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const disk = newDisk(seed);
      disk.openSync('/d/old', 'append');
      disk.syncFolderSync('/d');
      disk.openSync('/d/new', 'append');
      disk.renameSync('/d/old', '/d/renamed');
      disk.cutPower();
      left.add(disk.listSync('/d').join());
    }
    expect([...left].sort()).toEqual(['new,old', 'new,renamed', 'old']);
  });

  test('a failed sync loses its data although the next sync succeeds', () => {
    const disk = newDisk();
    const file = disk.openSync('/d/a', 'append');
    disk.syncFolderSync('/d');
    file.writeSync([Buffer.alloc(512, 'a')], 0);
    disk.inject({ operation: 'datasync', path: '/d/a', code: 'EIO' });
    expect(() => file.datasyncSync()).toThrow('EIO');
    file.datasyncSync();
    disk.cutPower();
    expect(disk.readFileSync('/d/a').equals(Buffer.alloc(512, 'a'))).toBe(false);
  });

  test('ends all handles and locks', async () => {
    const disk = newDisk();
    const file = disk.openSync('/d/a', 'append');
    expect(disk.lockSync('/d/.lock')).not.toBe(false);
    const sync = file.datasync();
    disk.crash();
    await expect(sync).rejects.toThrow('gone');
    expect(() => file.writeSync([Buffer.alloc(1)], 0)).toThrow('gone');
    expect(disk.lockSync('/d/.lock')).not.toBe(false);
  });
});

test('a full disk takes part of a write and refuses the rest', () => {
  const disk = newDisk(1, 1000);
  const file = disk.openSync('/d/a', 'append');
  expect(() => file.writeSync([Buffer.alloc(1500)], 0)).toThrow('ENOSPC');
  expect(disk.sizeSync('/d/a')).toBe(1000);
});

test('a fault strikes the calls it was made for', () => {
  const disk = newDisk();
  disk.inject({ operation: 'write', path: '/d/b', code: 'EIO', after: 1, times: 2 });
  const [a, b] = ['/d/a', '/d/b'].map((path) => disk.openSync(path, 'append'));
  const attempts = [a, b, b, b, b].map((file) => {
    try {
      file!.writeSync([Buffer.alloc(1)], 0);
      return 'ok';
    } catch (error) {
      return (error as NodeJS.ErrnoException).code;
    }
  });
  expect(attempts).toEqual(['ok', 'ok', 'EIO', 'EIO', 'ok']);
});
