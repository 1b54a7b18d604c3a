import { connect, KafkaError, type Admin, type Ottla } from '@ottla/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually, startKafkaCluster, type Peer } from '../src/index.ts';
import { absent, interop, title, unique } from './support.ts';

/** The client on three brokers of Apache Kafka: replicas that move, leaders that change, brokers that die and come back. */
describe.skipIf(absent(interop.java))(title('client: a cluster of three', interop.java), () => {
  let starting: Promise<Peer[]> | undefined;
  let peers: Peer[] = [];
  let ottla: Ottla;
  let admin: Admin;

  beforeAll(async () => {
    if ('absent' in interop.java) return;
    starting = startKafkaCluster({ libs: interop.java.brokerLibs, nodeCount: 3 });
    peers = await starting;
    ottla = connect({ bootstrap: peers.map(({ bootstrap }) => bootstrap), defaultApiTimeoutMs: 30_000 });
    admin = ottla.admin();
    await eventually('Three brokers', async () =>
      (await admin.cluster.describe()).nodes.length === 3 ? true : undefined,
    );
  }, 180_000);

  afterAll(async () => {
    await ottla?.close();
    // Also those that were up too late for a busy machine: nobody else ends them.
    for (const peer of (await starting?.catch(() => [])) ?? []) await peer.dispose();
  }, 180_000);

  async function leadersOf(topic: string): Promise<number[]> {
    return (await admin.topics.describe(topic)).partitions.map(({ leader }) => leader);
  }

  test('partitions are placed, moved and led as asked', async () => {
    const name = unique('moved');
    await admin.topics.create({
      name,
      assignments: [
        [1, 2],
        [2, 3],
        [3, 1],
      ],
    });
    await admin.topics.waitForLeaders([name]);
    expect(await leadersOf(name)).toEqual([1, 2, 3]);
    expect((await admin.offsets.list(name, 'latest')).map((each) => each.error)).toEqual([null, null, null]);

    expect(await admin.replicas.reassign([{ topic: name, partition: 0, replicas: [3, 2] }])).toEqual([
      { topic: name, partition: 0, error: null },
    ]);
    await eventually('The end of the move', async () =>
      (await admin.replicas.listReassignments([{ topic: name, partition: 0 }])).length === 0
        ? true
        : undefined,
    );
    // Brokers learn from the controller a moment later.
    await eventually('The new replicas', async () =>
      (await admin.topics.describe(name)).partitions[0]!.replicas.join() === '3,2' ? true : undefined,
    );
    const cancelled = await admin.replicas.reassign([{ topic: name, partition: 1, replicas: null }]);
    expect(cancelled[0]!.error).toMatchObject({ name: 'NO_REASSIGNMENT_IN_PROGRESS' });
    const elected = await admin.replicas.electLeaders('preferred', [{ topic: name, partition: 0 }]);
    expect(elected.every(({ error }) => error === null || error.name === 'ELECTION_NOT_NEEDED')).toBe(true);
    await eventually('The preferred leader', async () =>
      (await leadersOf(name))[0] === 3 ? true : undefined,
    );

    await eventually('The old replica to be gone', async () => {
      const dirs = await admin.logDirs.describe({ partitions: [{ topic: name, partition: 0 }] });
      const holders = [...dirs].filter(
        ([, each]) => !(each instanceof KafkaError) && each.some(({ replicas }) => replicas.length > 0),
      );
      return holders
        .map(([nodeId]) => nodeId)
        .sort()
        .join() === '2,3'
        ? true
        : undefined;
    });
  });

  test('the quorum has three voters; every broker describes itself', async () => {
    const { voters, leaderId } = await admin.quorum.describe();
    expect(voters.map(({ replicaId }) => replicaId).sort()).toEqual([1, 2, 3]);
    expect([1, 2, 3]).toContain(leaderId);
    const results = await admin.configs.describe(
      [1, 2, 3].map((id) => ({ type: 'broker', name: String(id) }) as const),
      { keys: ['node.id'] },
    );
    expect(
      [...results.values()].map((each) => (each instanceof KafkaError ? each : each.get('node.id')!.value)),
    ).toEqual(['1', '2', '3']);
    expect([...(await admin.cluster.apiVersions()).values()].some((each) => each instanceof KafkaError)).toBe(
      false,
    );
  });

  test('a broker is killed: calls go on with new leaders and coordinators; it comes back and is used again', async () => {
    const name = unique('survives');
    const groups = Array.from({ length: 12 }, () => unique('group'));
    await admin.topics.ensure({ name, partitions: 6, replicationFactor: 3 });
    const places = [0, 1, 2, 3, 4, 5].map((partition) => ({ topic: name, partition }));
    for (const group of groups) {
      const committed = await admin.groups.alterOffsets(
        group,
        places.map((place) => ({ ...place, offset: 0 })),
      );
      expect(committed.filter(({ error }) => error !== null)).toEqual([]);
    }
    const victim = peers[(await leadersOf(name))[0]! - 1]!;
    await victim.stop('SIGKILL');
    const offsets = await admin.offsets.list(name, 'latest');
    expect(offsets.map((each) => each.error)).toEqual(Array(6).fill(null));
    // A new coordinator shows what was committed last only when it knows that all replicas have it.
    const described = await eventually('Every group at its new coordinator', async () => {
      const outcomes = [...(await admin.groups.describe(groups)).values()];
      return outcomes.some((each) => each instanceof KafkaError && each.name === 'GROUP_ID_NOT_FOUND')
        ? undefined
        : outcomes;
    });
    expect(described.map((each) => (each instanceof KafkaError ? each : each.lag))).toEqual(
      Array(groups.length).fill(0),
    );
    expect(
      await admin.topics.ensure({ name: unique('new'), partitions: 3, replicationFactor: 2 }),
    ).toMatchObject({ existing: [] });
    await victim.restart();
    await eventually('All replicas in sync', async () =>
      (await admin.topics.describe(name)).partitions.every(({ isr }) => isr.length === 3) ? true : undefined,
    );
    await admin.replicas.electLeaders('preferred');
    await eventually('Every broker leading', async () =>
      new Set(await leadersOf(name)).size === 3 ? true : undefined,
    );
    expect((await admin.offsets.list(name, 'earliest')).map((each) => each.error)).toEqual(
      Array(6).fill(null),
    );
  });
});
