import { describe, expect, test } from 'vitest';
import { SharePartitionState } from '../../src/share/share-partition-state.ts';
import { AcknowledgeType, ShareAcquireMode } from '../../src/share/share-partition-types.ts';
import { SETTINGS } from './share-settings.ts';

const MEMBER = 'm';
const context = { settings: SETTINGS, nowMs: 0 };
const settled = { deliveryCountLimit: SETTINGS.deliveryCountLimit, nowMs: 0 };

/** A share partition over batches of ten records each. */
function setUp(batchCount: number) {
  const state = new SharePartitionState(0, []);
  const batches = Array.from({ length: batchCount }, (_, index) => ({
    baseOffset: index * 10,
    lastOffset: index * 10 + 9,
  }));
  const acquire = (maxRecords = 500, mode: number = ShareAcquireMode.batchOptimized) => {
    const fetchOffset = state.nextFetchOffset;
    const read = batches.filter(({ lastOffset }) => lastOffset >= fetchOffset);
    const request = { memberId: MEMBER, batches: read, fetchOffset, maxRecords, batchSize: 10, mode };
    return state.acquire(request, SETTINGS, 0);
  };
  const acknowledge = (offsets: readonly number[], type: number): void => {
    const acknowledged = offsets.map((offset) => ({
      firstOffset: offset,
      lastOffset: offset,
      acknowledgeTypes: [type],
    }));
    const change = state.acknowledge(MEMBER, acknowledged, context);
    if ('errorCode' in change) throw new Error(`Refused: ${change.errorMessage}`);
    state.settle(change, true, settled);
  };
  const offsets = (acquired: ReturnType<typeof acquire>): number[] =>
    acquired.flatMap(({ firstOffset, lastOffset }) =>
      Array.from({ length: lastOffset - firstOffset + 1 }, (_, index) => firstOffset + index),
    );
  /** Delivers everything that is available so often, one record or another in each fetch. */
  const deliver = (times: number): void => {
    for (let time = 0; time < times; time++) acknowledge(offsets(acquire()), AcknowledgeType.release);
  };
  return { acquire, acknowledge, offsets, deliver };
}

const evens = [0, 2, 4, 6, 8];
const odds = [1, 3, 5, 7, 9];

// As Kafka 4.3.1 counts: by in-flight batch, not by neighbouring records.
describe('records that fail again and again', () => {
  test('go out in halves of their batch, however scattered they are', () => {
    const { acquire, acknowledge, offsets, deliver } = setUp(1);
    acquire();
    acknowledge(evens, AcknowledgeType.accept);
    acknowledge(odds, AcknowledgeType.release);
    deliver(2);
    expect(offsets(acquire())).toEqual(odds);
  });

  test('go out one by one for their last attempt', () => {
    const { acquire, acknowledge, offsets, deliver } = setUp(1);
    acquire();
    acknowledge(evens, AcknowledgeType.accept);
    acknowledge(odds, AcknowledgeType.release);
    deliver(3);
    expect(odds.map(() => offsets(acquire()))).toEqual(odds.map((offset) => [offset]));
  });

  test('go out without those of other batches', () => {
    const { acquire, acknowledge, offsets, deliver } = setUp(2);
    acquire();
    const second = odds.map((offset) => offset + 10);
    acknowledge([...evens, ...evens.map((offset) => offset + 10)], AcknowledgeType.accept);
    acknowledge([...odds, ...second], AcknowledgeType.release);
    deliver(2);
    expect([offsets(acquire()), offsets(acquire())]).toEqual([odds, second]);
  });

  test('hold nothing back as long as they are below half of the limit', () => {
    const { acquire, acknowledge, offsets, deliver } = setUp(2);
    acquire();
    const second = odds.map((offset) => offset + 10);
    acknowledge([...evens, ...evens.map((offset) => offset + 10)], AcknowledgeType.accept);
    acknowledge([...odds, ...second], AcknowledgeType.release);
    deliver(1);
    expect(offsets(acquire())).toEqual([...odds, ...second]);
  });
});

test('what is available of a batch goes out whole, unless records are limited', () => {
  const { acquire, acknowledge, offsets } = setUp(1);
  acquire();
  acknowledge(evens, AcknowledgeType.accept);
  acknowledge(odds, AcknowledgeType.release);
  expect(offsets(acquire(2, ShareAcquireMode.recordLimit))).toEqual([1, 3]);
  expect(offsets(acquire(1))).toEqual([5, 7, 9]);
});
