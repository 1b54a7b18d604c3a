import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { describe, expect, test } from 'vitest';
import type { LogManager } from '../../src/index.ts';
import { ALL, batchOf, client, logConfig, offsetsOf, openManager, settle, TP } from '../support/fixtures.ts';

const LOG_FILE = '/data/orders-0/00000000000000000000.log';

/** A disk whose calls take a random time, so that what overlaps does so in another way with each seed. */
function world(seed: number) {
  const clock = new SimClock();
  const random = new SeededRandom(seed);
  const turns = new SeededRandom(seed + 1000);
  const disk = new SimDisk({ clock, random, delay: () => settle(1 + turns.nextInt(12)) });
  const open = (overrides: Parameters<typeof openManager>[1] = {}, dirs = ['/data']): Promise<LogManager> =>
    openManager(dirs, { disk, clock, random: new SeededRandom(2), ...overrides });
  return { clock, disk, random, open };
}

/** Ten records that are durable, and checkpoints that say so. */
async function filled({ clock, disk, open }: ReturnType<typeof world>): Promise<LogManager> {
  const manager = await open();
  const log = manager.getOrCreate(TP, null, logConfig());
  for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
  await log.flush();
  log.updateHighWatermark(10);
  log.maybeIncrementLogStartOffset(8);
  clock.advance(60_000);
  await settle(100);
  expect(disk.readFileSync('/data/recovery-point-offset-checkpoint').toString()).toContain('orders 0 10');
  return manager;
}

describe('a partition in the place of a deleted one', () => {
  test.each(['crash', 'power cut'])('inherits nothing from the checkpoints in a %s', async (how) => {
    for (let seed = 0; seed < 60; seed++) {
      const { clock, disk, random, open } = world(seed);
      const manager = await filled({ clock, disk, random, open });
      // The checkpoints are being written while the partition is deleted and comes back.
      if (random.chance(0.5)) clock.advance(60_000);
      await settle(random.nextInt(4));
      manager.asyncDelete(TP);
      await settle(random.nextInt(4));
      const log = manager.getOrCreate(TP, null, logConfig());
      log.append(batchOf(1), client);
      await log.flush();
      // The end of this one is torn by the power cut.
      log.append(batchOf(1, { valueBytes: 3000 }), client);
      if (how === 'crash') disk.crash();
      else disk.cutPower();
      const again = await open({
        onDamagedLog: (_, error) => expect.unreachable(`seed ${seed}: ${error.message}`),
      });
      const found = again.get(TP)!;
      expect([seed, found.logStartOffset]).toEqual([seed, 0]);
      expect((await offsetsOf(found))[0], `seed ${seed}`).toEqual([0, 0]);
    }
  });
});

describe('a log start behind what a power cut has left', () => {
  const other = { topic: 'other', partition: 0 };

  test.each([
    {
      title: 'while the checkpoints are written',
      write: async ({ clock, random }: ReturnType<typeof world>) => {
        clock.advance(60_000);
        await settle(random.nextInt(120));
      },
    },
    {
      title: 'when another topic has come back',
      write: (_: unknown, manager: LogManager) => {
        manager.asyncDelete(other);
        manager.getOrCreate(other, null, logConfig());
      },
    },
  ])('is no damage: $title', async ({ write }) => {
    for (let seed = 0; seed < 60; seed++) {
      const run = world(seed);
      const manager = await run.open();
      manager.getOrCreate(other, null, logConfig());
      const log = manager.getOrCreate(TP, null, logConfig());
      await log.flush();
      // With write.caching what is in the page cache is committed, and may be deleted.
      for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
      log.updateHighWatermark(10);
      log.maybeIncrementLogStartOffset(8);
      await write(run, manager);
      run.disk.cutPower();
      const found = (
        await run.open({
          onDamagedLog: (_, error) => expect.unreachable(`seed ${seed}: ${error.message}`),
        })
      ).get(TP)!;
      expect([0, 8], `seed ${seed}`).toContain(found.logStartOffset);
      expect(found.logEndOffset, `seed ${seed}`).toBeGreaterThanOrEqual(found.logStartOffset);
    }
  });
});

describe('a damaged log', () => {
  test.each(['crash', 'clean shutdown'])('is refused by every start, also after a %s', async (how) => {
    const { clock, disk, random, open } = world(1);
    await filled({ clock, disk, random, open });
    disk.crash();
    const size = disk.sizeSync(LOG_FILE);
    disk.flipBit(LOG_FILE, 400, 3);
    for (let start = 0; start < 3; start++) {
      const damaged: string[] = [];
      const manager = await open({ onDamagedLog: (_, error) => damaged.push(error.file) });
      expect(damaged).toEqual([LOG_FILE]);
      manager.getOrCreate({ topic: 'other', partition: 0 }, null, logConfig());
      clock.advance(60_000);
      await settle(100);
      if (how === 'crash') disk.crash();
      else await manager.close();
      expect(disk.sizeSync(LOG_FILE)).toBe(size);
    }
    disk.flipBit(LOG_FILE, 400, 3);
    const restored = (await open()).get(TP)!;
    expect([restored.logStartOffset, restored.logEndOffset]).toEqual([8, 10]);
  });

  const files: { title: string; file: string; content: string }[] = [
    { title: 'leader epochs', file: '/data/orders-0/leader-epoch-checkpoint', content: '0\n1\nx y\n' },
    { title: 'a topic id', file: '/data/orders-0/partition.metadata', content: 'version: 7\n' },
    { title: 'a log start', file: '/data/log-start-offset-checkpoint', content: '0\n1\norders 0 18\n' },
  ];
  test.each(files)(
    'by $title that cannot be is refused by every start, and alone',
    async ({ file, content }) => {
      const { clock, disk, random, open } = world(1);
      const manager = await filled({ clock, disk, random, open });
      manager.getOrCreate({ topic: 'other', partition: 0 }, null, logConfig());
      await manager.close();
      const before = disk.existsSync(file) ? disk.readFileSync(file) : null;
      disk.replaceFileSync(file, content);
      for (const how of ['clean', 'crash', 'crash']) {
        const damaged: string[] = [];
        const again = await open({ onDamagedLog: (_, error) => damaged.push(error.file) });
        expect([how, damaged, again.dirs()[0]!.online]).toEqual([how, [file], true]);
        expect(again.get({ topic: 'other', partition: 0 })).toBeDefined();
        clock.advance(60_000);
        await settle(100);
        disk.crash();
      }
      if (before === null) disk.unlinkSync(file);
      else disk.replaceFileSync(file, before);
      expect((await open()).get(TP)!.logEndOffset).toBe(10);
    },
  );

  test('can be deleted, and its partition created anew', async () => {
    const { clock, disk, random, open } = world(1);
    await filled({ clock, disk, random, open });
    disk.crash();
    disk.flipBit(LOG_FILE, 400, 3);
    const manager = await open({ onDirFailure: (_, error) => expect.unreachable(String(error)) });
    expect(() => manager.getOrCreate(TP, null, logConfig())).toThrow(LOG_FILE);
    manager.asyncDelete(TP);
    const log = manager.getOrCreate(TP, null, logConfig());
    log.append(batchOf(1), client);
    await log.flush();
    disk.cutPower();
    expect(await offsetsOf((await open()).get(TP)!)).toEqual([[0, 0]]);
    clock.advance(60_000);
    await settle(100);
    expect(disk.listSync('/data').filter((name) => name.startsWith('orders-0'))).toEqual(['orders-0']);
  });
});

test('a log that somebody puts into the directory of a running broker takes nothing offline', async () => {
  const { disk, open } = world(1);
  const manager = await open({ onDirFailure: (_, error) => expect.unreachable(String(error)) });
  disk.mkdirSync('/data/orders-0');
  disk.replaceFileSync(LOG_FILE, batchOf(1));
  expect(() => manager.getOrCreate(TP, null, logConfig())).toThrow('Restart the broker to load it');
  expect(manager.dirs()[0]!.online).toBe(true);
});

test('a log directory below folders that were not there survives a power cut', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { disk, open } = world(seed);
    const dirs = ['/var/lib/ottla/'];
    const log = (await open({}, dirs)).getOrCreate(TP, null, logConfig());
    log.append(batchOf(1), client);
    await log.flush();
    disk.cutPower();
    expect((await open({}, dirs)).get(TP)?.logEndOffset, `seed ${seed}`).toBe(1);
  }
});

test('a partition without records keeps its end when it is moved, whatever a power cut takes', async () => {
  for (let seed = 0; seed < 40; seed++) {
    const { clock, disk, open } = world(seed);
    const manager = await open({}, ['/a', '/b']);
    const log = manager.getOrCreate(TP, null, logConfig({ retentionMs: 1 }));
    for (let i = 0; i < 10; i++) log.append(batchOf(1, { timestamp: clock.nowMs() }), client);
    await log.flush();
    log.updateHighWatermark(10);
    clock.advance(1000);
    log.deleteOldSegments();
    await log.flush();
    expect([log.logStartOffset, log.logEndOffset]).toEqual([10, 10]);
    const copy = manager.createFuture(log, '/b');
    await copy.flush();
    await manager.prepareReplacement(copy);
    manager.replaceWithFuture(log, copy);
    disk.cutPower();
    expect((await open({}, ['/a', '/b'])).get(TP)?.logEndOffset, `seed ${seed}`).toBe(10);
  }
});

test('a copy is made anew when its log has other records by now, also where a start could not see it', async () => {
  const { disk, open } = world(3);
  const dirs = ['/a', '/b'];
  let manager = await open({}, dirs);
  let log = manager.getOrCreate(TP, null, logConfig());
  const append = (value: number): void =>
    void log.append(batchOf(1, { valueBytes: 2000, timestamp: value }), client);
  for (let i = 0; i < 3; i++) append(i);
  await log.flush();
  for (let i = 3; i < 8; i++) append(i);
  let copy = manager.createFuture(log, '/b');
  const { batches } = await log.read(0, ALL);
  for (const records of batches)
    copy.append(Buffer.from(records), { origin: 'replication', leaderEpoch: -1 });
  await copy.flush();
  disk.cutPower();
  // The copy has outlived what it was made from, and nobody can see it.
  disk.inject({ operation: 'open', path: '/b/.lock', code: 'EIO' });
  manager = await open({}, dirs);
  log = manager.get(TP)!;
  expect(log.logEndOffset).toBeLessThan(8);
  for (let i = log.logEndOffset; i < 10; i++) append(100 + i);
  await log.flush();
  disk.crash();
  manager = await open({}, dirs);
  copy = manager.future(TP)!;
  expect([manager.get(TP)!.logEndOffset, copy.logEndOffset]).toEqual([10, 0]);
  // One that is a prefix goes on.
  copy.append((await manager.get(TP)!.read(0, { ...ALL, maxBytes: 1 })).batches[0]!, {
    origin: 'replication',
    leaderEpoch: -1,
  });
  await copy.flush();
  disk.crash();
  expect((await open({}, dirs)).future(TP)!.logEndOffset).toBe(1);
});

test('a partition that lies in two directories is told of, although both are loaded at the same time', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { disk, open } = world(seed);
    for (const dir of ['/a', '/b']) {
      const manager = await open({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAw' }, [dir]);
      manager.getOrCreate(TP, null, logConfig());
      await manager.close();
    }
    const errors: string[] = [];
    await open({ onDirFailure: (_, error) => errors.push(String(error)) }, ['/a', '/b']);
    expect(errors, `seed ${seed}`).toEqual([expect.stringContaining('lies in two log directories')]);
    expect(disk.existsSync('/a/orders-0') && disk.existsSync('/b/orders-0')).toBe(true);
  }
});

test('a copy beside a log whose directory goes offline while it is loaded does not stop the start', async () => {
  const { disk, open } = world(1);
  const dirs = ['/a', '/b'];
  const manager = await open({}, dirs);
  const log = manager.getOrCreate(TP, null, logConfig());
  log.append(batchOf(1), client);
  const copy = manager.createFuture(log, '/b');
  copy.append((await log.read(0, ALL)).batches[0]!, { origin: 'replication', leaderEpoch: -1 });
  await Promise.all([log.flush(), copy.flush()]);
  disk.crash();
  disk.inject({ operation: 'rename', path: '/a/', code: 'EIO', times: 100 });
  const again = await open({}, dirs);
  expect(again.dirs().map(({ online }) => online)).toEqual([false, true]);
  expect(again.future(TP)!.logEndOffset).toBe(1);
});

describe('a topic that was deleted while one of its directories was away, and created anew in another', () => {
  const [old, current] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg'] as const;

  test.each([
    { oldDir: '/a', dir: '/b' },
    { oldDir: '/b', dir: '/a' },
  ])('has the log of the topic that exists: $dir', async ({ oldDir, dir }) => {
    for (let seed = 0; seed < 6; seed++) {
      const { clock, disk, open } = world(seed);
      for (const [topicId, place, count] of [[old, oldDir, 3] as const, [current, dir, 5] as const]) {
        const manager = await open({ clusterId: 'AAAAAAAAAAAAAAAAAAAAAw' }, [place]);
        const log = manager.getOrCreate(TP, topicId, logConfig());
        for (let i = 0; i < count; i++) log.append(batchOf(1), client);
        await manager.close();
      }
      const options = { onDirFailure: (_: string, error: unknown) => expect.unreachable(String(error)) };
      for (let start = 0; start < 2; start++) {
        const manager = await open(options, ['/a', '/b']);
        const log = manager.getOrCreate(TP, current, logConfig());
        expect([log.parentDir, log.logEndOffset, log.topicId]).toEqual([dir, 5, current]);
        clock.advance(60_000);
        await settle(100);
        if (start === 0) disk.crash();
      }
      expect(disk.listSync(oldDir).filter((name) => name.startsWith('orders-0'))).toEqual([]);
    }
  });
});

test('a topic with very many partitions is deleted with a few checkpoints', async () => {
  const { disk, open } = world(1);
  const manager = await open();
  const partitions = Array.from({ length: 200 }, (_, partition) => ({ topic: 'orders', partition }));
  for (const each of partitions) manager.getOrCreate(each, null, logConfig());
  let written = 0;
  const replaceFile = disk.replaceFile.bind(disk);
  disk.replaceFile = (path, content) => {
    written += 1;
    return replaceFile(path, content);
  };
  for (const each of partitions) manager.asyncDelete(each);
  await manager.close();
  expect(written).toBeLessThan(20);
  expect(disk.readFileSync('/data/recovery-point-offset-checkpoint').toString()).toBe('0\n0\n');
});
