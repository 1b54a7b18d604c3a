import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  connect,
  topic,
  type Admin,
  type Consumer,
  type ConsumerOptions,
  type Ottla,
} from '../../src/index.ts';
import { useBroker } from '../test-broker.ts';
import { numbered, textRecords, writeBatches } from './produce.ts';

const broker = useBroker({
  'group.initial.rebalance.delay.ms': '0',
  'group.consumer.min.heartbeat.interval.ms': '50',
  'group.consumer.heartbeat.interval.ms': '50',
});
let ottla: Ottla;
let admin: Admin;
beforeAll(() => {
  ottla = connect({ bootstrap: broker.bootstrap, defaultApiTimeoutMs: 10_000 });
  admin = ottla.admin();
});
afterAll(() => ottla.close());

/** Looks again, a turn of the event loop later, until it is so. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

async function filledTopic(name: string, partitions: number, count: number): Promise<void> {
  await admin.topics.ensure(topic(name, { partitions }));
  for (let partition = 0; partition < partitions; partition += 1)
    await writeBatches(broker.bootstrap, { topic: name, partition }, [
      { records: textRecords(numbered(`p${partition}`, count)) },
    ]);
}

const protocols: readonly (readonly [string, ConsumerOptions])[] = [
  ['range', { assignors: ['range'], heartbeatIntervalMs: 20 }],
  ['cooperative-sticky', { assignors: ['cooperative-sticky'], heartbeatIntervalMs: 20 }],
  ['consumer', { groupProtocol: 'consumer' }],
];

describe.each(protocols)('a group with %s', (protocol, options) => {
  const base = (name: string): ConsumerOptions => ({
    group: name,
    from: 'earliest',
    autoCommitIntervalMs: 60_000,
    ...options,
  });

  test('partitions move when the loop has finished what it holds, and what it finished is committed then', async () => {
    const name = `moves-${protocol}`;
    await filledTopic(name, 2, 5);
    const events: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const first = ottla.consumer(name, {
      ...base(name),
      onRevoked: async (partitions) => {
        await Promise.resolve();
        events.push(`revoked ${partitions.map(({ partition }) => partition)}`);
      },
      onAssigned: (partitions) =>
        void events.push(`assigned ${partitions.map(({ partition }) => partition)}`),
    });
    let count = 0;
    const loop = (async () => {
      for await (const _ of first) {
        count += 1;
        if (count === 10) {
          events.push('holds the last');
          await gate;
          events.push('lets go');
        }
      }
    })();
    await until(() => count === 10);
    const second = ottla.consumer(name, base(name));
    second.start();
    // The coordinator has asked for the rebalance, and the first member is in no hurry.
    await until(async () => (await admin.groups.describe(name)).members.length === 2);
    expect(events).toEqual(['assigned 0,1', 'holds the last']);
    expect(second.assignment).toEqual([]);
    open();
    await until(() => first.assignment.length === 1 && second.assignment.length === 1);
    expect(events.indexOf('lets go')).toBeLessThan(events.findIndex((event) => event.startsWith('revoked')));
    const moved = second.assignment;
    expect(await second.committed(moved)).toEqual(moved.map((place) => ({ ...place, offset: 5 })));
    await Promise.all([first.close(), second.close()]);
    await loop;
    expect((await admin.groups.describe(name)).members).toEqual([]);
  });

  test('each finishes what it has begun before its partitions move', async () => {
    const name = `each-${protocol}`;
    await filledTopic(name, 2, 50);
    const handled: string[] = [];
    const first = ottla.consumer(name, { ...base(name), concurrency: 8, orderBy: 'key' });
    const handle = async ({ partition, offset }: { partition: number; offset: number }) => {
      await new Promise((resolve) => setImmediate(resolve));
      handled.push(`${partition}-${offset}`);
    };
    const done = first.each(handle);
    await until(() => handled.length > 10);
    const second = ottla.consumer(name, base(name));
    const other = second.each(handle);
    await until(() => first.assignment.length === 1 && second.assignment.length === 1);
    await until(() => new Set(handled).size === 100);
    await Promise.all([first.close(), second.close()]);
    await Promise.all([done, other]);
    // Nothing was handled by both.
    expect(handled.toSorted()).toEqual([...new Set(handled)].toSorted());
    expect((await admin.groups.describe(name)).lag).toBe(0);
  });

  /** A consumer that soon loses its partitions when nothing is asked of it; the gate opens then. */
  function impatient(name: string): { consumer: Consumer; events: string[]; gate: Promise<void> } {
    const events: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const consumer = ottla.consumer(name, {
      ...base(name),
      maxPollIntervalMs: 200,
      onAssigned: () => void events.push('assigned'),
      onLost: () => {
        events.push('lost');
        open();
      },
    }) as unknown as Consumer;
    return { consumer, events, gate };
  }

  test('a loop that takes too long loses its partitions, and joins again when it goes on', async () => {
    const name = `slow-${protocol}`;
    await filledTopic(name, 1, 3);
    const { consumer, events, gate } = impatient(name);
    const offsets: number[] = [];
    for await (const { offset } of consumer) {
      offsets.push(offset);
      if (offsets.length === 2) await gate;
      if (offsets.length === 4) break;
    }
    await consumer.close();
    // What was held when the partition got lost was not committed, and neither was what came before it.
    expect(offsets).toEqual([0, 1, 0, 1]);
    expect(events).toEqual(['assigned', 'lost', 'assigned']);
  });

  test('so does each when a handler takes too long, although it could take more records', async () => {
    const name = `slow-each-${protocol}`;
    await filledTopic(name, 1, 3);
    const { consumer, events, gate } = impatient(name);
    const offsets: number[] = [];
    const each = consumer.each(async ({ offset }) => {
      offsets.push(offset);
      if (offsets.length === 2) await gate;
    });
    await until(() => offsets.length === 5);
    // Idle for longer than the interval: nothing is stuck.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await consumer.close();
    await each;
    expect(offsets).toEqual([0, 1, 0, 1, 2]);
    expect(events).toEqual(['assigned', 'lost', 'assigned']);
  });
});
