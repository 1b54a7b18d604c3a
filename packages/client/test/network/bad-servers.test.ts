import { createServer as createHttpServer } from 'node:http';
import { createServer as createTlsServer } from 'node:tls';
import fc from 'fast-check';
import { encodeResponse, metadataResponse } from '@ottla/protocol';
import { describe, expect, test } from 'vitest';
import { Cluster } from '../../src/cluster/cluster.ts';
import { Connections } from '../../src/cluster/connections.ts';
import { connect, ConnectionError, isKafkaError, KafkaError, TimeoutError } from '../../src/index.ts';
import { apis } from '../../src/network/apis.ts';
import { resolveOptions } from '../../src/options/resolve-options.ts';
import type { ClientOptions } from '../../src/options/client-options.ts';
import { FakeServer, listening, type FakeAnswer, type FakeRequest } from '../fake-server.ts';

/** Resources of the process that a test may have left behind. */
function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((kind) => /TCPSocketWrap|TLSWrap|TCPSERVERWRAP|Timeout/.test(kind));
}

/** What `ready` fails with; the handle is closed and nothing of it stays. */
async function failureOf(options: ClientOptions, timeoutMs = 400): Promise<unknown> {
  const ottla = connect({ reconnectBackoffMs: 5, retryBackoffMs: 5, ...options });
  const begun = performance.now();
  const error = await ottla.ready({ timeoutMs }).then(
    () => 'ready',
    (e: unknown) => e,
  );
  expect(performance.now() - begun).toBeLessThan(timeoutMs + 5_000);
  await ottla.close();
  return error;
}

async function freePort(): Promise<number> {
  await using server = await FakeServer.raw(() => {});
  return server.port;
}

describe('servers that are no Kafka', () => {
  test('nothing listens: a ConnectionError with host, port, cause and hint', async () => {
    const port = await freePort();
    const error = await failureOf({ bootstrap: `127.0.0.1:${port}` });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ host: '127.0.0.1', port, code: 13, retriable: true });
    expect(String(error)).toMatch(/ECONNREFUSED.*nothing listens there/);
    expect((error as Error).cause).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a name that nobody knows', async () => {
    const error = await failureOf({ bootstrap: 'no-such-host.invalid:9092' });
    expect(error).toBeInstanceOf(KafkaError);
  });

  test('a server that accepts and says nothing: a TimeoutError within the setup timeout', async () => {
    await using server = await FakeServer.raw(() => {});
    const error = await failureOf({ bootstrap: server.bootstrap, connectionSetupTimeoutMs: 50 });
    expect(error).toBeInstanceOf(TimeoutError);
    expect(String(error)).toContain('is it a Kafka broker?');
  });

  test('a server that accepts and hangs up', async () => {
    await using server = await FakeServer.raw((socket) => socket.destroy());
    expect(await failureOf({ bootstrap: server.bootstrap })).toBeInstanceOf(ConnectionError);
  });

  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'],
    ['SSH', 'SSH-2.0-OpenSSH_9.0\r\n'],
    ['TLS', '\u0015\u0003\u0001\u0000\u0002\u0002\u0046'],
  ])('a server that speaks %s is named in the error', async (name, text) => {
    await using server = await FakeServer.raw((socket) =>
      socket.once('data', () => socket.end(Buffer.from(text, 'latin1'))),
    );
    const error = await failureOf({ bootstrap: server.bootstrap });
    expect(isKafkaError(error, 'PROTOCOL_BROKEN')).toBe(true);
    expect(String(error)).toContain(`speaks ${name}`);
  });

  test('a real HTTP server is named in the error', async () => {
    await using server = await listening(createHttpServer());
    const error = await failureOf({ bootstrap: server.bootstrap }, 10_000);
    expect(isKafkaError(error, 'PROTOCOL_BROKEN')).toBe(true);
    expect(String(error)).toContain('speaks HTTP');
  });

  test('a real TLS server where none is wanted: the error asks for it', async () => {
    await using server = await listening(createTlsServer().on('tlsClientError', () => {}));
    const error = await failureOf({ bootstrap: server.bootstrap });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain('does that port want TLS');
  });

  test('a real HTTP server where TLS is wanted', async () => {
    await using server = await listening(createHttpServer());
    const error = await failureOf({ bootstrap: server.bootstrap, tls: true });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain('TLS');
  });

  test('a server without TLS where TLS is wanted', async () => {
    await using server = await FakeServer.raw((socket) =>
      socket.once('data', () => socket.end('no tls here')),
    );
    const error = await failureOf({ bootstrap: server.bootstrap, tls: true });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain('TLS');
  });

  test('one of several addresses is enough', async () => {
    await using server = await FakeServer.start(() => undefined);
    const port = await freePort();
    expect(await failureOf({ bootstrap: [`127.0.0.1:${port}`, server.bootstrap] }, 5_000)).toBe('ready');
  });
});

test('an address that swallows everything costs a moment, not the setup timeout', async () => {
  await using silent = await FakeServer.raw(() => {});
  await using server = await FakeServer.start(() => undefined);
  expect(await failureOf({ bootstrap: [silent.bootstrap, server.bootstrap] }, 5_000)).toBe('ready');
});

describe('answers that are broken', () => {
  async function withCluster<T>(
    server: FakeServer,
    use: (cluster: Cluster) => Promise<T>,
    requestTimeoutMs = 150,
  ): Promise<T> {
    const cluster = new Cluster(
      resolveOptions({
        bootstrap: server.bootstrap,
        requestTimeoutMs,
        retryBackoffMs: 5,
        reconnectBackoffMs: 5,
      }),
    );
    try {
      return await use(cluster);
    } finally {
      cluster.close();
      expect(cluster.connectionCount).toBe(0);
    }
  }

  /** The outcome of one request to a server that answers Heartbeats with these bytes. */
  async function heartbeat(answer: (request: FakeRequest) => FakeAnswer): Promise<unknown> {
    await using server = await FakeServer.start((request) =>
      request.api === 'Heartbeat' ? answer(request) : undefined,
    );
    return await withCluster(server, async (cluster) => {
      await cluster.refreshMetadata();
      return cluster
        .request(1, apis.heartbeat, { groupId: 'g' }, { timeoutMs: 100 })
        .catch((e: unknown) => e);
    });
  }

  test('a correlation id that nobody waits for', async () => {
    const error = await heartbeat(({ header }) => {
      const bytes = Buffer.alloc(16);
      bytes.writeInt32BE(12, 0);
      bytes.writeInt32BE(header.correlationId + 7, 4);
      return bytes;
    });
    expect(String(error)).toContain('correlation id');
    // Something has got between, on a connection that worked: another attempt may succeed.
    expect(error).toMatchObject({ name: 'PROTOCOL_BROKEN', retriable: true });
  });

  test('an answer that cannot be read fails its own request for good; the others may be tried again', async () => {
    let isBroken = true;
    await using server = await FakeServer.start(({ api, header }) => {
      if (api !== 'Heartbeat') return undefined;
      if (!isBroken) return { errorCode: 0 };
      const bytes = Buffer.alloc(10, 0xff);
      bytes.writeInt32BE(6, 0);
      bytes.writeInt32BE(header.correlationId, 4);
      return header.correlationId % 2 === 0 ? bytes : null;
    });
    await withCluster(
      server,
      async (cluster) => {
        await cluster.refreshMetadata();
        const ask = () =>
          cluster.request(1, apis.heartbeat, { groupId: 'g' }, { timeoutMs: 2_000 }).catch((e: unknown) => e);
        const outcomes = (await Promise.all([ask(), ask(), ask()])) as KafkaError[];
        expect(outcomes.map(({ name }) => name)).toEqual(Array(3).fill('PROTOCOL_BROKEN'));
        expect(outcomes.filter(({ retriable }) => !retriable)).toHaveLength(1);
        isBroken = false;
        expect(await ask()).toMatchObject({ errorCode: 0 });
      },
      2_000,
    );
  });

  test('an answer that the server breaks off in the middle', async () => {
    const error = await heartbeat(({ header, socket }) => {
      const bytes = Buffer.alloc(20);
      bytes.writeInt32BE(1_000, 0);
      bytes.writeInt32BE(header.correlationId, 4);
      socket.end(bytes);
      return null;
    });
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ retriable: true });
  });

  test('no answer: the caller gets a TimeoutError when its time is up', async () => {
    expect(await heartbeat(() => null)).toBeInstanceOf(TimeoutError);
  });

  test('no answer for the whole request timeout: the connection is given up, and a new one opened', async () => {
    await using server = await FakeServer.start(({ api }) => (api === 'Heartbeat' ? null : undefined));
    await withCluster(server, async (cluster) => {
      await cluster.refreshMetadata();
      const error = await cluster.request(1, apis.heartbeat, { groupId: 'g' }).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(TimeoutError);
      await cluster.refreshMetadata({}, { timeoutMs: 5_000 });
      expect(server.connectionCount).toBe(2);
    });
  });

  test.each([
    { port: 99_999, tls: false },
    { port: -5, tls: true },
  ])('a broker at port $port, which there is not: a failed attempt like any other', async ({ port, tls }) => {
    const connections = new Connections(
      resolveOptions({ bootstrap: 'localhost:9092', tls }),
      new AbortController().signal,
    );
    connections.setAddress(1, { host: 'localhost', port });
    const connection = await connections.acquire(1, 'main', { timeoutMs: 50 });
    const error = await connection
      .send(apis.heartbeat, { groupId: 'g' }, { timeoutMs: 50 })
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(String(error)).toContain(`There is no port ${port}`);
    // The next attempt waits for the reconnect backoff.
    expect(connections.load(1).retryAtMs).toBeGreaterThan(0);
    connections.close();
  });

  test('an aborted call ends with the reason of its signal; the connection goes on', async () => {
    await using server = await FakeServer.start(({ api }) => (api === 'Heartbeat' ? null : undefined));
    await withCluster(server, async (cluster) => {
      await cluster.refreshMetadata();
      const controller = new AbortController();
      const call = cluster.request(1, apis.heartbeat, { groupId: 'g' }, { signal: controller.signal });
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      expect(server.connectionCount).toBe(1);
      const aborted = cluster.request(1, apis.heartbeat, { groupId: 'g' }, { signal: AbortSignal.abort() });
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError' });
    });
  });

  test('answers cut short, with wrong lengths or of random bytes: always a KafkaError in time, never a hang', async () => {
    const good = Buffer.concat(
      encodeResponse(metadataResponse, 12, 0, {
        brokers: [{ nodeId: 1, host: 'h', port: 9092 }],
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, replicaNodes: [1], isrNodes: [1] }] }],
      }),
    );
    let answer: (correlationId: number) => Buffer = () => good;
    await using server = await FakeServer.start(({ api, header }) =>
      api === 'Heartbeat' ? answer(header.correlationId) : undefined,
    );
    const cut = fc
      .integer({ min: 4, max: good.length - 1 })
      .map((length) => Buffer.from(good.subarray(4, length)));
    const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    const announced = fc.oneof(fc.constant(null), fc.integer({ min: -8, max: 2_000_000_000 }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, noise), announced, fc.boolean(), async (body, length, isOwnId) => {
        answer = (correlationId) => {
          const bytes = Buffer.concat([Buffer.alloc(4), body]);
          bytes.writeInt32BE(length ?? body.length, 0);
          if (isOwnId && bytes.length >= 8) bytes.writeInt32BE(correlationId, 4);
          return bytes;
        };
        await withCluster(server, async (cluster) => {
          await cluster.refreshMetadata();
          const outcome = await cluster
            .request(1, apis.heartbeat, { groupId: 'g' }, { timeoutMs: 20 })
            .catch((e: unknown) => e);
          // Some noise happens to be a valid answer of a few bytes.
          if (outcome instanceof Error) expect(outcome).toBeInstanceOf(KafkaError);
          else expect(outcome).toHaveProperty('errorCode');
        });
      }),
      { numRuns: 60 },
    );
  });

  test('a broker that does not know our ApiVersions answers in version 0, and is asked again (KIP-511)', async () => {
    await using server = await FakeServer.start(({ api, header }) => {
      if (api !== 'ApiVersions') return undefined;
      if (header.apiVersion > 2) {
        const bytes = Buffer.alloc(4 + 4 + 2 + 4 + 6);
        bytes.writeInt32BE(bytes.length - 4, 0);
        bytes.writeInt32BE(header.correlationId, 4);
        bytes.writeInt16BE(35, 8);
        bytes.writeInt32BE(1, 10);
        bytes.writeInt16BE(18, 14);
        bytes.writeInt16BE(0, 16);
        bytes.writeInt16BE(2, 18);
        return bytes;
      }
      return { apiKeys: [18, 3].map((apiKey) => ({ apiKey, minVersion: 0, maxVersion: 2 })) };
    });
    await withCluster(server, async (cluster) => {
      await cluster.refreshMetadata();
      expect(server.requests.map(({ api, header }) => `${api} ${header.apiVersion}`)).toEqual([
        'ApiVersions 4',
        'ApiVersions 2',
        'Metadata 2',
      ]);
      const error = await cluster.request(1, apis.heartbeat, { groupId: 'g' }).catch((e: unknown) => e);
      expect(isKafkaError(error, 'UNSUPPORTED_VERSION')).toBe(true);
    });
  });
});

test('nothing is left of any of them: no sockets, no timers', async () => {
  const before = handles().length;
  for (let count = 0; count < 3; count += 1) {
    await using server = await FakeServer.start(({ api }) => (api === 'Heartbeat' ? null : undefined));
    const cluster = new Cluster(resolveOptions({ bootstrap: server.bootstrap }));
    await cluster.refreshMetadata();
    const waiting = cluster.request(1, apis.heartbeat, { groupId: 'g' }).catch((e: unknown) => e);
    const connecting = new Cluster(resolveOptions({ bootstrap: '127.0.0.1:1' }));
    const refreshing = connecting.refreshMetadata().catch((e: unknown) => e);
    cluster.close();
    connecting.close();
    expect(await waiting).toMatchObject({ name: 'CLIENT_CLOSED' });
    expect(await refreshing).toBeInstanceOf(KafkaError);
  }
  // Sockets report their end in a later turn.
  for (let turn = 0; turn < 100 && handles().length > before; turn += 1) await new Promise(setImmediate);
  expect(handles().length).toBeLessThanOrEqual(before);
});

test('a producer id that is none ends the producer, and is not asked for again and again', async () => {
  let asked = 0;
  await using server = await FakeServer.start(({ api }, { port }) => {
    if (api === 'Metadata')
      return {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
        topics: [{ name: 't', partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0 }] }],
      };
    if (api !== 'InitProducerId') return undefined;
    asked += 1;
    return { producerId: -1, producerEpoch: -1 };
  });
  await using ottla = connect({ bootstrap: server.bootstrap });
  const error = await ottla
    .producer()
    .send('t', { value: 'x' })
    .catch((e: unknown) => e);
  expect(isKafkaError(error, 'PROTOCOL_BROKEN')).toBe(true);
  expect(String(error)).toContain('the broker gives id -1 of epoch -1');
  expect(asked).toBe(1);
});
