import { startBroker } from '@ottla/testkit';
import { expect, test } from 'vitest';
import { connect } from '../../src/index.ts';

test('each: a record that is handled again after a seek, before one of the first time has ended, is committed', async () => {
  await using kafka = await startBroker({
    topics: { t: 1 },
    records: { t: ['slow', 'quick'].map((key) => ({ key, value: key })) },
  });
  await using ottla = connect(kafka.bootstrap);
  const consumer = ottla.consumer('t', {
    group: 'g',
    from: 'earliest',
    concurrency: 4,
    orderBy: 'key',
    autoCommitIntervalMs: 20,
  });
  let endSlow = (): void => {};
  const slow = new Promise<void>((resolve) => (endSlow = resolve));
  let endTwice = (): void => {};
  const twice = new Promise<void>((resolve) => (endTwice = resolve));
  const seen: string[] = [];
  const each = consumer.each(async ({ key, topic, partition }) => {
    seen.push(key!);
    if (key === 'slow') return seen.length === 1 ? slow : undefined;
    // The first time it goes back: it is handled again while the slow one still is.
    if (seen.filter((name) => name === 'quick').length === 1) consumer.seek({ topic, partition }, 0);
    else endTwice();
    return undefined;
  });
  await twice;
  endSlow();
  let committed: number | null = null;
  for (let look = 0; look < 50 && committed !== 2; look++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    committed = (await consumer.committed())[0]!.offset;
  }
  expect(committed).toBe(2);
  await consumer.close();
  await each;
});
