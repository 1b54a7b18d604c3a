import { describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import type { ConnectionEvent, RequestEvent } from '../../src/index.ts';
import { apis } from '../../src/network/apis.ts';
import type { ClientOptions } from '../../src/options/client-options.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import { FakeServer } from '../fake-server.ts';

async function withCluster(
  server: FakeServer,
  options: ClientOptions,
  use: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = new Cluster(resolveOptions({ bootstrap: server.bootstrap, ...options }));
  try {
    await cluster.refreshMetadata();
    await use(cluster);
  } finally {
    cluster.close();
  }
}

/** Lets the event loop turn until the condition holds; fails when it never does. */
async function until(condition: () => boolean): Promise<void> {
  const begun = performance.now();
  while (!condition()) {
    if (performance.now() - begun > 10_000) throw new Error('Waited too long');
    await new Promise(setImmediate);
  }
}

const heartbeat = { groupId: 'g' };

describe('a connection', () => {
  test('requests of one turn arrive together, in order, and each gets its own answer', async () => {
    const chunks: number[] = [];
    await using server = await FakeServer.start(({ api, body }) =>
      api === 'Heartbeat' ? { errorCode: Number(body['generationId']) } : undefined,
    );
    await withCluster(server, {}, async (cluster) => {
      for (const socket of server.sockets) socket.on('data', (chunk: Buffer) => chunks.push(chunk.length));
      const numbers = Array.from({ length: 50 }, (_, index) => index);
      const answers = await Promise.all(
        numbers.map((generationId) => cluster.request(1, apis.heartbeat, { ...heartbeat, generationId })),
      );
      expect(answers.map(({ errorCode }) => errorCode)).toEqual(numbers);
      expect(chunks.length).toBeLessThanOrEqual(2);
    });
  });

  test('no more than maxInFlightRequests are under way; the next goes when one is answered', async () => {
    const held: (() => void)[] = [];
    await using server = await FakeServer.start(({ api, header, socket }) => {
      if (api !== 'Heartbeat') return undefined;
      const answer = Buffer.alloc(16);
      answer.writeInt32BE(12, 0);
      answer.writeInt32BE(header.correlationId, 4);
      held.push(() => socket.write(answer));
      return null;
    });
    await withCluster(server, { maxInFlightRequests: 2 }, async (cluster) => {
      const calls = Promise.all(
        Array.from({ length: 5 }, () => cluster.request(1, apis.heartbeat, heartbeat)),
      );
      for (let answered = 0; answered < 5; answered += 1) {
        await until(() => held.length === Math.min(5, answered + 2));
        held[answered]!();
      }
      expect(await calls).toHaveLength(5);
    });
  });

  test('an idle connection is closed, and opened again when it is needed', async () => {
    await using server = await FakeServer.start(({ api }) =>
      api === 'Heartbeat' ? { errorCode: 0 } : undefined,
    );
    await withCluster(server, { connectionsMaxIdleMs: 20, reconnectBackoffMs: 60_000 }, async (cluster) => {
      await until(() => cluster.connectionCount === 0);
      await until(() => server.sockets.size === 0);
      // At once: idleness is no failure to back off from.
      await cluster.request(1, apis.heartbeat, heartbeat, { timeoutMs: 5_000 });
      expect(server.connectionCount).toBe(2);
    });
  });

  test('an answer of more than maxResponseBytes is refused', async () => {
    await using server = await FakeServer.start(({ api }) =>
      api === 'DescribeGroups' ? { groups: [{ groupId: 'x'.repeat(20_000) }] } : undefined,
    );
    await withCluster(server, { maxResponseBytes: 10_000 }, async (cluster) => {
      const call = cluster.request(1, apis.describeGroups, { groups: ['x'] });
      await expect(call).rejects.toMatchObject({ name: 'PROTOCOL_BROKEN', retriable: false });
      await expect(call).rejects.toThrow('maxResponseBytes');
    });
  });

  test('a request without an answer resolves when it is written', async () => {
    await using server = await FakeServer.start(({ api }) => (api === 'Produce' ? null : undefined));
    await withCluster(server, {}, async (cluster) => {
      const body = { acks: 0, timeoutMs: 1_000, topicData: [] };
      expect(await cluster.request(1, apis.produce, body, { expectsResponse: false })).toBeUndefined();
      await until(() => server.requests.some(({ api }) => api === 'Produce'));
      await cluster.refreshMetadata();
    });
  });

  test('a body that the version cannot carry fails alone: the connection goes on', async () => {
    await using server = await FakeServer.start(({ api }) =>
      api === 'Heartbeat' ? { errorCode: 0 } : undefined,
    );
    await withCluster(server, {}, async (cluster) => {
      const call = cluster.request(
        1,
        apis.heartbeat,
        { groupId: 'g', groupInstanceId: 'i' },
        { maxVersion: 2 },
      );
      await expect(call).rejects.toMatchObject({ name: 'UNSUPPORTED_VERSION' });
      const wrong = { groupId: 5 as unknown as string };
      await expect(cluster.request(1, apis.heartbeat, wrong)).rejects.toBeInstanceOf(Error);
      await cluster.request(1, apis.heartbeat, heartbeat);
      expect(server.connectionCount).toBe(1);
    });
  });
});

describe('hooks', () => {
  test('metrics tell of connections and requests; a tracer makes a span of each; failures carry their name', async () => {
    const requests: RequestEvent[] = [];
    const connections: ConnectionEvent[] = [];
    const spans: string[] = [];
    const options: ClientOptions = {
      metrics: {
        onRequest: (event) => void requests.push(event),
        onConnection: (event) => void connections.push(event),
      },
      tracer: {
        startRequest: ({ api, nodeId }) => ({
          end: (outcome) => void spans.push(`${api} ${nodeId} ${outcome}`),
        }),
      },
    };
    await using server = await FakeServer.start(({ api, socket }) => {
      if (api !== 'Heartbeat') return undefined;
      socket.destroy();
      return null;
    });
    await withCluster(server, options, async (cluster) => {
      await cluster.request(1, apis.heartbeat, heartbeat).catch(() => {});
    });
    expect(spans).toEqual(['Metadata -1 ok', 'Heartbeat 1 NETWORK_EXCEPTION']);
    expect(requests.map(({ api, outcome }) => `${api} ${outcome}`)).toEqual([
      'ApiVersions ok',
      'Metadata ok',
      'Heartbeat NETWORK_EXCEPTION',
    ]);
    expect(requests.every(({ durationMs, requestBytes }) => durationMs >= 0 && requestBytes > 0)).toBe(true);
    expect(connections.slice(0, 2).map(({ state }) => state)).toEqual(['open', 'closed']);
    expect(connections[1]!.error?.name).toBe('NETWORK_EXCEPTION');
  });

  test('what cannot be reached is logged, with where and why', async () => {
    const lines: [object, string][] = [];
    const ignore = (): void => {};
    const logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (fields: object, text: string) => void lines.push([fields, text]),
    };
    const cluster = new Cluster(resolveOptions({ bootstrap: '127.0.0.1:1', logger }));
    await cluster.refreshMetadata({}, { timeoutMs: 5_000 }).catch(() => {});
    cluster.close();
    expect(lines[0]).toMatchObject([{ host: '127.0.0.1', port: 1 }, expect.stringContaining('ECONNREFUSED')]);
  });
});
