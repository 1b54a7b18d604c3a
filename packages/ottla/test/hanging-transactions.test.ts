import { expect, test } from 'vitest';
import { hanging, longOpen } from '../src/commands/hanging-transactions.ts';

const producer = (producerId: number, startOffset: number | undefined, lastTimestampMs = 0) => ({
  producerId,
  producerEpoch: 3,
  lastSequence: 1,
  lastTimestampMs,
  coordinatorEpoch: 0,
  currentTransactionStartOffset: startOffset,
});
const place = { topic: 't', partition: 0 };
const known = (producerId: number, partitions: readonly { topic: string; partition: number }[]) => ({
  transactionalId: `id-${producerId}`,
  coordinator: 1,
  producerId,
  producerEpoch: 3,
  state: 'Ongoing',
  timeoutMs: 1000,
  startTimeMs: 0,
  partitions,
});

test('only transactions that are open for longer than the greatest timeout are candidates', () => {
  const producers = [producer(1, 10), producer(2, undefined), producer(3, 12, 101), producer(4, 13, 100)];
  const candidates = longOpen([{ ...place, producers, error: null }], {
    nowMs: 1100,
    maxTransactionTimeoutMs: 999,
  });
  expect(candidates.map((each) => each.producer.producerId)).toEqual([1, 4]);
});

test('a candidate hangs when no coordinator knows its producer, or knows it in other partitions', () => {
  const candidates = [1, 2, 3].map((id) => ({ ...place, producer: producer(id, 10) }));
  const found = hanging(candidates, [known(1, [place]), known(2, [{ topic: 't', partition: 1 }])]);
  expect(found.map((each) => each.producer.producerId)).toEqual([2, 3]);
});
