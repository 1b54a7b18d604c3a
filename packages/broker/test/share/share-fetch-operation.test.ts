import { SimClock } from '@ottla/platform';
import { encodeBatch, ZERO_UUID } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import type { Partition, PartitionWaiter } from '../../src/replica/partition.ts';
import { failedRead, type FetchTarget, type PartitionReadResult } from '../../src/replica/partition-read.ts';
import { ShareFetchOperation, type ShareFetchParams } from '../../src/share/share-fetch-operation.ts';
import { SharePartition } from '../../src/share/share-partition.ts';
import { SETTINGS } from './share-settings.ts';

/** A partition of batches with one record each, read through promises as from a file. */
class FakePartition {
  readonly leaderEpoch = 0;
  readonly topic = 't';
  readonly topicId = ZERO_UUID;
  readonly partition = 0;
  readonly log = { logStartOffset: 0 };
  readonly waiters = new Set<PartitionWaiter>();
  abortedFrom = Number.POSITIVE_INFINITY;
  endOffset = 0;
  readCount = 0;

  async read({ fetchOffset }: FetchTarget): Promise<PartitionReadResult> {
    this.readCount += 1;
    if (this.readCount > 1000) throw new Error('Fetches read for ever');
    await Promise.resolve();
    if (fetchOffset >= this.endOffset) return { ...failedRead(0), records: [], sizeInBytes: 0 };
    const isAborted = fetchOffset >= this.abortedFrom;
    const batch = encodeBatch({
      baseOffset: fetchOffset,
      producerId: isAborted ? 7 : -1,
      isTransactional: isAborted,
      records: [{ value: Buffer.from('v') }],
    });
    const abortedTransactions = isAborted ? [{ producerId: 7, firstOffset: fetchOffset }] : [];
    return { ...failedRead(0), records: [batch], sizeInBytes: batch.length, abortedTransactions };
  }

  addWaiter(waiter: PartitionWaiter): void {
    this.waiters.add(waiter);
  }

  removeWaiter(waiter: PartitionWaiter): void {
    this.waiters.delete(waiter);
  }

  append(): void {
    this.endOffset += 1;
    for (const waiter of this.waiters) waiter.onPartitionChanged();
  }
}

function setUp(count: number) {
  const clock = new SimClock();
  const persisted = { errorCode: 0, errorMessage: null };
  const persister = {
    read: () => Promise.resolve({ ...persisted, stateEpoch: 0, startOffset: 0, stateBatches: [] }),
    write: () => Promise.resolve(persisted),
  };
  const partitions = Array.from({ length: count }, () => new FakePartition());
  const shares = partitions.map(
    (partition, index) =>
      new SharePartition(
        { groupId: 'g', topicId: ZERO_UUID, partition: index },
        partition as unknown as Partition,
        {
          persister,
          clock,
          settings: () => SETTINGS,
          onFenced: () => undefined,
        },
      ),
  );
  const start = (memberId: string, params: Partial<ShareFetchParams> = {}, order = shares) => {
    const all = { memberId, maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, maxRecords: 10, batchSize: 10 };
    const defaults = { ...all, acquireMode: 0, isSessionOpen: () => true };
    const operation = new ShareFetchOperation(order, { ...defaults, ...params }, clock);
    const state: { offsets: number[] | null } = { offsets: null };
    void operation.run().then((results) => {
      state.offsets = [...results.values()].flatMap(({ acquired }) =>
        acquired.map(({ firstOffset }) => firstOffset),
      );
    });
    return state;
  };
  const reads = () => partitions.reduce((sum, { readCount }) => sum + readCount, 0);
  return { clock, partitions, shares, start, reads };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('share fetches of one group', () => {
  test('that find nothing come to rest, and are answered when their time is over', async () => {
    const { clock, partitions, shares, start, reads } = setUp(3);
    const backwards = [...shares].reverse();
    const waiting = ['a', 'b', 'c', 'd'].map((member, index) =>
      start(member, {}, index % 2 === 0 ? shares : backwards),
    );
    await settle();
    const atRest = reads();
    await settle();
    expect(reads()).toBe(atRest);
    expect(waiting.map(({ offsets }) => offsets)).toEqual([null, null, null, null]);
    clock.advance(500);
    await settle();
    expect(waiting.map(({ offsets }) => offsets)).toEqual([[], [], [], []]);
    expect(partitions.map(({ waiters }) => waiters.size)).toEqual([0, 0, 0]);
  });

  test('are each woken by a record, and one of them gets it', async () => {
    const { partitions, start } = setUp(2);
    const waiting = [start('a'), start('b'), start('c')];
    await settle();
    partitions[1]!.append();
    await settle();
    expect(waiting.filter(({ offsets }) => offsets !== null).map(({ offsets }) => offsets)).toEqual([[0]]);
  });

  test('that were kept out by one that wants more bytes read when it gives up', async () => {
    const { partitions, start } = setUp(1);
    partitions[0]!.append();
    const greedy = start('a', { minBytes: 1000 });
    const modest = start('b');
    await settle();
    expect(greedy.offsets).toBeNull();
    expect(modest.offsets).toEqual([0]);
  });

  test('whose session has ended lock nothing, and do not wait for more', async () => {
    const { partitions, start } = setUp(1);
    let isSessionOpen = true;
    const left = start('a', { isSessionOpen: () => isSessionOpen });
    await settle();
    isSessionOpen = false;
    partitions[0]!.append();
    await settle();
    expect(left.offsets).toEqual([]);
    const other = start('b');
    await settle();
    expect(other.offsets).toEqual([0]);
  });

  test('that found only an aborted transaction read on behind it', async () => {
    const { partitions, start } = setUp(1);
    const partition = partitions[0]!;
    partition.abortedFrom = 0;
    const waiting = start('a');
    await settle();
    partition.append();
    await settle();
    expect(waiting.offsets).toBeNull();
    partition.abortedFrom = 2;
    partition.append();
    partition.append();
    await settle();
    expect(waiting.offsets).toEqual([1]);
  });
});
