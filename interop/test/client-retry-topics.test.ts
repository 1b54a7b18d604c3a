import { connect, topic } from '@ottla/client';
import { afterAll, describe, expect, test } from 'vitest';
import { bootstrap, unique } from './support.ts';

/** Retry topics of our client: that other brokers take their transactions, and offsets of several groups in them, as ours does. */
const ottla = connect({ bootstrap, clientId: 'interop-retry', defaultApiTimeoutMs: 20_000 });
afterAll(() => ottla.close());

const guarantees = [
  ['at least once', {}],
  ['exactly once', { transactionalId: unique('retry') }],
] as const;

describe('retry topics', () => {
  test.each(guarantees)('records go through them %s, and every offset is committed', async (_, guarantee) => {
    const name = unique('retry-topics');
    await using admin = ottla.admin();
    await admin.topics.ensure(topic(name, { partitions: 3 }));
    await using producer = ottla.producer();
    const values = Array.from({ length: 30 }, (__, n) => (n % 3 === 0 ? `bad-${n}` : `good-${n}`));
    await producer.sendMany(
      name,
      values.map((value, n) => ({ value, partition: n % 3 })),
    );
    const retrying = ottla.retryingConsumer(name, {
      group: name,
      from: 'earliest',
      concurrency: 3,
      backOff: { delayMs: 20, multiplier: 2 },
      ...guarantee,
    });
    const attempts: string[] = [];
    const dead: string[] = [];
    await retrying.each(
      ({ value }, { attempt }) => {
        attempts.push(`${value}/${attempt}`);
        if (value.startsWith('bad')) throw new Error('no');
      },
      ({ value, partition }, { origin }) => {
        dead.push(`${value} of ${origin.topic}-${origin.partition}`);
        expect(partition).toBe(origin.partition);
        if (dead.length === 10) void retrying.close();
      },
    );
    const bad = values.flatMap((value, n) =>
      value.startsWith('bad') ? [`${value} of ${name}-${n % 3}`] : [],
    );
    expect(dead.sort()).toEqual(bad.sort());
    expect(attempts).toHaveLength(20 + 10 * 3);
    for (const suffix of ['', '-retry-20', '-retry-40', '-dlt']) {
      const { state, lag } = await admin.groups.describe(name + suffix);
      expect([suffix, state]).toEqual([suffix, 'Empty']);
      // Behind the last record of a transaction stands its marker, one in each partition.
      expect(lag).toBeLessThanOrEqual('transactionalId' in guarantee && suffix !== '' ? 3 : 0);
    }
  });
});
