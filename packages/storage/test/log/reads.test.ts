import { SimDisk } from '@ottla/platform';
import { expect, test } from 'vitest';
import { ALL, batchOf, client, logConfig, openManager, TP } from '../support/fixtures.ts';
import { temporaryFolder } from '../support/temp-dir.ts';

/** A log whose records are in files only. */
async function coldLog(batches: readonly Buffer[], tailCacheBytes = 64 * 1024 * 1024) {
  const dir = temporaryFolder();
  const config = logConfig({ maxMessageBytes: 8 * 1024 * 1024 });
  const writer = await openManager([dir], { config });
  const log = writer.getOrCreate(TP, null, config);
  for (const batch of batches) log.append(batch, client);
  await writer.close();
  const manager = await openManager([dir], { config, tailCacheBytes });
  return { manager, log: manager.get(TP)! };
}

/** Limits that end within a batch: at its first byte, in its header, beyond what one read of the file brings. */
test.each([0, 1, 100, 70_000])(
  'a batch larger than the limit of %i bytes is read whole from the file',
  async (maxBytes) => {
    const sizes = [10, 100_000, 20, 600_000, 2_000_000, 30];
    const { manager, log } = await coldLog(sizes.map((valueBytes) => batchOf(1, { valueBytes })));
    for (let offset = 0; offset < sizes.length; offset++) {
      const read = await log.read(offset, { ...ALL, maxBytes });
      expect(read.nextOffset).toBeGreaterThan(offset);
      expect(Buffer.concat(read.batches).readBigInt64BE(0)).toBe(BigInt(offset));
      read.lease?.release();
    }
    await manager.close();
  },
);

test('readers that keep what they read get less and less, but always a batch', async () => {
  const count = 40;
  const { manager, log } = await coldLog(
    Array.from({ length: count }, () => batchOf(1, { valueBytes: 1_000_000 })),
    1024 * 1024,
  );
  const held = [];
  let limited = 0;
  let heldBytes = 0;
  for (let reader = 0; reader < 20; reader++) {
    const read = await log.read(reader, { ...ALL, maxBytes: 16 * 1024 * 1024 });
    expect(read.nextOffset).toBeGreaterThan(reader);
    if (read.isLimited) limited++;
    heldBytes += read.sizeInBytes;
    held.push(read);
  }
  expect(limited).toBeGreaterThan(10);
  // What was granted in full, and one batch for everybody else.
  expect(heldBytes).toBeLessThan((96 + 16 + 20) * 1024 * 1024);
  for (const read of held) read.lease!.release();
  const after = await log.read(0, { ...ALL, maxBytes: 16 * 1024 * 1024 });
  expect(after.isLimited ?? false).toBe(false);
  expect(after.sizeInBytes).toBeGreaterThan(15_000_000);
  await manager.close();
});

test('what a reader of the tail holds while memory is scarce does not change', async () => {
  const manager = await openManager([temporaryFolder()], { tailCacheBytes: 2 * 1024 * 1024 });
  const log = manager.getOrCreate(TP, null, logConfig());
  const held = [];
  for (let i = 0; i < 400; i++) {
    const batch = batchOf(1, { valueBytes: 500_000, timestamp: i });
    log.append(batch, client);
    const read = await log.read(i, ALL);
    held.push({ read, expected: Buffer.from(batch) });
  }
  expect(held.some(({ read }) => read.isLimited === true)).toBe(true);
  for (const { read, expected } of held) {
    expect(Buffer.concat(read.batches).equals(expected)).toBe(true);
    read.lease!.release();
  }
  await manager.close();
});

/** A disk whose reads have their bytes, but are not told before the gate is open. */
function gatedDisk(): { disk: SimDisk; openGate: () => void } {
  const disk = new SimDisk();
  let openGate = (): void => {};
  const gate = new Promise<void>((resolve) => (openGate = resolve));
  const open = disk.openSync.bind(disk);
  disk.openSync = (path, mode) => {
    const file = open(path, mode);
    const read = file.read.bind(file);
    file.read = async (...range) => {
      const count = await read(...range);
      await gate;
      return count;
    };
    return file;
  };
  return { disk, openGate };
}

test('a read that ends after the log was cut leaves no mark of the old file', async () => {
  const { disk, openGate } = gatedDisk();
  const config = logConfig();
  const manager = await openManager(['/data'], { config, disk, tailCacheBytes: 1 });
  const log = manager.getOrCreate(TP, null, config);
  const append = (count: number, valueBytes: number): void => {
    for (let i = 0; i < count; i++) log.append(batchOf(1, { valueBytes, timestamp: i }), client);
  };
  append(40, 5000);
  const pending = log.read(0, { ...ALL, maxBytes: 100_000 });
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  log.truncateTo(3);
  append(60, 3000);
  openGate();
  const { nextOffset } = await pending;
  expect(nextOffset).toBeGreaterThan(10);
  const slices = Array.from({ length: 20 }, () => log.slice(nextOffset, { ...ALL, maxBytes: 70_000 }));
  expect(slices.every((slice) => slice === null)).toBe(true);
  const read = await log.read(nextOffset, ALL);
  expect(Buffer.concat(read.batches).readBigInt64BE(0)).toBe(BigInt(nextOffset));
  await manager.close();
});
