import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeBatch } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import type { LogManager } from '../../src/index.ts';
import { batchOf, client, logConfig, openManager, settle, TP } from '../support/fixtures.ts';

const MARKER = '/data/.kafka_cleanshutdown';

function world(seed = 1) {
  const clock = new SimClock();
  const disk = new SimDisk({ clock, random: new SeededRandom(seed), delay: () => settle(1) });
  const failed: string[] = [];
  const open = (overrides: Parameters<typeof openManager>[1] = {}): Promise<LogManager> =>
    openManager(['/data'], {
      disk,
      clock,
      random: new SeededRandom(2),
      onDirFailure: (dir) => failed.push(dir),
      ...overrides,
    });
  return { clock, disk, failed, open };
}

describe('a clean shutdown', () => {
  test('makes durable what is appended while it flushes', async () => {
    const { disk, open } = world();
    const manager = await open();
    const log = manager.getOrCreate(TP, null, logConfig());
    log.append(batchOf(1), client);
    const closing = manager.close();
    for (let isOpen = true; isOpen;) {
      await settle(1);
      try {
        log.append(batchOf(1), client);
      } catch {
        isOpen = false;
      }
      // Nobody appends for ever.
      if (log.logEndOffset > 4) isOpen = false;
    }
    await closing;
    const end = log.logEndOffset;
    expect(end).toBeGreaterThan(2);
    expect(disk.existsSync(MARKER)).toBe(true);
    disk.cutPower();
    expect((await open()).get(TP)!.logEndOffset).toBe(end);
  });

  const files = ['.index', '.timeindex', '.snapshot'];
  const operations = ['open', 'write', 'datasync'] as const;
  test.each(files.flatMap((file) => operations.map((operation) => ({ file, operation }))))(
    'in which $operation of a $file fails leaves no marker',
    async ({ file, operation }) => {
      const { disk, failed, open } = world();
      const manager = await open();
      const log = manager.getOrCreate(TP, null, logConfig({ indexIntervalBytes: 100 }));
      for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
      await log.flush();
      disk.inject({ operation, path: file, code: 'EIO' });
      await manager.close();
      expect([failed, disk.existsSync(MARKER)]).toEqual([['/data'], false]);
      disk.crash();
      const again = (await open()).get(TP)!;
      expect(again.logEndOffset).toBe(10);
      expect((await again.offsetOfMaxTimestamp()).timestamp).toBe(1_700_000_000_000);
    },
  );
});

test('a producer is known after a power cut although retention has taken its records', async () => {
  const config = { segmentBytes: 300, retentionMs: 1 };
  for (let seed = 0; seed < 30; seed++) {
    const { clock, disk, open } = world(seed);
    const log = (await open({ config })).getOrCreate(TP, null, logConfig(config));
    const timestamp = clock.nowMs();
    const batch = batchOf(1, { producerId: 5, producerEpoch: 0, baseSequence: 0, timestamp });
    log.append(Buffer.from(batch), client);
    for (let i = 0; i < 10; i++) log.append(batchOf(1, { timestamp }), client);
    log.updateHighWatermark(log.logEndOffset);
    clock.advance(1000);
    log.deleteOldSegments();
    expect(log.logStartOffset).toBe(log.logEndOffset);
    await log.flush();
    disk.cutPower();
    const again = (await open({ config })).get(TP)!;
    expect(again.append(Buffer.from(batch), client), `seed ${seed}`).toMatchObject({
      duplicate: true,
      firstOffset: 0,
    });
  }
});

test('a segment whose index is made anew changes nothing about the leader epochs', async () => {
  const { clock, disk, open } = world();
  const config = { segmentBytes: 300, indexIntervalBytes: 50 };
  const log = (await open({ config })).getOrCreate(TP, null, logConfig(config));
  for (let i = 0; i < 40; i++) log.append(batchOf(1), { ...client, leaderEpoch: i < 20 ? 3 : 5 });
  log.updateHighWatermark(40);
  log.maybeIncrementLogStartOffset(2);
  await log.flush();
  clock.advance(60_000);
  await settle(50);
  disk.unlinkSync('/data/orders-0/00000000000000000000.index');
  disk.crash();
  const again = (await open({ config })).get(TP)!;
  expect(again.endOffsetForEpoch(3)).toEqual({ leaderEpoch: 3, endOffset: 20 });
});

describe('a disk that fails while the work of the background is looked for', () => {
  test('takes the directory offline: retention, which asks for the time of a file', async () => {
    const { clock, disk, failed, open } = world();
    const log = (await open()).getOrCreate(TP, null, logConfig({ retentionMs: 1 }));
    log.append(encodeBatch({ records: [{ timestamp: -1, value: Buffer.from('x') }] }), client);
    log.updateHighWatermark(1);
    disk.unlinkSync('/data/orders-0/00000000000000000000.log');
    clock.advance(60_000);
    expect(failed).toEqual(['/data']);
  });

  test('takes the directory offline: compaction, which asks for the first record of a segment', async () => {
    const { disk, failed, open } = world();
    const config = { compact: true, maxCompactionLagMs: 1000, segmentBytes: 300 };
    const settings = {
      backoffMs: 1e9,
      threads: 1,
      dedupeBufferBytes: 1e6,
      loadFactor: 0.9,
      maxBytesPerSecond: 1e12,
    };
    const options = { config, cleaner: { settings: () => settings } };
    const manager = await open(options);
    const log = manager.getOrCreate(TP, null, logConfig(config));
    for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
    await manager.close();
    const again = await open(options);
    disk.inject({ operation: 'read', path: '00000000000000000000.log', code: 'EIO' });
    await again.compactNow();
    expect(failed).toEqual(['/data']);
  });
});
