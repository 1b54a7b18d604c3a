import { SimClock, SimDisk } from '@ottla/platform';
import { decodeRecords, encodeBatch, encodeTransactionMarker, iterateBatches } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import type { Log, LogConfig, LogManager } from '../../src/index.ts';
import type { CleanRunner } from '../../src/cleaner/clean-job.ts';
import { InlineCleanRunner } from '../../src/cleaner/clean-runners.ts';
import { ALL, client, logConfig, openManager, settle, TP } from '../support/fixtures.ts';

const config = logConfig({ compact: true, delete: false, minCleanableDirtyRatio: 0, segmentBytes: 100_000 });

interface Opened {
  readonly log: Log;
  readonly manager: LogManager;
  readonly clock: SimClock;
  readonly disk: SimDisk;
}

async function openCompacted(
  overrides: Partial<LogConfig> = {},
  dedupeBufferBytes = 1e6,
  runnerOn?: (ports: { disk: SimDisk; clock: SimClock }) => CleanRunner,
): Promise<Opened> {
  const disk = new SimDisk();
  const clock = new SimClock();
  const settings = {
    backoffMs: 1e9,
    threads: 1,
    dedupeBufferBytes,
    loadFactor: 0.9,
    maxBytesPerSecond: Number.MAX_VALUE,
  };
  const manager = await openManager(['/data'], {
    disk,
    clock,
    tailCacheBytes: 0,
    cleaner: {
      settings: () => settings,
      ...(runnerOn && { runner: runnerOn({ disk, clock }) }),
    },
  });
  return { manager, clock, disk, log: manager.getOrCreate(TP, null, { ...config, ...overrides }) };
}

/** Appends records given as `key=value` (`key` alone: a tombstone) in one batch. */
function put(
  { log, clock }: Opened,
  pairs: readonly string[],
  producer: Parameters<typeof encodeBatch>[0] | object = {},
): void {
  const records = pairs.map((pair) => {
    const [key, value] = pair.split('=');
    return {
      timestamp: clock.nowMs(),
      key: Buffer.from(key!),
      value: value === undefined ? null : Buffer.from(value),
    };
  });
  log.append(encodeBatch({ ...producer, records }), client);
  log.updateHighWatermark(log.logEndOffset);
}

function mark({ log, clock }: Opened, type: 'abort' | 'commit', producerId: number): void {
  const timestampMs = clock.nowMs();
  log.append(
    encodeTransactionMarker({ type, producerId, producerEpoch: 0, coordinatorEpoch: 1, timestampMs }),
    { leaderEpoch: 0, origin: 'coordinator' },
  );
  log.updateHighWatermark(log.logEndOffset);
}

async function compact({ manager, log }: Opened): Promise<void> {
  log.roll();
  await manager.compactNow();
}

/** The records that a consumer gets, as `offset:key=value`; `[first-last]` for a batch without any, `commit`, `abort`. */
async function contents({ log }: Opened): Promise<string[]> {
  const found: string[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { batches, nextOffset } = await log.read(offset, ALL);
    if (batches.length === 0) break;
    for (const buffer of batches) {
      for (const batch of iterateBatches(buffer)) {
        const records = decodeRecords(buffer, batch.position);
        if (records.length === 0) found.push(`[${batch.baseOffset}-${batch.lastOffset}]`);
        for (const record of records) {
          const text = batch.isControl
            ? ['abort', 'commit'][record.key!.readInt16BE(2)]
            : `${record.key!.toString()}${record.value === null ? '' : `=${record.value.toString()}`}`;
          found.push(`${record.offset}:${text}`);
        }
      }
    }
    offset = nextOffset;
  }
  return found;
}

const transactional = (producerId: number, baseSequence: number): object => ({
  producerId,
  producerEpoch: 0,
  baseSequence,
  isTransactional: true,
});

describe('compaction', () => {
  test('keeps the newest value of each key at its offset, and the end of the segment', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1', 'b=1', 'c=1']);
    put(opened, ['a=2']);
    put(opened, ['b=2', 'a=3']);
    put(opened, ['b=3']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['2:c=1', '5:a=3', '6:b=3']);
    expect([opened.log.logStartOffset, opened.log.logEndOffset]).toEqual([0, 7]);
    put(opened, ['c=2']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['5:a=3', '6:b=3', '7:c=2']);
  });

  test('leaves the active segment alone', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1']);
    put(opened, ['a=2']);
    await opened.manager.compactNow();
    expect(await contents(opened)).toEqual(['0:a=1', '1:a=2']);
  });

  test('keeps a tombstone until delete.retention.ms after the compaction that met it', async () => {
    const opened = await openCompacted({ deleteRetentionMs: 1000 });
    put(opened, ['a=1', 'b=1']);
    put(opened, ['a']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['1:b=1', '2:a']);
    opened.clock.advance(999);
    put(opened, ['c=1']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['1:b=1', '2:a', '3:c=1']);
    opened.clock.advance(1);
    put(opened, ['d=1']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['1:b=1', '3:c=1', '4:d=1']);
  });

  test('removes what was aborted at once, its marker when nothing is left of it, and keeps what was committed', async () => {
    const opened = await openCompacted({ deleteRetentionMs: 1000 });
    put(opened, ['a=1']);
    put(opened, ['a=2'], transactional(7, 0));
    mark(opened, 'abort', 7);
    put(opened, ['b=1'], transactional(7, 1));
    mark(opened, 'commit', 7);
    await compact(opened);
    expect(await contents(opened)).toEqual(['0:a=1', '2:abort', '3:b=1', '4:commit']);
    expect(opened.log.transactions.collectAborted(0, 5)).toEqual([{ producerId: 7, firstOffset: 1 }]);
    put(opened, ['c=1']);
    await compact(opened);
    opened.clock.advance(1001);
    put(opened, ['d=1']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['0:a=1', '3:b=1', '4:commit', '5:c=1', '6:d=1']);
    expect(opened.log.transactions.collectAborted(0, 7)).toEqual([]);
  });

  test('touches nothing from the first undecided transaction on', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1']);
    put(opened, ['a=2'], transactional(7, 0));
    put(opened, ['a=3']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['0:a=1', '1:a=2', '2:a=3']);
    mark(opened, 'commit', 7);
    await compact(opened);
    expect(await contents(opened)).toEqual(['[1-1]', '2:a=3', '3:commit']);
  });

  test('keeps the last batch of an idempotent producer, so that its next one is in order after a restart', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1'], { producerId: 9, producerEpoch: 0, baseSequence: 0 });
    put(opened, ['a=2']);
    put(opened, ['b=1']);
    await compact(opened);
    expect(await contents(opened)).toEqual(['[0-0]', '1:a=2', '2:b=1']);
  });

  test('goes on where the key table was full the time before', async () => {
    const opened = await openCompacted({}, 24 * 3);
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const round of [1, 2, 3]) for (const key of keys) put(opened, [`${key}=${round}`]);
    await compact(opened);
    expect(await contents(opened)).toEqual(keys.map((key, index) => `${12 + index}:${key}=3`));
  });

  test('puts small segments together', async () => {
    const opened = await openCompacted();
    for (const value of [1, 2, 3, 4]) {
      put(opened, [`a=${value}`, `k${value}=1`]);
      opened.log.roll();
    }
    expect(opened.log.segmentCount).toBe(5);
    await compact(opened);
    expect(opened.log.segmentCount).toBe(2);
    expect(await contents(opened)).toEqual(['1:k1=1', '3:k2=1', '5:k3=1', '6:a=4', '7:k4=1']);
  });

  test.each([
    { title: 'too young for min.compaction.lag.ms', config: { minCompactionLagMs: 60_000 }, compacts: false },
    { title: 'old enough', config: { minCompactionLagMs: 10 }, compacts: true },
    { title: 'not dirty enough', config: { minCleanableDirtyRatio: 1 }, compacts: false },
    {
      title: 'not dirty enough, but overdue by max.compaction.lag.ms',
      config: { minCleanableDirtyRatio: 1, maxCompactionLagMs: 500 },
      compacts: true,
    },
    {
      title: 'of a topic that is only deleted from',
      config: { compact: false, delete: true },
      compacts: false,
    },
  ])('of a log that is $title: $compacts', async ({ config: overrides, compacts }) => {
    const opened = await openCompacted(overrides);
    put(opened, ['a=1']);
    put(opened, ['a=2']);
    opened.clock.advance(1000);
    await compact(opened);
    expect(await contents(opened)).toEqual(compacts ? ['1:a=2'] : ['0:a=1', '1:a=2']);
  });

  test('remembers after a restart up to where it has come', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1']);
    put(opened, ['a=2']);
    await compact(opened);
    const text = opened.disk.readFileSync('/data/cleaner-offset-checkpoint').toString();
    expect(text).toBe('0\n1\norders 0 2\n');
    await opened.manager.close();
  });

  test('of a damaged log fails once, is reported, and leaves the log as it is', async () => {
    const opened = await openCompacted();
    put(opened, ['a=1']);
    put(opened, ['a=2']);
    opened.log.roll();
    const file = opened.disk.openSync('/data/orders-0/00000000000000000000.log', 'append');
    file.writeSync([Buffer.from([0xff])], 65);
    file.closeSync();
    await opened.manager.compactNow();
    expect(opened.log.isOffline).toBe(false);
    expect(opened.disk.listSync('/data/orders-0').filter((name) => name.endsWith('.cleaned'))).toEqual([]);
  });
});

describe('a log in the place of a deleted one that was compacted', () => {
  const replaced = ({ manager, clock, disk }: Opened): Opened => {
    manager.asyncDelete(TP);
    return { manager, clock, disk, log: manager.getOrCreate(TP, null, config) };
  };

  test('is compacted from its beginning', async () => {
    const old = await openCompacted();
    put(old, ['a=1', 'a=2', 'a=3']);
    await compact(old);
    const opened = replaced(old);
    put(opened, ['a=4']);
    put(opened, ['a=5']);
    put(opened, ['a=6', 'b=1']);
    await settle(20);
    await compact(opened);
    expect(await contents(opened)).toEqual(['2:a=6', '3:b=1']);
  });

  test('keeps its records although the old compaction is not done yet', async () => {
    const waiting: (() => void)[] = [];
    const old = await openCompacted({}, 1e6, (ports) => {
      const runner = new InlineCleanRunner(ports);
      return {
        run: (job, onGroup) =>
          runner.run(job, async (group) => {
            await new Promise<void>((resolve) => waiting.push(resolve));
            await onGroup(group);
          }),
        close: () => runner.close(),
      };
    });
    put(old, ['a=1', 'a=2']);
    const first = compact(old);
    await settle(20);
    const opened = replaced(old);
    put(opened, ['a=3']);
    put(opened, ['a=4', 'b=1']);
    const second = compact(opened);
    await settle(20);
    let isDone = false;
    void Promise.all([first, second]).then(() => (isDone = true));
    for (; !isDone; await settle(20)) waiting.shift()?.();
    expect(await contents(opened)).toEqual(['1:a=4', '2:b=1']);
    expect(opened.disk.listSync('/data/orders-0').filter((name) => name.endsWith('.cleaned'))).toEqual([]);
  });
});
