import { expect, test } from 'vitest';
import { MemoryDisk, SimClock } from '../src/index.ts';

test('a full disk in memory refuses what does not fit, and has room again when files are gone', async () => {
  const disk = new MemoryDisk({ clock: new SimClock(), capacityBytes: 1000 });
  const file = disk.openSync('/a', 'append');
  file.writeSync([Buffer.alloc(900)], 0);
  expect(() => file.writeSync([Buffer.alloc(200)], 900)).toThrow('ENOSPC');
  expect(await disk.statVolume()).toEqual({ totalBytes: 1000, usableBytes: 100 });
  disk.unlinkSync('/a');
  expect(await disk.statVolume()).toEqual({ totalBytes: 1000, usableBytes: 1000 });
  disk.replaceFileSync('/b', Buffer.alloc(600));
  disk.replaceFileSync('/b', Buffer.alloc(300));
  expect((await disk.statVolume()).usableBytes).toBe(700);
});

test('a file in memory has the time of its last change', () => {
  const clock = new SimClock(5_000);
  const disk = new MemoryDisk({ clock });
  disk.replaceFileSync('/a', 'x');
  clock.advance(250);
  expect(disk.modifiedMsSync('/a')).toBe(5_000);
  const file = disk.openSync('/a', 'append');
  file.writeSync([Buffer.from('y')], 1);
  expect(disk.modifiedMsSync('/a')).toBe(5_250);
});
