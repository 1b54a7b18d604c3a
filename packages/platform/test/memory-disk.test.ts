import { expect, test } from 'vitest';
import { MemoryDisk, SeededRandom, SimClock } from '../src/index.ts';

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

test.each([1, 2, 3, 4])(
  'random writes, truncations and reads in memory are those of one long buffer (seed %i)',
  (seed) => {
    const random = new SeededRandom(seed);
    const file = new MemoryDisk({ clock: new SimClock() }).openSync('/a', 'append');
    let model: Buffer = Buffer.alloc(0);
    for (let step = 0; step < 150; step++) {
      const position = random.nextInt(random.chance(0.5) ? 2_000 : 900_000);
      if (random.chance(0.2)) {
        file.truncateSync(position);
        model = resized(model, position);
      } else {
        const bytes = Buffer.alloc(random.nextInt(random.chance(0.5) ? 500 : 600_000), step + 1);
        const cut = random.nextInt(bytes.length + 1);
        file.writeSync([bytes.subarray(0, cut), bytes.subarray(cut)], position);
        if (bytes.length > 0) model = resized(model, Math.max(model.length, position + bytes.length));
        bytes.copy(model, position);
      }
      expect(file.sizeSync()).toBe(model.length);
      const target = Buffer.alloc(random.nextInt(700_000));
      const from = random.nextInt(1_000_000);
      const count = file.readSync(target, 0, target.length, from);
      expect(target.subarray(0, Math.max(0, count)).equals(model.subarray(from, from + target.length))).toBe(
        true,
      );
    }
  },
);

function resized(bytes: Buffer, length: number): Buffer {
  const other = Buffer.alloc(length);
  bytes.copy(other);
  return other;
}
