import { connect, type Socket } from 'node:net';
import { SILENT_LOGGER, SimClock } from '@ottla/platform';
import {
  apiVersionsRequest,
  apiVersionsResponse,
  decodeResponse,
  encodeRequest,
  ErrorCodes,
  fetchRequest,
  fetchResponse,
  heartbeatRequest,
  heartbeatResponse,
  produceRequest,
  produceResponse,
} from '@ottla/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { apiVersionsHandler } from '../../src/handlers/api-versions.ts';
import type { AnyApiHandler } from '../../src/handlers/handler.ts';
import { saslHandshakeHandler } from '../../src/handlers/sasl-handshake.ts';
import { quotaRecord } from '../../src/metadata/client-quotas-image.ts';
import { emptyImage, MetadataImageBuilder } from '../../src/metadata/image-builder.ts';
import type { MetadataStore } from '../../src/metadata/image.ts';
import { RequestDispatcher } from '../../src/network/request-dispatcher.ts';
import { ConnectionRates } from '../../src/quota/connection-rates.ts';
import { RequestTimeQuota } from '../../src/quota/request-time-quota.ts';
import { SocketServer, type SocketServerOptions } from '../../src/network/socket-server.ts';

const metadata = {
  current: () => ({ offset: 7, features: new Map([['metadata.version', 30]]), clientQuotas: new Map() }),
} as unknown as MetadataStore;

/** Requests whose answers the test gives, in the order they began. */
interface Held {
  readonly correlationId: number;
  readonly answer: () => void;
}

function heldHandler(api: 'heartbeat' | 'produce', held: Held[]): AnyApiHandler {
  const isProduce = api === 'produce';
  const response = isProduce
    ? { responses: [], throttleTimeMs: 0, nodeEndpoints: [] }
    : { throttleTimeMs: 0, errorCode: 0 };
  return {
    apiKey: isProduce ? 0 : 12,
    minVersion: isProduce ? 3 : 0,
    maxVersion: isProduce ? 13 : 4,
    request: isProduce ? produceRequest : heartbeatRequest,
    response: isProduce ? produceResponse : heartbeatResponse,
    pipelined: isProduce,
    handle: (_request: unknown, { correlationId }: { correlationId: number }) =>
      new Promise((resolve) => held.push({ correlationId, answer: () => resolve(response) })),
    errorResponse: () => response,
  } as unknown as AnyApiHandler;
}

/** As much as a fetch answer holds that is streamed: more than the sockets between the two take at once. */
const STREAMED_BYTES = 8 * 1024 * 1024;

/** Fetches that are answered with records still in their file. */
function streamedHandler(): AnyApiHandler {
  const slice = {
    length: STREAMED_BYTES,
    nextOffset: 0,
    pieceAt: (at: number) => ({
      bytes: Buffer.alloc(Math.min(500_000, STREAMED_BYTES - at)),
      release: () => {},
    }),
    release: () => {},
  };
  const partitions = [{ partitionIndex: 0, records: [slice] as unknown as Buffer }];
  return {
    apiKey: 1,
    minVersion: 4,
    maxVersion: 18,
    request: fetchRequest,
    response: fetchResponse,
    handle: () => ({ responses: [{ topic: 't', partitions }] }),
    errorResponse: () => ({}),
  } as unknown as AnyApiHandler;
}

function metadataWith(connectionsPerSecond: number | undefined): MetadataStore {
  if (connectionsPerSecond === undefined) return metadata;
  const builder = new MetadataImageBuilder(emptyImage('cluster', 1));
  const everyAddress = new Map([['ip', null]]);
  builder.apply(quotaRecord(everyAddress, 'connection_creation_rate', connectionsPerSecond), 0);
  const { image } = builder.build();
  return { current: () => image, subscribe: () => {} };
}

const open: { server: SocketServer; sockets: Socket[] }[] = [];

async function serve(
  options: Partial<SocketServerOptions> = {},
  rates: { readonly ofAll?: number; readonly ofEachAddress?: number } = {},
): Promise<{ port: number; server: SocketServer; clock: SimClock; held: Held[] }> {
  const clock = new SimClock();
  const held: Held[] = [];
  const handlers: AnyApiHandler[] = [
    saslHandshakeHandler(),
    heldHandler('heartbeat', held),
    heldHandler('produce', held),
    streamedHandler(),
  ];
  handlers.push(
    apiVersionsHandler({
      metadata,
      kraftVersion: () => 0,
      supportedFeatures: [
        ['metadata.version', 7, 30],
        ['group.version', 0, 1],
      ],
      handlers: () => handlers,
    }),
  );
  const sampling = { samples: 11, sampleMs: 1000 };
  const requestTime = new RequestTimeQuota({ clock, metadata, sampling });
  const dispatcher = new RequestDispatcher(handlers, { logger: SILENT_LOGGER, requestTime });
  const server = new SocketServer({
    listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0, securityProtocol: 'PLAINTEXT' }],
    socketRequestMaxBytes: 100 * 1024 * 1024,
    queuedMaxRequestBytes: -1,
    connectionsMaxIdleMs: 600_000,
    socketListenBacklogSize: 50,
    maxConnections: 100,
    maxConnectionsPerIp: 100,
    maxConnectionsPerIpOverrides: new Map(),
    connectionRates: new ConnectionRates({
      clock,
      metadata: metadataWith(rates.ofEachAddress),
      sampling,
      maxConnectionCreationRate: () => rates.ofAll ?? 2 ** 31 - 1,
    }),
    clock,
    logger: SILENT_LOGGER,
    dispatch: (frame, connection) => dispatcher.dispatch(frame, connection),
    socketBuffers: { sendBytes: -1, receiveBytes: -1 },
    recordMemory: null,
    ...options,
  });
  await server.open();
  open.push({ server, sockets: [] });
  return { port: server.ports()[0]!.port, server, clock, held };
}

afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await server.close();
  }
});

/** A client that collects response frames. */
class Client {
  readonly socket: Socket;
  frames: Buffer[] = [];
  isClosed = false;
  #received = Buffer.alloc(0);
  #onChange: () => void = () => {};

  constructor(port: number, localAddress = '127.0.0.1') {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    open.at(-1)!.sockets.push(this.socket);
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isClosed = true;
      this.#onChange();
    });
    this.socket.on('data', (chunk) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      while (this.#received.length >= 4 && this.#received.length >= 4 + this.#received.readInt32BE(0)) {
        const end = 4 + this.#received.readInt32BE(0);
        this.frames.push(this.#received.subarray(4, end));
        this.#received = this.#received.subarray(end);
      }
      this.#onChange();
    });
  }

  /** Resolves when the condition holds; the test's time limit is the only other end. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#onChange = resolve));
  }

  get correlationIds(): number[] {
    return this.frames.map((frame) => frame.readInt32BE(0));
  }
}

function header(apiKey: number, apiVersion: number, correlationId = 7): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(apiVersion, 2);
  bytes.writeInt32BE(correlationId, 4);
  bytes.writeInt16BE(-1, 8);
  return bytes;
}

function framed(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length, 0);
  return Buffer.concat([length, body]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value, 0);
  return bytes;
}

const apiVersions0 = framed(header(18, 0));
const heartbeat = (correlationId: number): Buffer =>
  Buffer.concat(
    encodeRequest(heartbeatRequest, 0, { correlationId, clientId: null }, { groupId: 'g', memberId: 'm' }),
  );
const produce = (correlationId: number): Buffer =>
  Buffer.concat(
    encodeRequest(produceRequest, 9, { correlationId, clientId: null }, { acks: -1, topicData: [] }),
  );

const fetch = (correlationId: number): Buffer =>
  Buffer.concat(encodeRequest(fetchRequest, 4, { correlationId, clientId: null }, { topics: [] }));

describe('what a real Kafka closes without an answer is closed', () => {
  const cases: [string, Buffer][] = [
    ['length -1', int32(-1)],
    ['length 0', int32(0)],
    ['length 101 MiB', int32(101 * 1024 * 1024)],
    ['length 2^31-1', int32(0x7fffffff)],
    ['unknown API key', framed(header(999, 0))],
    ['negative API key', framed(header(-1, 0))],
    ['inter-broker API', framed(header(4, 0))],
    ['produce version 2', framed(header(0, 2), Buffer.alloc(10))],
    ['frame too short for a header', framed(Buffer.from([0, 18, 0, 0]))],
    ['string of length -5', framed(header(12, 0), Buffer.from([0xff, 0xfb]))],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
  ];
  test.each(cases)('%s', async (_, bytes) => {
    const { port } = await serve();
    const client = new Client(port);
    client.socket.write(bytes);
    await client.until(() => client.isClosed);
    expect(client.frames).toEqual([]);
    // Others are still served.
    const other = new Client(port);
    other.socket.write(apiVersions0);
    await other.until(() => other.frames.length === 1);
  });

  test('a broken frame behind a good one: the good one is answered first', async () => {
    const { port } = await serve();
    const client = new Client(port);
    client.socket.write(Buffer.concat([apiVersions0, int32(-1)]));
    await client.until(() => client.isClosed);
    expect(client.frames.length).toBe(1);
  });
});

describe('ApiVersions', () => {
  test.each([99, -1])('version %i is answered in version 0 with the versions there are', async (version) => {
    const { port } = await serve();
    const client = new Client(port);
    client.socket.write(framed(header(18, version), Buffer.from([0, 2, 97, 2, 98, 0])));
    await client.until(() => client.frames.length === 1);
    const { value } = decodeResponse(apiVersionsResponse, 0, client.frames[0]!);
    expect(value.errorCode).toBe(ErrorCodes.UNSUPPORTED_VERSION);
    expect(value.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }]);
  });

  const names: [string, string, number][] = [
    ['kafka-client', '1.0', ErrorCodes.NONE],
    ['a b', '1.0', ErrorCodes.INVALID_REQUEST],
    ['', '', ErrorCodes.INVALID_REQUEST],
    ['x', '-1', ErrorCodes.INVALID_REQUEST],
  ];
  test.each(names)(
    'software "%s" version "%s" gets error %i',
    async (clientSoftwareName, clientSoftwareVersion, errorCode) => {
      const { port } = await serve();
      const client = new Client(port);
      const request = encodeRequest(
        apiVersionsRequest,
        4,
        { correlationId: 1, clientId: null },
        { clientSoftwareName, clientSoftwareVersion },
      );
      for (const chunk of request) client.socket.write(chunk);
      await client.until(() => client.frames.length === 1);
      const { value } = decodeResponse(apiVersionsResponse, 4, client.frames[0]!);
      expect(value.errorCode).toBe(errorCode);
      const announced = value.apiKeys.map(({ apiKey, minVersion, maxVersion }) => [
        apiKey,
        minVersion,
        maxVersion,
      ]);
      expect(announced).toEqual(
        errorCode === 0
          ? [
              [0, 0, 13],
              [1, 4, 18],
              [12, 0, 4],
              [17, 0, 1],
              [18, 0, 4],
            ]
          : [],
      );
    },
  );
});

describe('order', () => {
  test('pipelined requests run at once and are answered in order', async () => {
    const { port, held } = await serve();
    const client = new Client(port);
    client.socket.write(Buffer.concat([produce(1), produce(2), produce(3), apiVersions0]));
    while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    held[2]!.answer();
    held[1]!.answer();
    held[0]!.answer();
    await client.until(() => client.frames.length === 4);
    expect(client.correlationIds).toEqual([1, 2, 3, 7]);
  });

  test('a request behind a waiting one starts when that is answered', async () => {
    const { port, held } = await serve();
    const client = new Client(port);
    client.socket.write(Buffer.concat([heartbeat(1), heartbeat(2), produce(3)]));
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    const other = new Client(port);
    other.socket.write(apiVersions0);
    await other.until(() => other.frames.length === 1);
    expect(held.map(({ correlationId }) => correlationId)).toEqual([1]);
    for (let i = 0; i < 3; i++) {
      while (held.length <= i) await new Promise((resolve) => setImmediate(resolve));
      held[i]!.answer();
    }
    await client.until(() => client.frames.length === 3);
    expect(client.correlationIds).toEqual([1, 2, 3]);
  });

  test('ten thousand requests in one go are all answered', async () => {
    const { port } = await serve();
    const client = new Client(port);
    client.socket.write(
      Buffer.concat(Array.from({ length: 10_000 }, (_, index) => framed(header(18, 0, index)))),
    );
    await client.until(() => client.frames.length === 10_000);
    expect(client.correlationIds).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
  });

  test('what comes before and behind a streamed answer keeps its place', async () => {
    const { port, held } = await serve();
    const client = new Client(port);
    client.socket.write(Buffer.concat([produce(1), fetch(2), fetch(3), apiVersions0, fetch(4), produce(5)]));
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    held[0]!.answer();
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    held[1]!.answer();
    await client.until(() => client.frames.length === 6);
    expect(client.correlationIds).toEqual([1, 2, 3, 7, 4, 5]);
    expect(client.frames.map((frame) => frame.length > STREAMED_BYTES)).toEqual([
      false,
      true,
      true,
      false,
      true,
      false,
    ]);
  });

  test('a streamed answer is whole before a half-closed connection is closed', async () => {
    const { port } = await serve();
    const client = new Client(port);
    client.socket.end(Buffer.concat([fetch(1), fetch(2)]));
    await client.until(() => client.isClosed);
    expect(client.correlationIds).toEqual([1, 2]);
  });

  test('what was asked before a half close is answered', async () => {
    const { port, held } = await serve();
    const client = new Client(port);
    client.socket.end(heartbeat(5));
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    held[0]!.answer();
    await client.until(() => client.isClosed);
    expect(client.correlationIds).toEqual([5]);
  });
});

describe('limits', () => {
  test('a client that never reads is not served without end', async () => {
    const { port, server } = await serve();
    const client = new Client(port);
    client.socket.pause();
    const burst = Buffer.concat(Array.from({ length: 2000 }, () => apiVersions0));
    let written = 0;
    const writeMore = (): void => {
      while (written < 5000 && client.socket.write(burst)) written++;
    };
    client.socket.on('drain', writeMore);
    writeMore();
    const other = new Client(port);
    for (let i = 0; i < 50; i++) {
      other.socket.write(apiVersions0);
      await other.until(() => other.frames.length === i + 1);
    }
    // The whole would be ten million answers; the broker stops reading long before.
    expect(written).toBeLessThan(5000);
    expect(server.connectionCount).toBe(2);
  });

  test('a client that does not read a streamed answer is closed when it is idle, others are served', async () => {
    const { port, server, clock } = await serve();
    const client = new Client(port);
    client.socket.pause();
    client.socket.write(Buffer.concat([fetch(1), fetch(2), fetch(3)]));
    const other = new Client(port);
    for (let i = 0; i < 50; i++) {
      other.socket.write(apiVersions0);
      await other.until(() => other.frames.length === i + 1);
    }
    clock.advance(601_000);
    while (server.connectionCount > 0) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(client.frames).toEqual([]);
  });

  test('what was asked before a broken frame is answered however long the server has been running', async () => {
    const { port, clock, held } = await serve();
    clock.advance(3_600_000);
    const client = new Client(port);
    client.socket.write(Buffer.concat([produce(1), int32(-1)]));
    while (held.length < 1) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(2000);
    held[0]!.answer();
    await client.until(() => client.isClosed);
    expect(client.correlationIds).toEqual([1]);
  });

  test('an incomplete first frame is closed after 10 s, a dribbling one too', async () => {
    const { port, clock, server } = await serve();
    const client = new Client(port);
    client.socket.write(Buffer.from([0, 0]));
    while (server.connectionCount < 1) await new Promise((resolve) => setImmediate(resolve));
    const other = new Client(port);
    other.socket.write(apiVersions0);
    await other.until(() => other.frames.length === 1);
    clock.advance(9000);
    client.socket.write(Buffer.from([0]));
    other.socket.write(apiVersions0);
    await other.until(() => other.frames.length === 2);
    expect(client.isClosed).toBe(false);
    clock.advance(3000);
    await client.until(() => client.isClosed);
  });

  test('a large frame that stops is closed after 30 s, however much of it has come', async () => {
    const { port, clock, server } = await serve();
    const client = new Client(port);
    client.socket.write(apiVersions0);
    await client.until(() => client.frames.length === 1);
    await new Promise<void>((resolve) =>
      client.socket.write(Buffer.concat([int32(100 * 1024 * 1024), Buffer.alloc(3 * 1024 * 1024)]), () =>
        resolve(),
      ),
    );
    expect(server.connectionCount).toBe(1);
    // A sweep a second; the frame has begun by the first of them.
    for (let second = 0; second < 70 && !client.isClosed; second++) {
      clock.advance(1000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.until(() => client.isClosed);
  });

  test('a client with very many requests at once does not keep others waiting', async () => {
    const { port, held } = await serve();
    const busy = new Client(port);
    busy.socket.pause();
    const other = new Client(port);
    other.socket.write(apiVersions0);
    await other.until(() => other.frames.length === 1);
    busy.socket.write(
      Buffer.concat([
        ...Array.from({ length: 2000 }, (_, index) => framed(header(18, 0, index))),
        heartbeat(1),
      ]),
    );
    other.socket.write(heartbeat(2));
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    expect(held.map(({ correlationId }) => correlationId)).toEqual([2, 1]);
  });

  test('an idle connection is closed after connections.max.idle.ms', async () => {
    const { port, clock } = await serve({ connectionsMaxIdleMs: 5000 });
    const client = new Client(port);
    client.socket.write(apiVersions0);
    await client.until(() => client.frames.length === 1);
    clock.advance(4000);
    client.socket.write(apiVersions0);
    await client.until(() => client.frames.length === 2);
    clock.advance(4000);
    client.socket.write(apiVersions0);
    await client.until(() => client.frames.length === 3);
    clock.advance(7000);
    await client.until(() => client.isClosed);
  });

  test('a connection over max.connections.per.ip is refused', async () => {
    const { port } = await serve({ maxConnectionsPerIp: 1 });
    const first = new Client(port);
    first.socket.write(apiVersions0);
    await first.until(() => first.frames.length === 1);
    const second = new Client(port);
    await second.until(() => second.isClosed);
    first.socket.write(apiVersions0);
    await first.until(() => first.frames.length === 2);
  });

  /** Of a rate of one for each second, which Kafka takes over ten seconds, the eleventh connection is above it. */
  async function tenAndOneMore(port: number): Promise<Client> {
    for (let times = 0; times < 10; times += 1) {
      const client = new Client(port);
      client.socket.write(apiVersions0);
      await client.until(() => client.frames.length === 1);
    }
    const oneMore = new Client(port);
    oneMore.socket.write(apiVersions0);
    return oneMore;
  }

  /** How far the clock had to go on until something happened, in steps of 100 ms. */
  async function passedMs(clock: SimClock, hasHappened: () => boolean): Promise<number> {
    let passed = 0;
    for (; !hasHappened() && passed < 1_000_000; passed += 100) {
      clock.advance(100);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return passed;
  }

  test('a connection over max.connection.creation.rate waits until it is within, and the next one behind it', async () => {
    const { port, clock } = await serve({}, { ofAll: 1 });
    const eleventh = await tenAndOneMore(port);
    const twelfth = new Client(port);
    twelfth.socket.write(apiVersions0);
    expect(await passedMs(clock, () => eleventh.frames.length === 1)).toBeGreaterThanOrEqual(1000);
    expect(twelfth.frames).toEqual([]);
    await passedMs(clock, () => twelfth.frames.length === 1);
    expect(twelfth.frames.length).toBe(1);
  });

  test('a connection from an address above its quota is kept unheard for a while and then closed', async () => {
    const { port, clock } = await serve({}, { ofEachAddress: 1 });
    const eleventh = await tenAndOneMore(port);
    expect(await passedMs(clock, () => eleventh.isClosed)).toBeGreaterThanOrEqual(1000);
    expect(eleventh.frames).toEqual([]);
    // It did not count: once one of the ten is long enough ago, the next is within the rate.
    clock.advance(10_000);
    const next = new Client(port);
    next.socket.write(apiVersions0);
    await next.until(() => next.frames.length === 1);
  });

  test('a connection over max.connections waits until another closes', async () => {
    const { port } = await serve({ maxConnections: 1 });
    const first = new Client(port);
    first.socket.write(apiVersions0);
    await first.until(() => first.frames.length === 1);
    const second = new Client(port);
    second.socket.write(apiVersions0);
    first.socket.write(apiVersions0);
    await first.until(() => first.frames.length === 2);
    expect(second.frames).toEqual([]);
    first.socket.destroy();
    await second.until(() => second.frames.length === 1);
  });

  test('of the connections that wait the longest waiting one of a listener comes in first, whatever others do', async () => {
    const { server } = await serve({
      maxConnections: 1,
      socketListenBacklogSize: 2,
      listeners: [
        { name: 'ONE', host: '127.0.0.1', port: 0, securityProtocol: 'PLAINTEXT' },
        { name: 'TWO', host: '127.0.0.1', port: 0, securityProtocol: 'PLAINTEXT' },
      ],
    });
    const [one, two] = server.ports();
    const arrived = async (port: number): Promise<Client> => {
      const client = new Client(port);
      await new Promise((resolve) => client.socket.once('connect', resolve));
      client.socket.write(apiVersions0);
      return client;
    };
    const first = await arrived(one!.port);
    await first.until(() => first.frames.length === 1);
    const waiting = await arrived(one!.port);
    const longest = await arrived(two!.port);
    const later = await arrived(two!.port);
    // A third has no place to wait: by then the listener has seen the two before it.
    const refused = await arrived(two!.port);
    await refused.until(() => refused.isClosed);
    first.socket.destroy();
    await waiting.until(() => waiting.frames.length === 1);
    waiting.socket.destroy();
    await longest.until(() => longest.frames.length === 1);
    expect(later.frames).toEqual([]);
  });

  test('a connection that waits for room and has too many from its address then leaves the room to the next', async () => {
    const { port } = await serve({ maxConnections: 2, maxConnectionsPerIp: 1, socketListenBacklogSize: 2 });
    const from = async (localAddress: string): Promise<Client> => {
      const client = new Client(port, localAddress);
      await new Promise((resolve) => client.socket.once('connect', resolve));
      client.socket.write(apiVersions0);
      return client;
    };
    const first = await from('127.0.0.1');
    const second = await from('127.0.0.2');
    await second.until(() => second.frames.length === 1);
    const tooMany = await from('127.0.0.1');
    const next = await from('127.0.0.3');
    const refused = await from('127.0.0.4');
    await refused.until(() => refused.isClosed);
    second.socket.destroy();
    await next.until(() => next.frames.length === 1);
    await tooMany.until(() => tooMany.isClosed);
    expect(first.isClosed).toBe(false);
  });
});
