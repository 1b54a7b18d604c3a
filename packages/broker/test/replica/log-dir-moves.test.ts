import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import {
  decodeRecords,
  encodeBatch,
  encodeTransactionMarker,
  ErrorCodes,
  iterateBatches,
} from '@ottla/protocol';
import { checkLogDirs, type Log, type LogConfig, type VerificationGuard } from '@ottla/storage';
import { describe, expect, test } from 'vitest';
import { alterReplicaLogDirsHandler } from '../../src/handlers/alter-replica-log-dirs.ts';
import { describeLogDirsHandler } from '../../src/handlers/describe-log-dirs.ts';
import type { Partition } from '../../src/replica/partition.ts';
import type { ReplicaManager } from '../../src/replica/replica-manager.ts';
import { fixedImage } from '../coordinator/group/fixed-metadata.ts';
import { CONNECTION, openReplicas } from '../coordinator/simulated-replicas.ts';

const TP = { topic: 't1', partition: 0 };
const DIRS = ['/a', '/b'];
/** Compacts when a test says so. */
const CLEANER = {
  backoffMs: 1e9,
  threads: 1,
  dedupeBufferBytes: 1e6,
  loadFactor: 0.9,
  maxBytesPerSecond: Number.MAX_VALUE,
};
/** Batches of this size need more than one piece of a copy for twenty of them. */
const LARGE = 50_000;

/** Replicas of three partitions on two directories in memory, that can be restarted. */
class World {
  readonly random: SeededRandom;
  readonly disk: SimDisk;
  readonly clock = new SimClock();
  readonly directoryChanges: string[] = [];
  readonly #config: Partial<LogConfig>;
  bytesPerSecond = Infinity;
  replicas!: ReplicaManager;

  constructor(seed: number, segmentBytes = 2_000, config: Partial<LogConfig> = {}) {
    this.#config = { segmentBytes, indexIntervalBytes: 200, ...config };
    this.random = new SeededRandom(seed);
    const delay = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    this.disk = new SimDisk({ random: new SeededRandom(seed + 1_000), clock: this.clock, delay });
  }

  async open(): Promise<this> {
    const image = fixedImage(1);
    this.replicas = await openReplicas({
      disk: this.disk,
      clock: this.clock,
      random: this.random,
      metadata: { current: () => image, subscribe: () => {} },
      dirs: DIRS,
      config: this.#config,
      cleaner: { settings: () => CLEANER },
      moveBytesPerSecond: () => this.bytesPerSecond,
      onDirectoryChange: (_, directoryId) => this.directoryChanges.push(directoryId),
    });
    return this;
  }

  get partition(): Partition {
    const hosted = this.replicas.partition(TP.topic, TP.partition);
    if (typeof hosted === 'number') throw new Error(`No partition: ${hosted}`);
    return hosted;
  }

  get log(): Log {
    return this.partition.log!;
  }

  /** Appends one batch; resolves to its result when it is committed. */
  append(value: string, count = 1) {
    const records = encodeBatch({
      baseOffset: 0,
      records: Array.from({ length: count }, () => ({ value: Buffer.from(value) })),
    });
    const options = { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'client' } as const;
    return this.replicas.append({ ...TP, records }, options);
  }

  get elsewhere(): string {
    return DIRS.find((dir) => dir !== this.log.parentDir)!;
  }

  move(path = this.elsewhere): number {
    return this.replicas.alterLogDir(TP, path);
  }

  async moved(path: string): Promise<void> {
    await until(() => this.log.parentDir === path);
  }

  foldersIn(dir: string): string[] {
    return this.disk.listSync(dir).filter((name) => name.startsWith('t1-0'));
  }

  /** The process dies, perhaps with the whole machine, and starts anew. */
  async die(how: 'kill' | 'power cut' = 'kill'): Promise<void> {
    // What is under way fails on the disk; what would begin later must not either.
    this.replicas.close();
    if (how === 'kill') this.disk.crash();
    else this.disk.cutPower();
    await this.open();
  }

  async close(): Promise<void> {
    this.replicas.close();
    await this.replicas.logManager.close();
  }
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 5_000 && !condition(); i++) await turns(1);
  expect(condition()).toBe(true);
}

/** Value by offset. */
async function contentOf(log: Log): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const read = await log.read(offset, {
      maxBytes: 100_000,
      upToOffset: log.logEndOffset,
      minOneMessage: true,
    });
    expect(read.sizeInBytes).toBeGreaterThan(0);
    for (const piece of read.batches)
      for (const batch of iterateBatches(piece))
        for (const record of decodeRecords(piece, batch.position))
          found.set(record.offset, String(record.value));
    offset = read.nextOffset;
  }
  return found;
}

async function problemsOf(disk: SimDisk): Promise<string[]> {
  const problems: string[] = [];
  const onProblem = (found: { severity: string }) => {
    if (found.severity === 'problem') problems.push(JSON.stringify(found));
  };
  await checkLogDirs({ disk, dirs: DIRS, onProblem });
  return problems;
}

describe('a log is moved to another directory', () => {
  test('while appends go on, and everything is there afterwards', async () => {
    const world = await new World(1).open();
    const from = world.log.parentDir;
    for (let i = 0; i < 100; i++) await world.append(`before ${i}`);
    const to = world.elsewhere;
    expect(world.move()).toBe(ErrorCodes.NONE);
    const acknowledged: Promise<unknown>[] = [];
    for (let i = 0; i < 5_000 && world.log.parentDir === from; i++) {
      acknowledged.push(world.append(`during ${i}`));
      await turns(1);
    }
    expect(world.log.parentDir).toBe(to);
    await world.append('after');
    await Promise.all(acknowledged);
    const count = 100 + acknowledged.length + 1;
    expect([world.log.logEndOffset, world.log.highWatermark]).toEqual([count, count]);
    const values = [...(await contentOf(world.log)).values()];
    expect(values).toEqual([
      ...Array.from({ length: 100 }, (_, i) => `before ${i}`),
      ...acknowledged.map((_, i) => `during ${i}`),
      'after',
    ]);
    expect(world.foldersIn(to)).toEqual(['t1-0']);
    expect(world.foldersIn(from)).toEqual([expect.stringMatching(/^t1-0\.[0-9a-f]{32}-delete$/)]);
    expect(world.directoryChanges).toEqual([world.log.directoryId]);
    await world.clock.advance(60_000);
    await until(() => world.foldersIn(from).length === 0);
    await world.close();
    expect(await problemsOf(world.disk)).toEqual([]);
  });

  test('with its start offset in the middle of a batch, its epochs and its producers', async () => {
    const world = await new World(2).open();
    for (let i = 0; i < 30; i++) await world.append(`${i}`, 10);
    world.partition.deleteRecords(95);
    const records = encodeBatch({
      baseOffset: 0,
      producerId: 7,
      producerEpoch: 0,
      baseSequence: 0,
      records: [{ value: Buffer.from('once') }],
    });
    const idempotent = () =>
      world.replicas.append(
        { ...TP, records: Buffer.from(records) },
        { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'client' },
      );
    const { baseOffset } = await idempotent();
    const to = world.elsewhere;
    const epochEnd = world.log.endOffsetForEpoch(world.log.latestEpoch);
    world.move();
    await world.moved(to);
    expect(world.log.logStartOffset).toBe(95);
    expect(world.log.firstSegmentBaseOffset).toBe(90);
    expect(world.log.endOffsetForEpoch(world.log.latestEpoch)).toEqual(epochEnd);
    // The producer's repetition is recognised, also by the producers that a start reads from the new folder.
    expect((await idempotent()).baseOffset).toBe(baseOffset);
    await world.die();
    expect([world.log.parentDir, world.log.logStartOffset]).toEqual([to, 95]);
    expect((await idempotent()).baseOffset).toBe(baseOffset);
    await world.close();
  });

  test('while it is compacted: of every key there is what was written last, also after a power cut', async () => {
    const compact = { compact: true, delete: false, minCleanableDirtyRatio: 0 };
    const world = await new World(9, 20_000, compact).open();
    const newest = new Map<string, number>();
    const put = async (key: string): Promise<void> => {
      const records = encodeBatch({
        baseOffset: 0,
        records: [{ key: Buffer.from(key), value: Buffer.alloc(5_000) }],
      });
      const options = { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'client' } as const;
      newest.set(key, (await world.replicas.append({ ...TP, records }, options)).baseOffset);
    };
    const { logManager } = world.replicas;
    for (let i = 0; i < 100; i++) await put(`key ${i % 7}`);
    const sizes = [world.log.sizeInBytes];
    await logManager.compactNow();
    sizes.push(world.log.sizeInBytes);
    expect(sizes[1]).toBeLessThan(sizes[0]! / 5);
    for (let i = 0; i < 100; i++) await put(`other ${i % 90}`);
    const to = world.elsewhere;
    world.bytesPerSecond = 1_000;
    expect(world.move()).toBe(ErrorCodes.NONE);
    await until(() => (logManager.future(TP)?.sizeInBytes ?? 0) > 0);
    const copied = logManager.future(TP)!.sizeInBytes;
    for (let i = 0; i < 30; i++) await put(`key ${i % 3}`);
    await logManager.compactNow();
    // The copy follows the log and is not compacted by itself.
    expect(logManager.future(TP)!.sizeInBytes).toBe(copied);
    world.bytesPerSecond = 1e12;
    for (let i = 0; i < 50 && world.log.parentDir !== to; i++) {
      await world.clock.advance(200);
      await turns(20);
    }
    expect(world.log.parentDir).toBe(to);
    const check = async (): Promise<void> => {
      const content = await contentOf(world.log);
      for (const [key, offset] of newest) expect([key, content.has(offset)]).toEqual([key, true]);
    };
    await check();
    await world.die('power cut');
    expect(world.log.parentDir).toBe(to);
    await check();
    await world.close();
  });

  test('in the middle of a transaction, whose batches are verified and whose abort is found', async () => {
    const world = await new World(10).open();
    for (let i = 0; i < 30; i++) await world.append(`${i}`);
    const { replicas } = world;
    const write = (producerId: number, guard: VerificationGuard | null) => {
      const records = encodeBatch({
        baseOffset: 0,
        producerId,
        producerEpoch: 0,
        baseSequence: 0,
        isTransactional: true,
        records: [{ value: Buffer.from('in a transaction') }],
      });
      const options = { acks: -1, timeoutMs: Number.POSITIVE_INFINITY, origin: 'client' } as const;
      return replicas.append({ ...TP, records, verificationGuard: guard }, options);
    };
    const { baseOffset } = await write(7, replicas.startVerification(TP, 7, 0));
    const pending = replicas.startVerification(TP, 8, 0);
    const to = world.elsewhere;
    world.move();
    await world.moved(to);
    expect(world.log.lastStableOffset).toBe(baseOffset);
    expect((await write(8, pending)).errorCode).toBe(ErrorCodes.NONE);
    for (const producerId of [7, 8]) {
      const marker = {
        type: 'abort',
        producerId,
        producerEpoch: 0,
        coordinatorEpoch: 1,
        timestampMs: 1,
      } as const;
      await replicas.appendMarkers([{ ...TP, records: encodeTransactionMarker(marker) }], 1_000_000);
    }
    expect(world.log.lastStableOffset).toBe(world.log.logEndOffset);
    const aborted = () => world.log.transactions.collectAborted(0, world.log.logEndOffset);
    const both = [
      { producerId: 7, firstOffset: baseOffset },
      { producerId: 8, firstOffset: baseOffset + 1 },
    ];
    expect(aborted()).toEqual(both);
    const back = world.elsewhere;
    world.move();
    await world.moved(back);
    expect(aborted()).toEqual(both);
    await world.close();
  });

  test('no faster than the rate allows, which may change on the way', async () => {
    const world = await new World(3, 4 * LARGE).open();
    for (let i = 0; i < 20; i++) await world.append('x'.repeat(LARGE));
    const to = world.elsewhere;
    world.bytesPerSecond = 1_000;
    world.move();
    const future = () => world.replicas.logManager.future(TP)!;
    await until(() => future().sizeInBytes > 0);
    const { sizeInBytes } = future();
    for (let i = 0; i < 100; i++) {
      await world.clock.advance(1_000);
      await turns(3);
    }
    expect(future().sizeInBytes).toBe(sizeInBytes);
    expect(world.log.parentDir).not.toBe(to);
    world.bytesPerSecond = 1_000_000_000;
    for (let i = 0; i < 100 && world.log.parentDir !== to; i++) {
      await world.clock.advance(200);
      await turns(20);
    }
    expect(world.log.parentDir).toBe(to);
    await world.close();
  });

  test('a kill in the middle leaves a copy with which the next start goes on', async () => {
    const world = await new World(4, 4 * LARGE).open();
    for (let i = 0; i < 20; i++) await world.append('x'.repeat(LARGE));
    const to = world.elsewhere;
    world.bytesPerSecond = 1_000;
    world.move();
    await until(() => (world.replicas.logManager.future(TP)?.sizeInBytes ?? 0) > 0);
    expect(world.foldersIn(to)).toEqual([expect.stringMatching(/^t1-0\.[0-9a-f]{32}-future$/)]);
    world.bytesPerSecond = Infinity;
    await world.die();
    await world.moved(to);
    expect((await contentOf(world.log)).size).toBe(20);
    await world.close();
  });

  test('a copy that is alone becomes the log: a crash came between the two renames', async () => {
    const world = await new World(5).open();
    for (let i = 0; i < 30; i++) await world.append(`${i}`);
    const { folder } = world.log;
    world.disk.crash();
    world.disk.renameSync(folder, `${folder}.${'0123456789abcdef'.repeat(2)}-future`);
    await world.open();
    expect(world.log.folder).toBe(folder);
    expect((await contentOf(world.log)).size).toBe(30);
    await world.close();
  });

  test('the deletion of the partition ends it', async () => {
    const world = await new World(6, 4 * LARGE).open();
    for (let i = 0; i < 20; i++) await world.append('x'.repeat(LARGE));
    world.bytesPerSecond = 1_000;
    world.move();
    await until(() => (world.replicas.logManager.future(TP)?.sizeInBytes ?? 0) > 0);
    const image = fixedImage(1);
    const deleted = image.topics.byName.get('t1')!;
    const delta = {
      deletedTopics: new Map([[deleted.id, deleted]]),
      changedTopicIds: new Set<string>(),
      changedConfigs: new Set<string>(),
    };
    world.replicas.onMetadataChange(delta as never, image);
    expect(world.replicas.logManager.allFutures()).toEqual([]);
    const folders = DIRS.flatMap((dir) => world.foldersIn(dir));
    expect(folders).toHaveLength(2);
    for (const folder of folders) expect(folder).toMatch(/-delete$/);
    await world.close();
  });

  test('a disk that fails under the copy takes its directory offline, and the log stays in use', async () => {
    const world = await new World(7).open();
    for (let i = 0; i < 30; i++) await world.append(`${i}`);
    const from = world.log.parentDir;
    const to = world.elsewhere;
    world.disk.inject({ operation: 'write', path: to, code: 'EIO' });
    world.move();
    await until(() => world.replicas.logManager.directoryState(to) === 'offline');
    await world.append('still here');
    expect([world.log.parentDir, world.log.logEndOffset]).toEqual([from, 31]);
    expect(world.move(to)).toBe(ErrorCodes.KAFKA_STORAGE_ERROR);
    await world.close();
  });
});

describe('AlterReplicaLogDirs', () => {
  async function setUp() {
    const world = await new World(8, 4 * LARGE).open();
    world.bytesPerSecond = 1;
    for (let i = 0; i < 30; i++) await world.append(`${i % 10}`.repeat(LARGE));
    const alter = async (path: string, topic = 't1', partition = 0): Promise<number> => {
      const handler = alterReplicaLogDirsHandler({ replicaManager: world.replicas });
      const request = { dirs: [{ path, topics: [{ name: topic, partitions: [partition] }] }] };
      const response = await handler.handle(request, { connection: CONNECTION } as never);
      const { results } = response as {
        results: { topicName: string; partitions: { errorCode: number }[] }[];
      };
      expect(results.map(({ topicName }) => topicName)).toEqual([topic]);
      return results[0]!.partitions[0]!.errorCode;
    };
    const described = async () => {
      const handler = describeLogDirsHandler({ logManager: world.replicas.logManager });
      const request = { topics: [{ topic: 't1', partitions: [0] }] };
      const response = await handler.handle(request, { connection: CONNECTION } as never);
      const { results } = response as Awaited<ReturnType<typeof handler.handle>> & {
        results: {
          logDir: string;
          topics: { partitions: { offsetLag: number; isFutureKey: boolean }[] }[];
        }[];
      };
      return results.flatMap(({ logDir, topics }) =>
        topics.flatMap(({ partitions }) => partitions.map((each) => ({ ...each, logDir }))),
      );
    };
    return { world, alter, described };
  }

  test('refuses as Kafka does, and remembers where a partition is to be created', async () => {
    const { world, alter } = await setUp();
    expect(await alter('/nowhere')).toBe(ErrorCodes.LOG_DIR_NOT_FOUND);
    expect(await alter('/a', 't1', 9)).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
    for (const partition of [0, 1, 2, 3]) {
      expect(await alter('/b', 'later', partition)).toBe(ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION);
      const { logManager } = world.replicas;
      expect(logManager.getOrCreate({ topic: 'later', partition }, null, world.log.config).parentDir).toBe(
        '/b',
      );
    }
    await world.close();
  });

  test('shows the copy, stays with it when asked again, and gives it up for the present directory', async () => {
    const { world, alter, described } = await setUp();
    const [from, to] = [world.log.parentDir, world.elsewhere];
    expect(await alter(from)).toBe(ErrorCodes.NONE);
    expect(await described()).toMatchObject([{ logDir: from, isFutureKey: false, offsetLag: 0 }]);
    expect(await alter(to)).toBe(ErrorCodes.NONE);
    await until(() => (world.replicas.logManager.future(TP)?.logEndOffset ?? 0) > 0);
    const future = world.replicas.logManager.future(TP)!;
    const shown = (await described()).find(({ isFutureKey }) => isFutureKey);
    expect(shown).toMatchObject({ logDir: to, offsetLag: 30 - future.logEndOffset });
    expect(await alter(to)).toBe(ErrorCodes.NONE);
    expect(world.replicas.logManager.future(TP)).toBe(future);
    expect(await alter(from)).toBe(ErrorCodes.NONE);
    expect(world.replicas.logManager.future(TP)).toBeUndefined();
    expect(world.foldersIn(to)).toEqual([expect.stringMatching(/-delete$/)]);
    await world.close();
  });
});

/** Pinned seeds first; more with OTTLA_SEEDS=n, one with OTTLA_SEED=s. */
const only = process.env['OTTLA_SEED'];
const count = Number(process.env['OTTLA_SEEDS'] ?? 40);
// 500: a power cut takes from the log what its copy has.
const seeds = only === undefined ? [500, ...Array.from({ length: count }, (_, i) => i + 1)] : [Number(only)];

/** Moves to and fro under appends, deletions of records, crashes and power cuts; returns how many moves came to their end. */
async function run(seed: number): Promise<number> {
  const world = await new World(seed).open();
  const { random } = world;
  const acknowledged = new Map<number, string>();
  let moves = 0;
  let start = 0;
  for (let step = 0; step < 60; step++) {
    const dice = random.nextInt(100);
    if (dice < 50) {
      const value = `${step} ${'x'.repeat(random.nextInt(400))}`;
      const life = world.replicas;
      void world.append(value).then(({ errorCode, baseOffset }) => {
        if (errorCode === 0 && life === world.replicas) acknowledged.set(baseOffset, value);
      });
    } else if (dice < 75) {
      world.move(DIRS[random.nextInt(2)]);
    } else if (dice < 80) {
      const { highWatermark } = world.log;
      if (highWatermark > start) start = world.partition.deleteRecords(highWatermark - 1).lowWatermark;
    } else if (dice < 90) {
      moves += world.directoryChanges.splice(0).length;
      await world.die(dice < 85 ? 'kill' : 'power cut');
    }
    await turns(random.nextInt(12));
    if (random.nextInt(4) === 0) await turns(60);
  }
  await turns(400);
  const content = await contentOf(world.log);
  for (const [offset, value] of acknowledged)
    if (offset >= world.log.logStartOffset) expect([offset, content.get(offset)]).toEqual([offset, value]);
  // Nothing was deleted that nobody asked to delete.
  expect(world.log.logStartOffset).toBeLessThanOrEqual(start);
  const life = world.replicas;
  await world.close();
  expect(await problemsOf(world.disk)).toEqual([]);
  expect(life.logManager.dirs().every(({ online }) => online)).toBe(true);
  return moves + world.directoryChanges.length;
}

test('nothing acknowledged is lost by moves, through kills and power cuts', async () => {
  let moves = 0;
  for (const seed of seeds) {
    try {
      moves += await run(seed);
    } catch (error) {
      throw new Error(`Failed with seed ${seed}: run again with OTTLA_SEED=${seed}`, { cause: error });
    }
  }
  expect(moves).toBeGreaterThan(seeds.length);
}, 120_000);
