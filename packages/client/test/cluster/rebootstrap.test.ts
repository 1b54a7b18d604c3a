import { SimClock } from '@ottla/platform';
import { afterEach, describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { apis } from '../../src/network/apis.ts';
import type { ClientOptions } from '../../src/options/client-options.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { FakeServer } from '../fake-server.ts';

const open: Cluster[] = [];
afterEach(() => {
  for (const cluster of open.splice(0)) cluster.close();
});

function clusterAt(bootstrap: string, options: ClientOptions = {}): Cluster {
  const cluster = new Cluster(
    resolveOptions({
      bootstrap,
      reconnectBackoffMs: 5,
      reconnectBackoffMaxMs: 10,
      retryBackoffMs: 5,
      ...options,
    }),
  );
  open.push(cluster);
  return cluster;
}

/** A bootstrap server that sends clients to other brokers. */
function directory(nodes: () => { nodeId: number; port: number }[]): Promise<FakeServer> {
  return FakeServer.start(({ api }) =>
    api === 'Metadata'
      ? {
          brokers: nodes().map((node) => ({ ...node, host: '127.0.0.1' })),
          controllerId: nodes()[0]!.nodeId,
          topics: [],
        }
      : undefined,
  );
}

describe('brokers that move', () => {
  test('when no known broker answers, the client begins again with the bootstrap addresses (KIP-899)', async () => {
    const old = await FakeServer.start(() => undefined);
    await using fresh = await FakeServer.start(() => undefined);
    let port = old.port;
    await using bootstrap = await directory(() => [{ nodeId: 1, port }]);
    const cluster = clusterAt(bootstrap.bootstrap);
    await cluster.refreshMetadata();
    expect(cluster.metadata.brokers.get(1)?.port).toBe(old.port);
    await old[Symbol.asyncDispose]();
    port = fresh.port;
    const metadata = await cluster.retry({ what: 'Refreshing', timeoutMs: 10_000 }, ({ remainingMs }) =>
      cluster.refreshMetadata({}, { timeoutMs: remainingMs }),
    );
    expect(metadata.brokers.get(1)?.port).toBe(fresh.port);
  });

  test('with the strategy none it does not', async () => {
    const old = await FakeServer.start(() => undefined);
    await using bootstrap = await directory(() => [{ nodeId: 1, port: old.port }]);
    const cluster = clusterAt(bootstrap.bootstrap, { metadataRecoveryStrategy: 'none' });
    await cluster.refreshMetadata();
    await old[Symbol.asyncDispose]();
    await expect(cluster.refreshMetadata()).rejects.toMatchObject({
      name: 'NETWORK_EXCEPTION',
      port: old.port,
    });
    expect(bootstrap.requests.filter(({ api }) => api === 'Metadata')).toHaveLength(1);
  });

  test('a broker may ask for it (KIP-1102)', async () => {
    await using stale = await FakeServer.start(({ api }) =>
      api === 'Metadata' ? { errorCode: 129 } : undefined,
    );
    await using fresh = await FakeServer.start(() => undefined);
    let node = { nodeId: 1, port: stale.port };
    await using bootstrap = await directory(() => [node]);
    const cluster = clusterAt(bootstrap.bootstrap);
    await cluster.refreshMetadata();
    node = { nodeId: 2, port: fresh.port };
    await cluster.retry({ what: 'Refreshing', timeoutMs: 10_000 }, () => cluster.refreshMetadata());
    expect([...cluster.metadata.brokers.keys()]).toEqual([2]);
  });
});

describe('sharing', () => {
  test('any number of refreshes in one turn are one request', async () => {
    await using server = await FakeServer.start(() => undefined);
    const cluster = clusterAt(server.bootstrap);
    await Promise.all([
      cluster.refreshMetadata({ topics: ['a'] }),
      cluster.refreshMetadata({ topics: ['b'] }),
      cluster.refreshMetadata(),
    ]);
    const asked = server.requests.filter(({ api }) => api === 'Metadata').map(({ body }) => body['topics']!);
    expect(asked).toHaveLength(1);
    expect((asked[0] as unknown as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('only topics that are to be created are asked for in a way that creates them', async () => {
    await using server = await FakeServer.start(() => undefined);
    const cluster = clusterAt(server.bootstrap);
    const unknown = cluster.topics(['theirs'], { timeoutMs: 50 }).catch((e: unknown) => e);
    await Promise.all([
      cluster.refreshMetadata({ topics: ['ours'], allowAutoTopicCreation: true }),
      cluster.refreshMetadata({ topics: ['theirs'] }),
    ]);
    await unknown;
    const asked = server.requests
      .filter(({ api }) => api === 'Metadata')
      .map(({ body }) => ({
        isCreating: body['allowAutoTopicCreation'],
        topics: (body['topics'] as unknown as { name: string }[]).map(({ name }) => name),
      }));
    expect(asked).toContainEqual({ isCreating: true, topics: ['ours'] });
    expect(asked.filter(({ isCreating }) => isCreating === true)).toHaveLength(1);
    expect(asked).toContainEqual({ isCreating: false, topics: ['theirs'] });
  });

  test('a topic is asked for again when what is known of it is old, however new the rest is', async () => {
    const clock = new SimClock();
    await using server = await FakeServer.start(({ api, body }, { port }) => {
      if (api !== 'Metadata') return undefined;
      const topics = ((body['topics'] ?? []) as { name: string }[]).map(({ name }) => ({
        name,
        partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }],
      }));
      return { brokers: [{ nodeId: 1, host: '127.0.0.1', port }], controllerId: 1, topics };
    });
    const cluster = clusterAt(server.bootstrap, { clock });
    const askedFor = (name: string): number =>
      server.requests.filter(({ body }) =>
        ((body['topics'] ?? []) as { name: string }[]).some((topic) => topic.name === name),
      ).length;
    await cluster.topics(['old']);
    await cluster.topics(['old']);
    expect(askedFor('old')).toBe(1);
    clock.advance(200_000);
    await cluster.topics(['new']);
    clock.advance(150_000);
    await cluster.refreshMetadata({ topics: ['new'] });
    // Asked for with "new" the first time, then idle for longer than five minutes.
    expect(askedFor('old')).toBe(2);
    clock.advance(200_000);
    await cluster.refreshMetadata({ topics: ['new'] });
    await cluster.topics(['old']);
    expect(askedFor('old')).toBe(3);
  });

  test('a coordinator that has left the cluster is looked for again', async () => {
    await using gone = await FakeServer.start(() => undefined);
    let coordinator = { nodeId: 7, port: gone.port };
    await using server = await FakeServer.start(({ api, body }) => {
      if (api === 'Heartbeat') return { errorCode: 0 };
      if (api !== 'FindCoordinator') return undefined;
      const keys = body['coordinatorKeys']! as string[];
      return { coordinators: keys.map((key) => ({ key, host: '127.0.0.1', ...coordinator })) };
    });
    const cluster = clusterAt(server.bootstrap);
    const target = { coordinator: 'group', key: 'g' } as const;
    expect(await cluster.coordinator('group', 'g')).toBe(7);
    coordinator = { nodeId: 1, port: server.port };
    // Metadata without node 7 makes the client forget its address.
    await cluster.refreshMetadata();
    await expect(cluster.request(target, apis.heartbeat, { groupId: 'g' })).rejects.toMatchObject({
      retriable: true,
    });
    expect(await cluster.request(target, apis.heartbeat, { groupId: 'g' })).toMatchObject({ errorCode: 0 });
  });

  test('lanes have connections of their own, and end with closeLane', async () => {
    await using server = await FakeServer.start(({ api }) => (api === 'Heartbeat' ? null : undefined));
    const cluster = clusterAt(server.bootstrap);
    await cluster.refreshMetadata();
    const slow = cluster
      .request(1, apis.heartbeat, { groupId: 'g' }, { lane: 'slow' })
      .catch((e: unknown) => e);
    await cluster.refreshMetadata();
    expect(cluster.connectionCount).toBe(2);
    cluster.closeLane('slow');
    expect(await slow).toMatchObject({ name: 'CLIENT_CLOSED' });
    expect(cluster.connectionCount).toBe(1);
  });

  test('a throttled connection waits before its next request (KIP-219)', async () => {
    await using server = await FakeServer.start(({ api }) =>
      api === 'Heartbeat' ? { throttleTimeMs: 40, errorCode: 0 } : undefined,
    );
    const throttled: number[] = [];
    const metrics = {
      onThrottle: ({ throttleTimeMs }: { throttleTimeMs: number }) => void throttled.push(throttleTimeMs),
    };
    const cluster = clusterAt(server.bootstrap, { metrics });
    await cluster.refreshMetadata();
    await cluster.request(1, apis.heartbeat, { groupId: 'g' });
    const begun = performance.now();
    await cluster.request(1, apis.heartbeat, { groupId: 'g' });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(35);
    expect(throttled).toEqual([40, 40]);
  });
});
