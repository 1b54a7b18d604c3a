import { SimClock } from '@ottla/platform';
import { ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { FetchOperation, type FetchParams } from '../../src/replica/fetch-operation.ts';
import type { Partition, PartitionWaiter, ReadLimits } from '../../src/replica/partition.ts';
import {
  failedRead,
  FetchIsolation,
  type FetchTarget,
  type ReadToSend,
} from '../../src/replica/partition-read.ts';

/** A partition that holds batches of one size and tells its waiters as the replica manager would. */
class FakePartition {
  availableBytes = 0;
  errorCode = 0;
  /** Reads go through a promise, as from a file. */
  isCold = false;
  readonly waiters = new Set<PartitionWaiter>();
  readonly limits: ReadLimits[] = [];

  readToSend(_target: FetchTarget, limits: ReadLimits): ReadToSend | Promise<ReadToSend> {
    this.limits.push(limits);
    if (this.errorCode !== 0) return failedRead(this.errorCode);
    const fits = Math.min(this.availableBytes, limits.maxBytes);
    const sizeInBytes = fits === 0 && limits.minOneMessage ? Math.min(this.availableBytes, 100) : fits;
    const result = { ...failedRead(0), highWatermark: 1, sizeInBytes, records: [Buffer.alloc(sizeInBytes)] };
    return this.isCold ? Promise.resolve(result) : result;
  }

  addWaiter(waiter: PartitionWaiter): void {
    this.waiters.add(waiter);
  }

  removeWaiter(waiter: PartitionWaiter): void {
    this.waiters.delete(waiter);
  }

  append(bytes: number): void {
    this.availableBytes += bytes;
    for (const waiter of this.waiters) waiter.onPartitionChanged();
  }
}

function setUp(count: number, params: Partial<FetchParams> = {}) {
  const clock = new SimClock();
  const partitions = Array.from({ length: count }, () => new FakePartition());
  const lookup = (target: FetchTarget): Partition => partitions[target.partition] as unknown as Partition;
  const targets = partitions.map((_, partition) => ({
    topic: 't',
    topicId: ZERO_UUID,
    partition,
    fetchOffset: 0,
    maxBytes: 1000,
    currentLeaderEpoch: -1,
    lastFetchedEpoch: -1,
  }));
  const operation = new FetchOperation(
    { clock, lookup },
    {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 10_000,
      isolation: FetchIsolation.highWatermark,
      requireLeader: true,
      ...params,
    },
    targets,
  );
  const state: { sizes: number[] | null } = { sizes: null };
  const run = (): void => {
    const results = operation.run();
    const take = (done: readonly ReadToSend[]): void => {
      state.sizes = done.map(({ sizeInBytes }) => sizeInBytes);
    };
    if (results instanceof Promise) void results.then(take);
    else take(results);
  };
  return { clock, partitions, operation, state, run };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a fetch', () => {
  test('with enough data is answered at once', () => {
    const { partitions, state, run, clock } = setUp(2);
    partitions[1]!.availableBytes = 50;
    run();
    expect(state.sizes).toEqual([0, 50]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('without data waits for an append, and leaves no waiter or timer behind', async () => {
    const { partitions, state, run, clock } = setUp(3);
    run();
    expect(state.sizes).toBeNull();
    partitions[2]!.append(70);
    await settle();
    expect(state.sizes).toEqual([0, 0, 70]);
    expect(partitions.map(({ waiters }) => waiters.size)).toEqual([0, 0, 0]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('is answered with nothing when max.wait is over', async () => {
    const { state, run, clock } = setUp(1);
    run();
    clock.advance(499);
    await settle();
    expect(state.sizes).toBeNull();
    clock.advance(1);
    await settle();
    expect(state.sizes).toEqual([0]);
  });

  test('counts min.bytes over all partitions', async () => {
    const { partitions, state, run } = setUp(2, { minBytes: 100 });
    run();
    partitions[0]!.append(60);
    await settle();
    expect(state.sizes).toBeNull();
    partitions[1]!.append(40);
    await settle();
    expect(state.sizes).toEqual([60, 40]);
  });

  test('gives what there is when min.bytes is not reached in time', async () => {
    const { partitions, state, run, clock } = setUp(2, { minBytes: 100 });
    run();
    partitions[0]!.append(60);
    clock.advance(500);
    await settle();
    expect(state.sizes).toEqual([60, 0]);
  });

  test('does not wait when max.wait is 0, or when a partition has an error', () => {
    const first = setUp(1, { maxWaitMs: 0 });
    first.run();
    expect(first.state.sizes).toEqual([0]);
    const second = setUp(2);
    second.partitions[1]!.errorCode = ErrorCodes.OFFSET_OUT_OF_RANGE;
    second.run();
    expect(second.state.sizes).toEqual([0, 0]);
  });

  test('ends when a partition it waits on is gone', async () => {
    const { partitions, state, run } = setUp(2);
    run();
    partitions[0]!.errorCode = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
    partitions[0]!.append(0);
    await settle();
    expect(state.sizes).toEqual([0, 0]);
  });

  test('lets only the first partition with data exceed the limits', () => {
    const { partitions, run } = setUp(3, { maxBytes: 150 });
    for (const partition of partitions.slice(1)) partition.availableBytes = 100;
    run();
    const seen = partitions.map(({ limits }) => [limits[0]!.maxBytes, limits[0]!.minOneMessage]);
    expect(seen).toEqual([
      [150, true],
      [150, true],
      [50, false],
    ]);
  });

  test('reads from files one partition after the other, with the same limits', async () => {
    const { partitions, state, run } = setUp(3, { maxBytes: 250 });
    for (const partition of partitions) {
      partition.isCold = true;
      partition.availableBytes = 100;
    }
    run();
    expect(state.sizes).toBeNull();
    await settle();
    expect(state.sizes).toEqual([100, 100, 50]);
  });

  test('that is cancelled ends at once', async () => {
    const { partitions, operation, state, run, clock } = setUp(1);
    run();
    operation.cancel();
    await settle();
    expect(state.sizes).toEqual([0]);
    expect(partitions[0]!.waiters.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});
