import { startBroker, type TestBroker } from '@ottla/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type CommitOffset, type ConsumerInterceptor, type Ottla } from '../../src/index.ts';
import { keepingWarnings } from '../warnings.ts';

let kafka: TestBroker;
let ottla: Ottla;
const { logger, warnings } = keepingWarnings();
beforeAll(async () => {
  kafka = await startBroker();
  ottla = connect({ bootstrap: kafka.bootstrap, logger });
});
afterAll(async () => {
  await ottla.close();
  await kafka.close();
});

const broken: ConsumerInterceptor = {
  onConsume: () => {
    throw new Error('broken');
  },
  onCommit: () => {
    throw new Error('broken');
  },
};

/** Leaves out values that begin with x, and marks the others. */
const filter: ConsumerInterceptor = {
  onConsume: (message) => {
    const value = message.value as string;
    return value.startsWith('x') ? null : message.with({ value: `${value}!` });
  },
};

test('records are changed and left out, one interceptor after the other, and one that throws is skipped', async () => {
  await kafka.createTopic('icc-a');
  await kafka.produce('icc-a', ['x', { key: 'k', value: 'a', headers: { h: '1' } }, 'x', 'b', 'x']);
  const interceptors = [broken, filter, filter];
  await using consumer = ottla.consumer('icc-a', { group: 'icc-a', from: 'earliest', interceptors });
  const got: (readonly [string | null, string, number, string | null, string | undefined])[] = [];
  for await (const message of consumer) {
    const { key, value, offset } = message;
    got.push([key, value, offset, message.header('h'), message.valueBytes?.toString()]);
    if (got.length === 2) break;
  }
  expect(got).toEqual([
    ['k', 'a!!', 1, '1', 'a'],
    [null, 'b!!', 3, null, 'b'],
  ]);
  expect(new Set(warnings)).toEqual(new Set(['An interceptor failed in onConsume']));
});

test('what is left out counts as handled, in batches and with each too', async () => {
  await kafka.createTopic('icc-b');
  await kafka.produce('icc-b', ['x', 'a', 'x', 'x', 'b', 'x', 'c', 'x']);
  const commits: (readonly CommitOffset[])[] = [];
  const watcher: ConsumerInterceptor = { onCommit: (offsets) => void commits.push(offsets) };
  const interceptors = [broken, filter, watcher];
  const inBatches: string[][] = [];
  await using batched = ottla.consumer('icc-b', { from: 'earliest', interceptors });
  for await (const messages of batched.batches({ maxRecords: 2 })) {
    inBatches.push(messages.map(({ value }) => value));
    if (inBatches.flat().length === 3) break;
  }
  expect(inBatches).toEqual([['a!', 'b!'], ['c!']]);
  expect(commits).toEqual([]);
  const consumer = ottla.consumer('icc-b', { group: 'icc-b', from: 'earliest', interceptors });
  const handled: string[] = [];
  await consumer.each(({ value }) => {
    handled.push(value);
    if (value === 'c!') void consumer.close();
  });
  await consumer.close();
  expect(handled).toEqual(['a!', 'b!', 'c!']);
  expect(commits).toHaveLength(1);
  // Whether the last x was looked at before the end is a matter of turns.
  expect(commits[0]).toMatchObject([{ topic: 'icc-b', partition: 0 }]);
  expect(commits[0]![0]!.offset).toBeGreaterThanOrEqual(7);
  expect(warnings).toContain('An interceptor failed in onCommit');
});

test('a commit that fails is not told', async () => {
  await kafka.createTopic('icc-c');
  const commits: unknown[] = [];
  const interceptors = [{ onCommit: (offsets: unknown) => void commits.push(offsets) }];
  await using consumer = ottla.consumer('icc-c', { group: 'icc-c', commit: 'manual', interceptors });
  const offsets = [{ topic: 'icc-c', partition: 0, offset: 0 }];
  kafka.faults.fail('OffsetCommit', 'INVALID_COMMIT_OFFSET_SIZE');
  await expect(consumer.commit(offsets)).rejects.toThrow();
  await consumer.commit(offsets);
  expect(commits).toEqual([offsets]);
});
