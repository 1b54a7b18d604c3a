import { ApiKeys } from '@ottla/protocol';
import { connect, isKafkaError, KafkaError, topic, type Admin } from '@ottla/client';
import { afterAll, describe, expect, test } from 'vitest';
import { eventually } from '../src/index.ts';
import { bootstrap, interop, unique } from './support.ts';

/** The client's admin on the broker under test: the same on Ottla and on Apache Kafka. */
const ottla = connect({ bootstrap, clientId: 'interop-admin', defaultApiTimeoutMs: 20_000 });
const admin: Admin = ottla.admin();
const versions = [...(await admin.cluster.apiVersions()).values()][0]!;
afterAll(() => ottla.close());

/** Title and condition of tests for what not every broker has. */
function needs(
  key: keyof typeof ApiKeys,
  version = 0,
): { readonly isAbsent: boolean; readonly reason: string } {
  const isAbsent = versions instanceof KafkaError || (versions.get(ApiKeys[key])?.max ?? -1) < version;
  return { isAbsent, reason: isAbsent ? ` (skipped: ${interop.kind} does not serve ${key})` : '' };
}

function error(name: string): object {
  return expect.objectContaining({ name });
}

describe('client admin: topics', () => {
  test('create, ensure, describe, list, grow and delete', async () => {
    const orders = topic(unique('orders'), {
      partitions: 2,
      replicationFactor: 1,
      configs: { 'cleanup.policy': 'compact' },
    });
    const created = await admin.topics.create(orders);
    expect(created).toMatchObject({ name: orders.name, partitions: 2, replicationFactor: 1 });
    await expect(admin.topics.create(orders)).rejects.toEqual(error('TOPIC_ALREADY_EXISTS'));
    expect(await admin.topics.ensure(orders)).toEqual({ created: [], existing: [orders.name] });
    const described = await admin.topics.describe(orders);
    expect(described).toMatchObject({ name: orders.name, topicId: created.topicId, isInternal: false });
    expect(described.partitions.map(({ partition, isr }) => [partition, isr.length])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect((await admin.topics.describeByIds([created.topicId])).get(created.topicId)).toMatchObject({
      name: orders.name,
    });
    expect((await admin.topics.createPartitions({ [orders.name]: 3 })).get(orders.name)).toBeUndefined();
    await eventually('The new partition', async () =>
      (await admin.topics.describe(orders)).partitions.length === 3 ? true : undefined,
    );
    expect((await admin.topics.list()).find(({ name }) => name === orders.name)?.partitions).toBe(3);
    await admin.topics.delete(orders);
    await eventually('The end of the topic', async () =>
      (await admin.topics.list()).some(({ name }) => name === orders.name) ? undefined : true,
    );
  });

  test("errors are Kafka's, for each topic its own", async () => {
    const good = unique('good');
    const results = await admin.topics.create([
      { name: good, partitions: 1 },
      { name: unique('bad'), partitions: 0 },
      { name: unique('bad'), replicationFactor: 9 },
      { name: unique('bad'), configs: { 'no.such.config': '1' } },
      { name: 'bad name' },
    ]);
    expect(
      [...results.values()].map((outcome) => (outcome instanceof KafkaError ? outcome.name : 'created')),
    ).toEqual([
      'created',
      'INVALID_PARTITIONS',
      'INVALID_REPLICATION_FACTOR',
      'INVALID_CONFIG',
      'INVALID_TOPIC_EXCEPTION',
    ]);
    await expect(admin.topics.describe('nowhere')).rejects.toEqual(error('UNKNOWN_TOPIC_OR_PARTITION'));
    await expect(admin.topics.delete('nowhere')).rejects.toEqual(error('UNKNOWN_TOPIC_OR_PARTITION'));
    const grown = await admin.topics.createPartitions({ [good]: 1 });
    expect(grown.get(good)).toEqual(error('INVALID_PARTITIONS'));
  });
});

describe('client admin: configs', () => {
  test('topic configs change by key; documentation and synonyms come when asked for', async () => {
    const name = unique('configured');
    await admin.topics.ensure(name);
    const resource = { type: 'topic', name } as const;
    await admin.configs.alter(resource, { 'retention.ms': 5_000, 'cleanup.policy': { append: 'compact' } });
    const configs = await admin.configs.describe(resource, {
      includeSynonyms: true,
      includeDocumentation: true,
    });
    expect(configs.get('retention.ms')).toMatchObject({
      value: '5000',
      type: 'LONG',
      source: 'DYNAMIC_TOPIC_CONFIG',
    });
    expect(configs.get('retention.ms')!.documentation).toBeTypeOf('string');
    expect(configs.get('cleanup.policy')!.value).toBe('delete,compact');
    expect(configs.get('retention.ms')!.synonyms.map(({ name: key }) => key)).toContain('retention.ms');
    await expect(admin.configs.alter(resource, { 'retention.ms': 'soon' })).rejects.toEqual(
      error('INVALID_CONFIG'),
    );
    await admin.configs.alter(resource, { 'retention.ms': { delete: true } });
    expect(
      (await admin.configs.describe(resource, { keys: ['retention.ms'] })).get('retention.ms'),
    ).toMatchObject({
      isDefault: true,
    });
  });

  test('brokers describe themselves; resources of different kinds go to different nodes', async () => {
    const { nodes } = await admin.cluster.describe();
    const id = String(nodes[0]!.nodeId);
    const results = await admin.configs.describe([
      { type: 'broker', name: id },
      { type: 'topic', name: 'nowhere' },
    ]);
    const [own, missing] = [...results.values()];
    expect(own instanceof KafkaError ? own : own!.get('node.id')?.value).toBe(id);
    expect(missing).toEqual(error('UNKNOWN_TOPIC_OR_PARTITION'));
  });

  const listing = needs('ListConfigResources', 1);
  test.skipIf(listing.isAbsent)(`resources with configs are listed${listing.reason}`, async () => {
    const name = unique('listed');
    await admin.topics.ensure(name);
    expect(await admin.configs.listResources(['topic'])).toContainEqual({ type: 'topic', name });
  });
});

describe('client admin: groups and offsets', () => {
  test('a group without members: offsets committed, shifted, reset by every way, deleted', async () => {
    const events = topic(unique('events'), { partitions: 2 });
    const group = unique('billing');
    await admin.topics.ensure(events);
    const places = [0, 1].map((partition) => ({ topic: events.name, partition }));
    const committed = await admin.groups.alterOffsets(
      group,
      places.map((place) => ({ ...place, offset: 0, metadata: 'm' })),
    );
    expect(committed.map((each) => each.error)).toEqual([null, null]);
    const described = await admin.groups.describe(group);
    expect(described).toMatchObject({ state: 'Empty', lag: 0 });
    expect(described.offsets.map(({ committed: offset, metadata }) => [offset, metadata])).toEqual([
      [0, 'm'],
      [0, 'm'],
    ]);
    expect(await admin.groups.offsets(group, { partitions: [places[1]!] })).toMatchObject([
      { partition: 1, offset: 0 },
    ]);
    for (const to of [
      'earliest',
      'latest',
      'current',
      new Date(),
      { shiftBy: 3 },
      { offset: 99 },
      { durationMs: 5 },
    ] as const) {
      const plan = await admin.groups.resetOffsets(group, events, to, { dryRun: true });
      // The topic is empty, so every way ends at its only offset.
      expect(plan.map((step) => [step.from, step.to])).toEqual([
        [0, 0],
        [0, 0],
      ]);
    }
    expect((await admin.groups.list({ states: ['Empty'] })).map(({ groupId }) => groupId)).toContain(group);
    expect((await admin.groups.deleteOffsets(group, [places[0]!])).map((each) => each.error)).toEqual([null]);
    await admin.groups.delete(group);
    await expect(admin.groups.delete(group)).rejects.toEqual(error('GROUP_ID_NOT_FOUND'));
    await expect(admin.groups.describe(group)).rejects.toEqual(error('GROUP_ID_NOT_FOUND'));
  });

  test('offsets of partitions, and deleting records', async () => {
    const name = unique('offsets');
    await admin.topics.ensure({ name, partitions: 2 });
    for (const spec of ['earliest', 'latest', 'max-timestamp', new Date()] as const) {
      const offsets = await admin.offsets.list(name, spec);
      expect(offsets.map((each) => (each.error === null ? each.offset : each.error))).toEqual(
        Array(2).fill(spec === 'earliest' || spec === 'latest' ? 0 : -1),
      );
    }
    const deleted = await admin.offsets.deleteRecords([
      { topic: name, partition: 0, beforeOffset: -1 },
      { topic: name, partition: 1, beforeOffset: 5 },
    ]);
    expect(deleted[0]).toMatchObject({ lowWatermark: 0, error: null });
    expect(deleted[1]!.error).toEqual(error('OFFSET_OUT_OF_RANGE'));
    const [unknown] = await admin.offsets.listPartitions([{ topic: name, partition: 7, spec: 'latest' }], {
      timeoutMs: 500,
    });
    expect(unknown!.error).toEqual(error('UNKNOWN_TOPIC_OR_PARTITION'));
  });
});

describe('client admin: the cluster', () => {
  test('nodes, log directories, reassignments and elections', async () => {
    const name = unique('placed');
    await admin.topics.ensure(name);
    const { nodes, clusterId } = await admin.cluster.describe({ includeAuthorizedOperations: true });
    expect(nodes.map(({ host, port }) => `${host}:${port}`)).toEqual([bootstrap]);
    expect(clusterId).toHaveLength(22);
    const dirs = [...(await admin.logDirs.describe()).values()][0]!;
    expect(dirs).not.toBeInstanceOf(KafkaError);
    if (dirs instanceof KafkaError) return;
    expect(dirs.flatMap(({ replicas }) => replicas.map((each) => each.topic))).toContain(name);
    expect(dirs[0]!.totalBytes).toBeGreaterThan(0);
    expect(await admin.replicas.listReassignments()).toEqual([]);
  });

  const features = needs('ApiVersions');
  test(`features${features.reason}`, async () => {
    const described = await admin.features.describe();
    expect(described.get('metadata.version')!.finalizedLevel).toBeGreaterThan(0);
  });

  const election = needs('ElectLeaders');
  test.skipIf(election.isAbsent)(
    `electing a leader that leads already is refused${election.reason}`,
    async () => {
      const name = unique('elected');
      await admin.topics.ensure(name);
      const [outcome] = await admin.replicas.electLeaders('preferred', [{ topic: name, partition: 0 }]);
      expect(outcome!.error).toEqual(error('ELECTION_NOT_NEEDED'));
    },
  );

  const quorum = needs('DescribeQuorum');
  test.skipIf(quorum.isAbsent)(`the quorum of controllers${quorum.reason}`, async () => {
    const described = await admin.quorum.describe();
    expect(described.voters.map(({ replicaId }) => replicaId)).toContain(described.leaderId);
    expect(described.highWatermark).toBeGreaterThan(0);
  });
});

describe('client admin: users, quotas, ACLs, transactions', () => {
  const users = needs('AlterUserScramCredentials');
  test.skipIf(users.isAbsent)(`SCRAM users are created, described and deleted${users.reason}`, async () => {
    const user = unique('ada');
    await admin.users.setPassword(user, { mechanism: 'SCRAM-SHA-256', password: 'pencil', iterations: 8192 });
    const described = await eventually('The user', async () => {
      const outcome = (await admin.users.describe([user])).get(user);
      return outcome === undefined || isKafkaError(outcome, 'RESOURCE_NOT_FOUND') ? undefined : outcome;
    });
    expect(described).toEqual({ user, credentials: [{ mechanism: 'SCRAM-SHA-256', iterations: 8192 }] });
    await admin.users.delete(user, 'SCRAM-SHA-256');
    await expect(admin.users.delete(user, 'SCRAM-SHA-256')).rejects.toEqual(error('RESOURCE_NOT_FOUND'));
  });

  const quotas = needs('AlterClientQuotas');
  test.skipIf(quotas.isAbsent)(`quotas are set, found and removed${quotas.reason}`, async () => {
    const user = unique('quota');
    await admin.quotas.alter({ user }, { producer_byte_rate: 1024, consumer_byte_rate: 2048 });
    await admin.quotas.alter({ user }, { consumer_byte_rate: null });
    const found = await eventually('The quota', async () => {
      const entries = await admin.quotas.describe({ user });
      return entries.length === 0 || 'consumer_byte_rate' in entries[0]!.limits ? undefined : entries;
    });
    expect(found).toEqual([{ entity: { user }, limits: { producer_byte_rate: 1024 } }]);
  });

  const acls = needs('DescribeAcls');
  test.skipIf(acls.isAbsent)(`a cluster without authorizer says so${acls.reason}`, async () => {
    await expect(admin.acls.describe()).rejects.toEqual(error('SECURITY_DISABLED'));
  });

  const transactions = needs('DescribeTransactions');
  test.skipIf(transactions.isAbsent)(
    `transactions are fenced, listed and described${transactions.reason}`,
    async () => {
      const id = unique('tx');
      await expect(admin.transactions.describe(id)).rejects.toEqual(error('TRANSACTIONAL_ID_NOT_FOUND'));
      const fenced = (await admin.transactions.fenceProducers([id])).get(id);
      expect(fenced).toMatchObject({ producerEpoch: 0 });
      expect(await admin.transactions.describe(id)).toMatchObject({
        transactionalId: id,
        state: 'Empty',
        partitions: [],
      });
      expect((await admin.transactions.list()).map(({ transactionalId }) => transactionalId)).toContain(id);
    },
  );

  const producers = needs('DescribeProducers');
  test.skipIf(producers.isAbsent)(`producers of a partition${producers.reason}`, async () => {
    const name = unique('producers');
    await admin.topics.ensure(name);
    expect(await admin.transactions.describeProducers([{ topic: name, partition: 0 }])).toEqual([
      { topic: name, partition: 0, producers: [], error: null },
    ]);
  });

  const share = needs('ShareGroupDescribe');
  test.skipIf(share.isAbsent)(`share groups that do not exist${share.reason}`, async () => {
    await expect(admin.shareGroups.describe(unique('share'))).rejects.toEqual(error('GROUP_ID_NOT_FOUND'));
  });

  const streams = needs('StreamsGroupDescribe');
  test.skipIf(streams.isAbsent)(`streams groups that do not exist${streams.reason}`, async () => {
    await expect(admin.streamsGroups.describe(unique('streams'))).rejects.toEqual(
      error('GROUP_ID_NOT_FOUND'),
    );
  });

  const tokens = needs('DescribeDelegationToken');
  test.skipIf(tokens.isAbsent)(
    `delegation tokens need an authenticated connection${tokens.reason}`,
    async () => {
      await expect(admin.tokens.describe()).rejects.toBeInstanceOf(KafkaError);
    },
  );
});
