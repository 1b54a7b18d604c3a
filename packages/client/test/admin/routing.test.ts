import { ErrorCodes } from '@ottla/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { connect, type Admin, type Ottla } from '../../src/index.ts';
import { FakeServer, type FakeRequest } from '../fake-server.ts';

/** A cluster of servers that only know who leads what; each names itself in its answers by its node id as the offset. */
class FakeCluster {
  readonly servers: FakeServer[] = [];
  /** Leader of each partition of topic `t`. */
  leaders: number[] = [];
  /** Coordinator of every group. */
  coordinator = 1;
  controller = 1;
  leaderEpoch = 1;

  async start(nodeCount: number): Promise<void> {
    for (let nodeId = 1; nodeId <= nodeCount; nodeId += 1)
      this.servers.push(await FakeServer.start((request) => this.#answer(nodeId, request)));
  }

  async stop(): Promise<void> {
    for (const server of this.servers.splice(0)) await server[Symbol.asyncDispose]();
  }

  /** Names of the APIs that a node was asked for, without those of the connection. */
  asked(nodeId: number): string[] {
    return this.servers[nodeId - 1]!.requests.map(({ api }) => api).filter(
      (api) => !/ApiVersions|Metadata/.test(api),
    );
  }

  #answer(nodeId: number, { api, body }: FakeRequest): object | undefined {
    if (api === 'Metadata') return this.#metadata();
    if (api === 'FindCoordinator') {
      const keys = body['coordinatorKeys']! as string[];
      const { port } = this.servers[this.coordinator - 1]!;
      return {
        coordinators: keys.map((key) => ({ key, nodeId: this.coordinator, host: '127.0.0.1', port })),
      };
    }
    if (api === 'ListOffsets') {
      const topics = body['topics']! as { name: string; partitions: { partitionIndex: number }[] }[];
      return {
        topics: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({
            partitionIndex,
            errorCode: this.leaders[partitionIndex] === nodeId ? 0 : ErrorCodes.NOT_LEADER_OR_FOLLOWER,
            offset: nodeId,
          })),
        })),
      };
    }
    if (api === 'DeleteGroups') {
      const groups = body['groupsNames']! as string[];
      const errorCode = this.coordinator === nodeId ? 0 : ErrorCodes.NOT_COORDINATOR;
      return { results: groups.map((groupId) => ({ groupId, errorCode })) };
    }
    if (api === 'CreateTopics') {
      const topics = body['topics']! as { name: string }[];
      const errorCode = this.controller === nodeId ? 0 : ErrorCodes.NOT_CONTROLLER;
      return { topics: topics.map(({ name }) => ({ name, errorCode, numPartitions: nodeId })) };
    }
    return undefined;
  }

  #metadata(): object {
    return {
      brokers: this.servers.map(({ port }, index) => ({ nodeId: index + 1, host: '127.0.0.1', port })),
      controllerId: this.controller,
      topics: [
        {
          name: 't',
          partitions: this.leaders.map((leaderId, partitionIndex) => ({
            partitionIndex,
            leaderId,
            leaderEpoch: this.leaderEpoch,
          })),
        },
      ],
    };
  }
}

const cluster = new FakeCluster();
let ottla: Ottla;

async function start(leaders: number[]): Promise<Admin> {
  await cluster.start(3);
  cluster.leaders = leaders;
  ottla = connect({
    bootstrap: cluster.servers[0]!.bootstrap,
    retryBackoffMs: 5,
    reconnectBackoffMs: 5,
    defaultApiTimeoutMs: 10_000,
  });
  return ottla.admin();
}

afterEach(async () => {
  await ottla.close();
  await cluster.stop();
});

describe('an admin of three brokers', () => {
  test('asks each leader once for all of its partitions', async () => {
    const admin = await start([1, 2, 3, 2]);
    const offsets = await admin.offsets.list('t', 'latest');
    expect(offsets.map((each) => (each.error === null ? each.offset : each.error.name))).toEqual([
      1, 2, 3, 2,
    ]);
    for (const nodeId of [1, 2, 3]) expect(cluster.asked(nodeId)).toEqual(['ListOffsets']);
  });

  test('follows a leader that has moved, and asks again only for its partitions', async () => {
    const admin = await start([1, 2, 3]);
    await admin.offsets.list('t', 'latest');
    cluster.leaders = [1, 3, 3];
    cluster.leaderEpoch = 2;
    const offsets = await admin.offsets.list('t', 'latest');
    expect(offsets.map((each) => (each.error === null ? each.offset : each.error.name))).toEqual([1, 3, 3]);
    expect(cluster.asked(1)).toHaveLength(2);
    expect(cluster.asked(3)).toHaveLength(3);
  });

  test('follows a coordinator that has moved', async () => {
    const admin = await start([1]);
    cluster.coordinator = 2;
    await admin.groups.delete(['a', 'b']);
    expect(cluster.asked(2).filter((api) => api === 'DeleteGroups')).toHaveLength(1);
    cluster.coordinator = 3;
    await admin.groups.delete('a');
    expect(cluster.asked(3)).toContain('DeleteGroups');
  });

  test('follows a controller that has moved', async () => {
    const admin = await start([1]);
    cluster.controller = 2;
    expect((await admin.topics.create('x')).partitions).toBe(2);
    cluster.controller = 3;
    expect((await admin.topics.create('y')).partitions).toBe(3);
    expect(cluster.asked(2)).toHaveLength(2);
  });

  test('a broker that is gone costs its partitions only: the others have their outcomes', async () => {
    const admin = await start([1, 2]);
    await admin.offsets.list('t', 'latest');
    await cluster.servers[1]![Symbol.asyncDispose]();
    const [first, second] = await admin.offsets.list('t', 'latest', { timeoutMs: 2000 });
    expect(first).toMatchObject({ partition: 0, offset: 1, error: null });
    expect(second!.error).toMatchObject({ name: 'NETWORK_EXCEPTION', retriable: true });
  });

  test('an election after a broker is lost is waited for', async () => {
    const admin = await start([1, 2]);
    await admin.offsets.list('t', 'latest');
    await cluster.servers[1]![Symbol.asyncDispose]();
    const listing = admin.offsets.list('t', 'latest');
    cluster.leaders = [1, 3];
    cluster.leaderEpoch = 2;
    expect((await listing).map((each) => (each.error === null ? each.offset : each.error.name))).toEqual([
      1, 3,
    ]);
  });
});
