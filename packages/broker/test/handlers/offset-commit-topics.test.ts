import { expect, test } from 'vitest';
import { mergeTopicErrors } from '../../src/handlers/offset-commit-topics.ts';

const topic = (name: string, ...partitions: (readonly [partitionIndex: number, errorCode: number])[]) => ({
  name,
  topicId: `id of ${name}`,
  partitions: partitions.map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
});

test('results of a topic stand behind its first refusals, those of other topics behind all of them', () => {
  const refused = [topic('a', [7, 3]), topic('b', [9, 3]), topic('a', [8, 3])];
  const results = [topic('c', [0, 0]), topic('a', [0, 0]), topic('c', [1, 0])];
  expect(mergeTopicErrors(refused, results)).toEqual([
    topic('a', [7, 3], [0, 0]),
    topic('b', [9, 3]),
    topic('a', [8, 3]),
    topic('c', [0, 0], [1, 0]),
  ]);
});

test('merging takes time in proportion to the number of topics, and to that of entries for one of them', () => {
  const many = Array.from({ length: 200_000 }, (_, i) => topic(`t${i}`, [0, 0]));
  expect(mergeTopicErrors([], many)).toHaveLength(many.length);
  const same = Array.from({ length: 200_000 }, (_, i) => topic('t', [i, 0]));
  expect(mergeTopicErrors([], same)[0]?.partitions).toHaveLength(same.length);
}, 10_000);
