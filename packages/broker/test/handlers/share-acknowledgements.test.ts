import { expect, test } from 'vitest';
import { acknowledgementsOf } from '../../src/handlers/share-acknowledgements.ts';

const accepted = { firstOffset: 0, lastOffset: 2, acknowledgeTypes: [1] };
const partition = (partitionIndex: number, acknowledgementBatches = [accepted]) => ({
  partitionIndex,
  acknowledgementBatches,
});

test('partitions without acknowledgements are acknowledged beside one that has some, and not by themselves', () => {
  const [topicId, other] = ['one', 'other'];
  expect(
    acknowledgementsOf([
      { topicId, partitions: [partition(0, []), partition(1)] },
      { topicId: other, partitions: [partition(0, [])] },
    ]),
  ).toEqual([
    { topicId, partition: 0, batches: [] },
    { topicId, partition: 1, batches: [accepted] },
    { topicId: other, partition: 0, batches: [] },
  ]);
  expect(acknowledgementsOf([{ topicId, partitions: [partition(0, []), partition(1, [])] }])).toEqual([]);
});
