import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { encodeBatch, iterateBatches } from '@ottla/protocol';
import { expect } from 'vitest';
import { LogError, type Log, type LogManager } from '../../src/index.ts';
import { ALL, client, logConfig, OPERATIONS, openManager, settle } from './fixtures.ts';
import { ProcessClock } from './process-clock.ts';

const DIRS = ['/a', '/b'] as const;

interface ModelBatch {
  readonly base: number;
  readonly end: number;
  readonly bytes: Buffer;
}

/** A partition as it should be; deleted and created anew now and then. */
class ModelPartition {
  readonly topic: string;
  topicId = '';
  /** Null while its directory is missing or offline. */
  log: Log | null = null;
  batches: ModelBatch[] = [];
  /** Also what an append left behind that failed. */
  appended = new Map<number, Buffer[]>();
  /** Everything below was durable. */
  acknowledged = 0;
  logStart = 0;

  constructor(topic: string) {
    this.topic = topic;
  }

  get topicPartition() {
    return { topic: this.topic, partition: 0 };
  }

  begin(topicId: string): void {
    this.topicId = topicId;
    this.batches = [];
    this.appended = new Map();
    this.acknowledged = 0;
    this.logStart = 0;
  }

  noteStart(): void {
    if (this.log !== null) this.logStart = Math.max(this.logStart, this.log.logStartOffset);
  }
}

/**
 * Three partitions in two log directories: appends, retention, deletions of records, topics that are deleted and created anew,
 * moves to the other directory, and failing disk calls, through crashes, power cuts and starts that miss one of the directories.
 * What was durable is there after each start, under the topic it was written to.
 */
export class DirectoriesModel {
  readonly #random: SeededRandom;
  readonly #disk: SimDisk;
  readonly #clock = new SimClock();
  readonly #config = logConfig({
    segmentBytes: 1500,
    indexIntervalBytes: 200,
    fileDeleteDelayMs: 50,
    retentionBytes: 9000,
  });
  readonly #partitions = ['t0', 't1', 't2'].map((topic) => new ModelPartition(topic));
  #process = new ProcessClock(this.#clock);
  #manager: LogManager | null = null;
  #flushes: Promise<void>[] = [];
  moves = 0;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    const turns = new SeededRandom(seed + 1000);
    this.#disk = new SimDisk({
      random: new SeededRandom(seed + 2000),
      clock: this.#clock,
      delay: () => settle(1 + turns.nextInt(4)),
    });
    for (const partition of this.#partitions) partition.begin(this.#random.uuid());
  }

  async start(): Promise<void> {
    this.#process.kill();
    this.#process = new ProcessClock(this.#clock);
    const missing = this.#random.chance(0.15) ? this.#oneOf(DIRS) : null;
    if (missing !== null) this.#disk.inject({ operation: 'open', path: `${missing}/.lock`, code: 'EIO' });
    this.#manager = await openManager([...DIRS], {
      disk: this.#disk,
      clock: this.#process,
      random: this.#random,
      config: this.#config,
      clusterId: 'AAAAAAAAAAAAAAAAAAAAAw',
      checkpointIntervalMs: 2000,
      tailCacheBytes: 2000,
      onDamagedLog: (_, error) => expect.unreachable(error.message),
    });
    for (const partition of this.#partitions) this.#host(partition, false);
  }

  /** As the replica manager does it. */
  #host(partition: ModelPartition, isNew: boolean): void {
    const manager = this.#manager!;
    const found = manager.get(partition.topicPartition);
    partition.log = null;
    const isNamesake = found !== undefined && found.topicId !== null && found.topicId !== partition.topicId;
    if ((found === undefined || isNamesake) && !isNew && manager.hasOfflineDirectory) return;
    this.#unlessOffline(() => {
      if (isNamesake) manager.asyncDelete(partition.topicPartition);
      partition.log = manager.getOrCreate(partition.topicPartition, partition.topicId, this.#config);
    });
  }

  #oneOf<T>(values: readonly T[]): T {
    return values[this.#random.nextInt(values.length)]!;
  }

  /** A failed disk call takes a directory offline; anything else is a finding. */
  #unlessOffline(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
  }

  async step(): Promise<void> {
    const dice = this.#random.nextInt(100);
    if (dice >= 94) return this.restart(dice < 96 ? 'crash' : dice < 99 ? 'power cut' : 'clean');
    const partition = this.#oneOf(this.#partitions);
    const { log } = partition;
    if (log === null || log.isOffline) return;
    log.updateHighWatermark(log.flushedOffset);
    try {
      if (dice < 45) this.#append(partition, log);
      else if (dice < 57) await this.#flush(partition, log);
      else if (dice < 60) log.roll();
      else if (dice < 64) log.deleteOldSegments();
      else if (dice < 67) this.#deleteRecords(log);
      else if (dice < 70) this.#clock.advance(this.#random.nextInt(1500));
      else if (dice < 88) await this.#move(partition, log);
      else if (dice < 91) this.#createAnew(partition);
      else if (dice < 92) this.#breakDisk(partition);
      else await settle(this.#random.nextInt(6));
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
    }
    partition.noteStart();
  }

  #append(partition: ModelPartition, log: Log): void {
    const value = Buffer.from(this.#random.uuid().repeat(1 + this.#random.nextInt(6)));
    const records = [{ timestamp: this.#clock.nowMs(), value }];
    const base = log.logEndOffset;
    const bytes = encodeBatch({ records, baseOffset: base, partitionLeaderEpoch: client.leaderEpoch });
    // Before the append: one that fails may be in the log all the same.
    partition.appended.set(base, [...(partition.appended.get(base) ?? []), bytes]);
    const { lastOffset } = log.append(encodeBatch({ records }), client);
    partition.batches.push({ base, end: lastOffset + 1, bytes });
  }

  async #flush(partition: ModelPartition, log: Log): Promise<void> {
    const { topicId } = partition;
    const { generation } = this.#disk;
    const flush = log.flush().then(
      () => {
        const isSame = partition.topicId === topicId && partition.log === log;
        if (isSame && generation === this.#disk.generation)
          partition.acknowledged = Math.max(partition.acknowledged, log.flushedOffset);
      },
      () => {},
    );
    this.#flushes.push(flush);
    if (this.#random.chance(0.4)) await flush;
  }

  #deleteRecords(log: Log): void {
    const committed = log.highWatermark - log.logStartOffset;
    if (committed > 0)
      log.maybeIncrementLogStartOffset(log.logStartOffset + this.#random.nextInt(committed + 1));
  }

  /** What cannot be deleted because its directory is away comes back with it: then the partition would lie in two directories. */
  #createAnew(partition: ModelPartition): void {
    if (this.#manager!.hasOfflineDirectory) return;
    partition.begin(this.#random.uuid());
    partition.log = null;
    this.#unlessOffline(() => {
      this.#manager!.asyncDelete(partition.topicPartition);
      this.#host(partition, true);
    });
  }

  #breakDisk({ topic }: ModelPartition): void {
    const path = this.#random.chance(0.5) ? this.#oneOf(DIRS) : topic;
    this.#disk.inject({
      operation: this.#oneOf(OPERATIONS),
      path,
      after: this.#random.nextInt(4),
      code: 'EIO',
    });
  }

  /** A step of a move: its beginning, a piece of the copy, or its end, as `LogDirMoves` takes them. */
  async #move(partition: ModelPartition, log: Log): Promise<void> {
    const manager = this.#manager!;
    const { topicPartition, topicId } = partition;
    const future = manager.future(topicPartition);
    const target = DIRS.find((dir) => dir !== log.parentDir)!;
    if (future === undefined) {
      if (manager.directoryState(target) === 'online') manager.createFuture(log, target);
      return;
    }
    if (future.topicId !== null && future.topicId !== topicId) return manager.cancelFuture(topicPartition);
    const isWanted = (): boolean => partition.log === log && manager.future(topicPartition) === future;
    future.assignTopicId(topicId);
    await copyPiece(log, future);
    if (future.logEndOffset < log.logEndOffset || this.#random.chance(0.5)) return;
    await future.flush();
    await manager.prepareReplacement(future);
    if (!isWanted() || future.logEndOffset !== log.logEndOffset || future.flushedOffset < log.highWatermark)
      return;
    partition.log = manager.replaceWithFuture(log, future);
    this.moves++;
  }

  async restart(how: 'crash' | 'power cut' | 'clean'): Promise<void> {
    for (const partition of this.#partitions) partition.noteStart();
    if (how === 'clean') {
      this.#disk.clearFaults();
      await Promise.all(this.#flushes);
      await this.#manager!.close();
      for (const partition of this.#partitions)
        if (partition.log?.isOffline === false) partition.acknowledged = partition.log.logEndOffset;
    }
    if (how === 'power cut') this.#disk.cutPower();
    else this.#disk.crash();
    await Promise.all(this.#flushes);
    this.#flushes = [];
    // What the dead process still has to say concerns nobody.
    await settle(30);
    await this.start();
    for (const partition of this.#partitions)
      if (partition.log !== null) await this.#verify(partition, partition.log, how);
  }

  /** The log is what was appended, at least as far as it was durable; the model goes on from there. */
  async #verify(partition: ModelPartition, log: Log, how: string): Promise<void> {
    const what = `${partition.topic} after a ${how}`;
    expect(log.logEndOffset, what).toBeGreaterThanOrEqual(partition.acknowledged);
    if (partition.acknowledged > 0) expect(log.logStartOffset, what).toBeLessThanOrEqual(partition.logStart);
    const found: ModelBatch[] = [];
    for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
      const { batches, nextOffset } = await log.read(offset, ALL);
      expect(nextOffset, `a gap in ${what}`).toBeGreaterThan(offset);
      for (const buffer of batches) {
        for (const { position, sizeInBytes, baseOffset, lastOffset } of iterateBatches(buffer)) {
          const bytes = Buffer.from(buffer.subarray(position, position + sizeInBytes));
          const isDurable = baseOffset < partition.acknowledged;
          const expected = isDurable
            ? partition.batches.filter(({ base }) => base === baseOffset).map((batch) => batch.bytes)
            : (partition.appended.get(baseOffset) ?? []);
          expect(
            expected.some((each) => each.equals(bytes)),
            `the batch at ${baseOffset} of ${what}`,
          ).toBe(true);
          found.push({ base: baseOffset, end: lastOffset + 1, bytes });
        }
      }
      offset = nextOffset;
    }
    const firstFound = found[0]?.base ?? log.logEndOffset;
    partition.batches = [...partition.batches.filter(({ end }) => end <= firstFound), ...found];
    partition.acknowledged = log.logEndOffset;
    partition.logStart = log.logStartOffset;
  }
}

/** A follower's fetch. */
async function copyPiece(log: Log, future: Log): Promise<void> {
  if (future.logEndOffset < log.logStartOffset) future.truncateFullyAndStartAt(log.logStartOffset);
  const options = { maxBytes: 800, upToOffset: log.logEndOffset, minOneMessage: true };
  const { batches } = await log.read(future.logEndOffset, options);
  for (const records of batches) {
    const firstOffset = Number(records.readBigInt64BE(0));
    if (firstOffset < future.logEndOffset) future.truncateFullyAndStartAt(firstOffset);
    future.append(Buffer.from(records), { origin: 'replication', leaderEpoch: -1 });
  }
  future.updateHighWatermark(log.highWatermark);
  future.maybeIncrementLogStartOffset(Math.min(log.logStartOffset, future.highWatermark));
}
