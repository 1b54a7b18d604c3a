import { SeededRandom, SimDisk } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import type { Log, LogReadOptions, LogSlice } from '../../src/index.ts';
import { ALL, batchOf, client, logConfig, openManager, TP } from '../support/fixtures.ts';

const FOLDER = '/data/orders-0';
const SEGMENT_BYTES = 1024 * 1024;
const BATCHES = 120;

/** A log of several segments whose records are in files only, on a disk that has any part of them in memory. */
async function coldLog(seed = 1) {
  const disk = new SimDisk({ random: new SeededRandom(seed) });
  const config = logConfig({ segmentBytes: SEGMENT_BYTES, fileDeleteDelayMs: 0 });
  const random = new SeededRandom(seed);
  const writer = await openManager(['/data'], { config, disk });
  const log = writer.getOrCreate(TP, null, config);
  const batches: Buffer[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const batch = batchOf(1 + random.nextInt(3), { valueBytes: random.nextInt(40_000), timestamp: i });
    log.append(batch, client);
    batches.push(batch);
  }
  await writer.close();
  const manager = await openManager(['/data'], { config, disk });
  return { manager, disk, log: manager.get(TP)!, bytes: Buffer.concat(batches) };
}

async function contentOf(slice: LogSlice): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = 0; at < slice.length;) {
    const piece = await slice.pieceAt(at);
    pieces.push(Buffer.from(piece.bytes));
    at += piece.bytes.length;
    piece.release();
  }
  return Buffer.concat(pieces);
}

/** A slice that begins where a reader stopped; several tries, since the end of one may not be in memory. */
async function sliceOf(log: Log, options: LogReadOptions): Promise<{ slice: LogSlice; offset: number }> {
  for (let tries = 0; tries < 1000; tries++) {
    const read = await log.read(0, { ...ALL, maxBytes: 100_000 });
    read.lease?.release();
    const slice = log.slice(read.nextOffset, options);
    if (slice !== null) return { slice, offset: read.nextOffset };
  }
  throw new Error('No slice in a thousand tries');
}

const LARGE = { ...ALL, maxBytes: 300_000 };

describe('a slice', () => {
  test.each([1, 2, 3, 4, 5])(
    'goes on where a reader stopped, with the same batches (seed %i)',
    async (seed) => {
      const { manager, log, bytes } = await coldLog(seed);
      const random = new SeededRandom(seed);
      const found: Buffer[] = [];
      let slices = 0;
      for (let offset = 0; offset < log.logEndOffset;) {
        const options = { ...ALL, maxBytes: 80_000 + random.nextInt(500_000) };
        const slice = log.slice(offset, options);
        if (slice !== null) {
          slices++;
          expect(slice.length).toBeLessThanOrEqual(options.maxBytes);
          found.push(await contentOf(slice));
          slice.release();
          offset = slice.nextOffset;
          continue;
        }
        const read = await log.read(offset, options);
        found.push(...read.batches.map((batch) => Buffer.from(batch)));
        read.lease?.release();
        offset = read.nextOffset;
      }
      expect(Buffer.concat(found).equals(bytes)).toBe(true);
      expect(slices).toBeGreaterThan(3);
      await manager.close();
    },
  );

  test('ends below the offset that the reader may see', async () => {
    const { manager, log } = await coldLog();
    const { slice, offset } = await sliceOf(log, LARGE);
    for (let upToOffset = offset; upToOffset <= slice.nextOffset; upToOffset++) {
      const bounded = log.slice(offset, { ...LARGE, upToOffset });
      if (upToOffset < slice.nextOffset) expect(bounded).toBeNull();
      bounded?.release();
    }
    slice.release();
    await manager.close();
  });

  test('is none where nobody stopped, below the log start, or for a few bytes', async () => {
    const { manager, log } = await coldLog();
    const { slice, offset } = await sliceOf(log, LARGE);
    slice.release();
    expect(log.slice(offset + 1, LARGE)).toBeNull();
    expect(log.slice(offset, { ...LARGE, maxBytes: 10_000 })).toBeNull();
    log.updateHighWatermark(log.logEndOffset);
    log.maybeIncrementLogStartOffset(offset + 1);
    expect(log.slice(offset, LARGE)).toBeNull();
    await manager.close();
  });

  test('can be read when its segment has been removed meanwhile', async () => {
    const { manager, log, bytes } = await coldLog();
    const { slice } = await sliceOf(log, LARGE);
    log.truncateFullyAndStartAt(1000);
    expect(bytes.includes(await contentOf(slice))).toBe(true);
    slice.release();
    expect(() => slice.pieceAt(0)).toThrow(/after its release/);
    await manager.close();
  });

  test('that is released under a read keeps its file until the read ends', async () => {
    const { manager, log } = await coldLog();
    for (let tries = 0; tries < 50; tries++) {
      const { slice } = await sliceOf(log, LARGE);
      const piece = slice.pieceAt(0);
      slice.release();
      if (!(piece instanceof Promise)) continue;
      log.truncateFullyAndStartAt(1000);
      // The handle was dropped: only the read holds it.
      expect((await piece).bytes.length).toBe(slice.length);
      await manager.close();
      return;
    }
    throw new Error('Every piece was in memory');
  });

  test('that the disk refuses takes the directory offline', async () => {
    const { manager, disk, log } = await coldLog();
    const { slice } = await sliceOf(log, LARGE);
    disk.inject({ operation: 'read', path: FOLDER, code: 'EIO', times: 1 });
    let error: unknown = null;
    for (let tries = 0; tries < 50 && error === null; tries++) {
      await Promise.resolve(slice.pieceAt(0)).then(
        (piece) => piece.release(),
        (reason: unknown) => (error = reason),
      );
    }
    expect(error).toMatchObject({ errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
    expect(log.isOffline).toBe(true);
    await manager.close();
  });

  test('of a file that has become shorter is an error, and no more than that', async () => {
    const { manager, disk, log } = await coldLog();
    const { slice } = await sliceOf(log, LARGE);
    disk.openSync(`${FOLDER}/00000000000000000000.log`, 'append').truncateSync(150_000);
    await expect(contentOf(slice)).rejects.toMatchObject({ errorCode: ErrorCodes.CORRUPT_MESSAGE });
    expect(log.isOffline).toBe(false);
    slice.release();
    await manager.close();
  });
});
