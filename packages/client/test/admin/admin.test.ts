import { expect, describe, test, beforeAll, afterAll } from 'vitest';
import { connect, isKafkaError, KafkaError, topic, type Admin, type Ottla } from '../../src/index.ts';
import { useBroker } from '../test-broker.ts';

const broker = useBroker({ 'group.initial.rebalance.delay.ms': '0' });
let ottla: Ottla;
let admin: Admin;
beforeAll(() => {
  ottla = connect({ bootstrap: broker.bootstrap, defaultApiTimeoutMs: 10_000 });
  admin = ottla.admin();
});
afterAll(() => ottla.close());

describe('topics', () => {
  test('ensure creates once and waits for leaders; describe and list show the topic', async () => {
    const orders = topic('orders', {
      partitions: 3,
      replicationFactor: 1,
      configs: { 'cleanup.policy': 'compact' },
    });
    expect(await admin.topics.ensure(orders)).toEqual({ created: ['orders'], existing: [] });
    expect(await admin.topics.ensure([orders])).toEqual({ created: [], existing: ['orders'] });
    const described = await admin.topics.describe(orders);
    expect(described.partitions.map(({ partition, leader }) => [partition, leader > 0])).toEqual([
      [0, true],
      [1, true],
      [2, true],
    ]);
    expect(await admin.topics.list()).toContainEqual({
      name: 'orders',
      topicId: described.topicId,
      partitions: 3,
      isInternal: false,
    });
    const byId = await admin.topics.describeByIds([described.topicId]);
    expect(byId.get(described.topicId)).toMatchObject({ name: 'orders' });
  });

  test('each of several topics has an outcome of its own; one alone throws', async () => {
    const results = await admin.topics.create([
      'plain',
      { name: 'bad', partitions: 1, replicationFactor: 99 },
    ]);
    expect(results.get('plain')).toMatchObject({ partitions: 1, replicationFactor: 1 });
    expect(isKafkaError(results.get('bad'), 'INVALID_REPLICATION_FACTOR')).toBe(true);
    await expect(admin.topics.create('plain')).rejects.toMatchObject({
      name: 'TOPIC_ALREADY_EXISTS',
      code: 36,
    });
    await expect(admin.topics.describe('nowhere')).rejects.toMatchObject({
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
  });

  test('validateOnly creates nothing; createPartitions grows; delete removes', async () => {
    await admin.topics.create({ name: 'tried', partitions: 2 }, { validateOnly: true });
    expect((await admin.topics.list()).map(({ name }) => name)).not.toContain('tried');
    await admin.topics.ensure('grown');
    expect((await admin.topics.createPartitions({ grown: 4 })).get('grown')).toBeUndefined();
    await admin.topics.waitForLeaders(['grown']);
    expect((await admin.topics.describe('grown')).partitions).toHaveLength(4);
    await admin.topics.delete('grown');
    await expect(admin.topics.delete('grown')).rejects.toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });
});

describe('configs', () => {
  test('describe, set, append and go back to the default', async () => {
    await admin.topics.ensure('configured');
    const resource = { type: 'topic', name: 'configured' } as const;
    await admin.configs.alter(resource, { 'retention.ms': 5_000, 'cleanup.policy': 'delete' });
    await admin.configs.alter(resource, { 'cleanup.policy': { append: 'compact' } });
    const configs = await admin.configs.describe(resource, { keys: ['retention.ms', 'cleanup.policy'] });
    expect(configs.get('retention.ms')).toMatchObject({
      value: '5000',
      source: 'DYNAMIC_TOPIC_CONFIG',
      type: 'LONG',
    });
    expect(configs.get('cleanup.policy')?.value).toBe('delete,compact');
    await admin.configs.alter(resource, { 'retention.ms': { delete: true } });
    const after = await admin.configs.describe(resource, { keys: ['retention.ms'] });
    expect(after.get('retention.ms')).toMatchObject({ isDefault: true, value: '604800000' });
  });

  test('a wrong value is refused with the reason; a broker describes itself', async () => {
    await admin.topics.ensure('configured');
    await expect(
      admin.configs.alter({ type: 'topic', name: 'configured' }, { 'retention.ms': 'soon' }),
    ).rejects.toMatchObject({ name: 'INVALID_CONFIG' });
    const { controllerId } = await admin.cluster.describe();
    const own = await admin.configs.describe(
      { type: 'broker', name: String(controllerId) },
      { keys: ['node.id'] },
    );
    expect(own.get('node.id')).toMatchObject({ value: String(controllerId), isReadOnly: true });
  });
});

describe('offsets and groups', () => {
  test('list shows both ends, and an unknown partition has its error', async () => {
    await admin.topics.ensure({ name: 'empty', partitions: 2 });
    const ends = await admin.offsets.list('empty', 'latest');
    expect(ends.map(({ partition, error }) => [partition, error])).toEqual([
      [0, null],
      [1, null],
    ]);
    const [missing] = await admin.offsets.listPartitions(
      [{ topic: 'empty', partition: 9, spec: 'earliest' }],
      { timeoutMs: 500 },
    );
    expect(missing!.error).toMatchObject({ name: 'UNKNOWN_TOPIC_OR_PARTITION' });
  });

  test('offsets of a group: reset with a dry run, committed, listed, shifted, deleted', async () => {
    const events = topic('events', { partitions: 2 });
    await admin.topics.ensure(events);
    const plan = await admin.groups.resetOffsets('billing', events, 'earliest', { dryRun: true });
    expect(plan).toEqual([
      { topic: 'events', partition: 0, from: null, to: 0 },
      { topic: 'events', partition: 1, from: null, to: 0 },
    ]);
    await expect(admin.groups.describe('billing')).rejects.toMatchObject({ name: 'GROUP_ID_NOT_FOUND' });
    await admin.groups.resetOffsets('billing', events, new Date());
    const group = await admin.groups.describe('billing');
    expect(group).toMatchObject({ groupId: 'billing', state: 'Empty', lag: 0, members: [] });
    expect(group.offsets.map(({ partition, committed }) => [partition, committed])).toEqual([
      [0, 0],
      [1, 0],
    ]);
    expect((await admin.groups.list()).map(({ groupId }) => groupId)).toContain('billing');
    expect(await admin.groups.deleteOffsets('billing', [{ topic: 'events', partition: 1 }])).toEqual([
      { topic: 'events', partition: 1, error: null },
    ]);
    expect((await admin.groups.offsets('billing')).map(({ partition }) => partition)).toEqual([0]);
    await admin.groups.delete('billing');
    await expect(admin.groups.delete('billing')).rejects.toBeInstanceOf(KafkaError);
  });
});

test('a closed admin refuses calls, its handle goes on', async () => {
  const other = ottla.admin();
  await other.close();
  await expect(other.topics.list()).rejects.toMatchObject({ name: 'CLIENT_CLOSED' });
  await ottla.ready({ timeoutMs: 5_000 });
});
