import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { LogError, type CorruptLogError, type Log } from '../src/index.ts';
import { ALL, batchOf, client, logConfig, offsetsOf, openManager, settle, TP } from './support/fixtures.ts';

const CLUSTER = 'AAAAAAAAAAAAAAAAAAAAAw';
let disk: SimDisk;
let clock: SimClock;
const open = (
  overrides: Parameters<typeof openManager>[1] = {},
  dirs = ['/data'],
): ReturnType<typeof openManager> =>
  openManager(dirs, { disk, clock, random: new SeededRandom(2), ...overrides });
beforeEach(() => {
  clock = new SimClock();
  disk = new SimDisk({
    clock,
    random: new SeededRandom(1),
    delay: () => new Promise((resolve) => setImmediate(resolve)),
  });
});

const text = (path: string): string => disk.readFileSync(path).toString();

describe('a log directory', () => {
  test("gets meta.properties and checkpoints in Kafka's form", async () => {
    const manager = await open({ clusterId: CLUSTER });
    const log = manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAQ', logConfig({ segmentBytes: 1000 }));
    for (let i = 0; i < 20; i++) log.append(batchOf(2), { leaderEpoch: 4, origin: 'client' });
    log.updateHighWatermark(40);
    log.maybeIncrementLogStartOffset(3);
    await manager.close(77);
    const { directoryId } = manager.dirs()[0]!;
    expect(text('/data/meta.properties')).toBe(
      `#\ncluster.id=${CLUSTER}\ndirectory.id=${directoryId}\nnode.id=1\nversion=1\n`,
    );
    expect(text('/data/recovery-point-offset-checkpoint')).toBe('0\n1\norders 0 40\n');
    expect(text('/data/replication-offset-checkpoint')).toBe('0\n1\norders 0 40\n');
    expect(text('/data/log-start-offset-checkpoint')).toBe('0\n1\norders 0 3\n');
    expect(text('/data/.kafka_cleanshutdown')).toBe('{"version":0,"brokerEpoch":77}');
    expect(text('/data/orders-0/partition.metadata')).toBe('version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ');
    expect(text('/data/orders-0/leader-epoch-checkpoint')).toBe('0\n1\n4 3\n');
    const again = await open();
    expect([again.clusterId, again.dirs()[0]!.directoryId]).toEqual([CLUSTER, directoryId]);
    expect(disk.existsSync('/data/.kafka_cleanshutdown')).toBe(false);
    const loaded = again.get(TP)!;
    expect([loaded.logStartOffset, loaded.highWatermark, loaded.latestEpoch]).toEqual([3, 40, 4]);
  });

  test.each([
    {
      name: 'of another cluster',
      overrides: { clusterId: 'BBBBBBBBBBBBBBBBBBBBBA' },
      message: `belongs to the cluster "${CLUSTER}"`,
    },
    { name: 'of another node', overrides: { nodeId: 2 }, message: 'node.id "1", not "2"' },
  ])('$name is refused with one line', async ({ overrides, message }) => {
    await (await open({ clusterId: CLUSTER })).close();
    await expect(open(overrides)).rejects.toThrow(message);
    await (await open()).close();
  });

  test.each([
    ['cluster.id=other', 'meta.properties has no version'],
    ['version=2', 'meta.properties has version "2"'],
  ])('whose meta.properties says %o alone is refused and stays as it is', async (content, message) => {
    disk.mkdirSync('/data');
    disk.replaceFileSync('/data/meta.properties', content);
    await expect(open()).rejects.toThrow(message);
    expect(text('/data/meta.properties')).toBe(content);
  });

  test('in use is refused', async () => {
    const manager = await open();
    await expect(open()).rejects.toThrow('in use by another broker');
    await manager.close();
    await (await open()).close();
  });

  test('that cannot be written is refused', async () => {
    disk.inject({ operation: 'mkdir', code: 'EACCES' });
    await expect(open()).rejects.toThrow('Log directory "/data" cannot be used: EACCES');
  });

  test('goes offline alone when a write fails, and never acknowledges what it lost', async () => {
    const failed: string[] = [];
    const manager = await open({ onDirFailure: (dir) => failed.push(dir) }, ['/a', '/b']);
    const logs = [0, 1].map((partition) => manager.getOrCreate({ topic: 't', partition }, null, logConfig()));
    expect(logs.map((log) => log.parentDir).sort()).toEqual(['/a', '/b']);
    const [broken, healthy] = logs[0]!.parentDir === '/a' ? [logs[0]!, logs[1]!] : [logs[1]!, logs[0]!];
    for (const log of logs) log.append(batchOf(1), client);
    disk.inject({ operation: 'datasync', path: '/a/', code: 'EIO' });
    await expect(broken.flush()).rejects.toMatchObject({ errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
    await expect(broken.flush()).rejects.toMatchObject({ errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
    expect(() => broken.append(batchOf(1), client)).toThrow(LogError);
    expect(() => broken.read(0, ALL)).toThrow('offline');
    expect(broken.flushedOffset).toBe(0);
    expect(failed).toEqual(['/a']);
    expect(healthy.append(batchOf(1), client).firstOffset).toBe(1);
    expect(await healthy.flush()).toBe(2);
    expect(manager.getOrCreate({ topic: 't', partition: 2 }, null, logConfig()).parentDir).toBe('/b');
    await manager.close();
    expect(disk.existsSync('/a/.kafka_cleanshutdown')).toBe(false);
    expect(disk.existsSync('/b/.kafka_cleanshutdown')).toBe(true);
  });

  test('that is full refuses appends, and holds what was acknowledged after a restart', async () => {
    const manager = await open();
    const log = manager.getOrCreate(TP, null, logConfig());
    log.append(batchOf(5), client);
    await log.flush();
    disk.setCapacity(disk.usedBytes() + 100);
    expect(() => log.append(batchOf(5), client)).toThrow('ENOSPC');
    expect(log.logEndOffset).toBe(5);
    disk.setCapacity(Infinity);
    disk.crash();
    const again = await open();
    expect(await offsetsOf(again.get(TP)!)).toEqual([[0, 4]]);
  });
});

describe('a damaged log', () => {
  test('below the recovery point stays as it is and offline; others go on', async () => {
    const manager = await open();
    for (const partition of [0, 1]) {
      const log = manager.getOrCreate({ topic: 'orders', partition }, null, logConfig());
      for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
      await log.flush();
    }
    clock.advance(60_000);
    await settle(50);
    disk.crash();
    const file = '/data/orders-0/00000000000000000000.log';
    const size = disk.sizeSync(file);
    disk.flipBit(file, 400, 3);
    const damaged: LogError[] = [];
    const again = await open({ onDamagedLog: (_, error) => damaged.push(error) });
    expect(damaged[0]).toMatchObject({ file, errorCode: ErrorCodes.KAFKA_STORAGE_ERROR });
    expect((damaged[0] as CorruptLogError).offset).toBeLessThan(10);
    expect(() => again.getOrCreate(TP, null, logConfig())).toThrow(file);
    expect(disk.sizeSync(file)).toBe(size);
    expect(again.get({ topic: 'orders', partition: 1 })!.logEndOffset).toBe(10);
  });

  test('above the recovery point is cut at the first bad batch', async () => {
    const manager = await open();
    const log = manager.getOrCreate(TP, null, logConfig());
    for (let i = 0; i < 10; i++) log.append(batchOf(1), client);
    disk.crash();
    const size = batchOf(1).length;
    disk.flipBit('/data/orders-0/00000000000000000000.log', size * 4 + 70, 0);
    const again = await open();
    expect(await offsetsOf(again.get(TP)!)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(disk.sizeSync('/data/orders-0/00000000000000000000.log')).toBe(size * 4);
  });

  test.each(['index', 'timeindex'])('whose .%s is gone or garbage gets a new one', async (suffix) => {
    const config = { segmentBytes: 1000, indexIntervalBytes: 200 };
    const manager = await open();
    const log = manager.getOrCreate(TP, null, logConfig(config));
    for (let i = 0; i < 30; i++) log.append(batchOf(1), client);
    await manager.close();
    const files = disk.listSync('/data/orders-0').filter((name) => name.endsWith(`.${suffix}`));
    disk.unlinkSync(`/data/orders-0/${files[0]}`);
    disk.replaceFileSync(`/data/orders-0/${files[1]}`, 'garbage');
    const again = await open({ config });
    expect((await offsetsOf(again.get(TP)!)).length).toBe(30);
    expect(await again.get(TP)!.offsetForTimestamp(1)).toMatchObject({ offset: 0 });
    await again.close();
  });
});

describe('retention', () => {
  const fill = (log: Log): void => {
    for (let i = 0; i < 30; i++) log.append(batchOf(1, { timestamp: clock.nowMs() }), client);
    log.updateHighWatermark(log.logEndOffset);
  };

  test('by time removes old segments, the active one too, and their files after the delay', async () => {
    const manager = await open({ retentionCheckIntervalMs: 1000 });
    const log = manager.getOrCreate(
      TP,
      null,
      logConfig({ segmentBytes: 1000, retentionMs: 100_000, fileDeleteDelayMs: 5000 }),
    );
    fill(log);
    clock.advance(100_000);
    expect([log.logStartOffset, log.segmentCount > 2]).toEqual([0, true]);
    clock.advance(1000);
    expect([log.logStartOffset, log.logEndOffset, log.segmentCount]).toEqual([30, 30, 1]);
    expect(disk.listSync('/data/orders-0').some((name) => name.endsWith('.deleted'))).toBe(true);
    clock.advance(6000);
    await settle(50);
    expect(disk.listSync('/data/orders-0').filter((name) => name.endsWith('.log'))).toEqual([
      '00000000000000000030.log',
    ]);
    expect(disk.listSync('/data/orders-0').some((name) => name.endsWith('.deleted'))).toBe(false);
    expect(() => log.read(29, ALL)).toThrow('offset 29');
  });

  test('by size keeps at least the bytes asked for; nothing above the high watermark goes', async () => {
    const manager = await open();
    const log = manager.getOrCreate(TP, null, logConfig({ segmentBytes: 1000, retentionBytes: 2500 }));
    fill(log);
    log.deleteOldSegments();
    expect(log.sizeInBytes).toBeGreaterThanOrEqual(2500);
    expect(log.sizeInBytes).toBeLessThan(3600);
    const other = manager.getOrCreate(
      { topic: 'other', partition: 0 },
      null,
      logConfig({ segmentBytes: 1000, retentionBytes: 0 }),
    );
    for (let i = 0; i < 30; i++) other.append(batchOf(1), client);
    expect(other.deleteOldSegments()).toBe(0);
  });

  test('of a compacted topic removes only what delete records has passed', async () => {
    const manager = await open();
    const log = manager.getOrCreate(
      TP,
      null,
      logConfig({ segmentBytes: 1000, retentionMs: 0, compact: true, delete: false }),
    );
    fill(log);
    clock.advance(1000);
    expect(log.deleteOldSegments()).toBe(0);
    expect(() => log.maybeIncrementLogStartOffset(31)).toThrow('high watermark 30');
    expect(log.maybeIncrementLogStartOffset(20)).toBe(true);
    expect(log.maybeIncrementLogStartOffset(19)).toBe(false);
    expect(log.deleteOldSegments()).toBeGreaterThan(0);
    expect(log.logStartOffset).toBe(20);
    expect(() => log.read(19, ALL)).toThrow('offset 19');
  });
});

test('offsets by timestamp are those of the first record at or after it', async () => {
  const manager = await open();
  const log = manager.getOrCreate(TP, null, logConfig({ segmentBytes: 800, indexIntervalBytes: 150 }));
  const start = clock.nowMs();
  for (let i = 0; i < 20; i++) log.append(batchOf(3, { timestamp: start + i * 10 }), client);
  const cases: [number, number, number][] = [
    [0, 0, start],
    [start + 2, 2, start + 2],
    [start + 3, 3, start + 10],
    [start + 101, 31, start + 101],
    [start + 193, -1, -1],
  ];
  for (const [wanted, offset, timestamp] of cases) {
    expect(await log.offsetForTimestamp(wanted)).toMatchObject({ offset, timestamp });
  }
  expect(await log.offsetOfMaxTimestamp()).toMatchObject({
    offset: 59,
    timestamp: start + 192,
    leaderEpoch: 0,
  });
});

test('a deleted partition is out of the way at once, and gone after the delay', async () => {
  const manager = await open();
  const log = manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAQ', logConfig({ fileDeleteDelayMs: 1000 }));
  log.append(batchOf(3), client);
  const flush = log.flush();
  manager.asyncDelete(TP);
  await expect(flush).rejects.toThrow(LogError);
  const fresh = manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAg', logConfig());
  expect([fresh.logEndOffset, fresh.topicId, manager.dirs()[0]!.online]).toEqual([
    0,
    'AAAAAAAAAAAAAAAAAAAAAg',
    true,
  ]);
  expect(() => manager.getOrCreate(TP, 'AAAAAAAAAAAAAAAAAAAAAQ', logConfig())).toThrow(
    'belongs to the topic',
  );
  expect(disk.listSync('/data').filter((name) => name.endsWith('-delete')).length).toBe(1);
  clock.advance(1000);
  await settle(50);
  expect(disk.listSync('/data').filter((name) => name.endsWith('-delete'))).toEqual([]);
  await manager.close();
});

test('flushes are shared, and happen by count and by time where the topic says so', async () => {
  const manager = await open();
  const log = manager.getOrCreate(TP, null, logConfig({ flushMessages: 10, flushMs: 5000 }));
  log.append(batchOf(4), client);
  expect(await Promise.all([log.flush(), log.flush()])).toEqual([4, 4]);
  log.append(batchOf(9), client);
  await settle(50);
  expect(log.flushedOffset).toBe(4);
  log.append(batchOf(1), client);
  await settle(50);
  expect(log.flushedOffset).toBe(14);
  log.append(batchOf(1), client);
  clock.advance(6000);
  await settle(50);
  expect(log.flushedOffset).toBe(15);
});
