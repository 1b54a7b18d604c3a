import { getEventListeners } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { connect, KafkaError, type ClientOptions, type Ottla } from '../../src/index.ts';
import { CountingClock } from '../counting-clock.ts';
import { FakeServer, listening, type BadServer, type FakeAnswer, type FakeRequest } from '../fake-server.ts';

/** The one broker, with a topic of one partition; it coordinates everything. */
function metadata({ api }: FakeRequest, port: number): FakeAnswer | undefined {
  if (api === 'Metadata')
    return {
      brokers: [{ nodeId: 1, host: '127.0.0.1', port }],
      clusterId: 'fake',
      controllerId: 1,
      topics: [
        {
          name: 't',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
          partitions: [{ partitionIndex: 0, leaderId: 1, leaderEpoch: 0, replicaNodes: [1], isrNodes: [1] }],
        },
      ],
    };
  if (api === 'FindCoordinator')
    return { coordinators: ['g', 's', 'tx'].map((key) => ({ key, nodeId: 1, host: '127.0.0.1', port })) };
  return api === 'ApiVersions' ? undefined : null;
}

/** Sends an answer of a kibibyte, a byte at a time. */
function trickle(socket: Socket, correlationId = 0): void {
  const bytes = Buffer.alloc(1024);
  bytes.writeInt32BE(bytes.length, 0);
  bytes.writeInt32BE(correlationId, 4);
  let position = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(position, (position += 1))), 10);
  socket.on('close', () => clearInterval(timer));
}

const servers: readonly (readonly [string, () => Promise<BadServer>])[] = [
  ['accepts and says nothing', () => FakeServer.raw(() => {})],
  ['sends a byte now and then', () => FakeServer.raw((socket) => trickle(socket))],
  ['ends every connection at once', () => FakeServer.raw((socket) => socket.end())],
  ['speaks HTTP', () => listening(createHttpServer())],
  ['speaks TLS', () => listening(createTlsServer().on('tlsClientError', () => {}))],
  [
    'answers ApiVersions, then nothing',
    () => FakeServer.start(({ api }) => (api === 'ApiVersions' ? undefined : null)),
  ],
  [
    'tells who leads, then nothing',
    () => FakeServer.start((request, server) => metadata(request, server.port)),
  ],
  [
    'tells who leads, then sends a byte now and then',
    () =>
      FakeServer.start((request, server) => {
        const answer = metadata(request, server.port);
        if (answer === null) trickle(request.socket, request.header.correlationId);
        return answer;
      }),
  ],
  [
    'tells who leads, then reads no more',
    () =>
      FakeServer.start((request, server) => {
        const answer = metadata(request, server.port);
        if (answer === null) request.socket.pause();
        return answer;
      }),
  ],
];

const TIMEOUTS: ClientOptions = {
  requestTimeoutMs: 100,
  defaultApiTimeoutMs: 250,
  connectionSetupTimeoutMs: 100,
  connectionSetupTimeoutMaxMs: 100,
  reconnectBackoffMs: 5,
  reconnectBackoffMaxMs: 20,
  retryBackoffMs: 5,
  retryBackoffMaxMs: 20,
};
const LIMITS = { requestTimeoutMs: 100, deliveryTimeoutMs: 250, maxBlockMs: 250, lingerMs: 0 };

async function read(loop: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of loop) throw new Error('Something was read');
}

/** What everybody may do with a server; the signal comes a moment later. */
type Role = (ottla: Ottla, signal: AbortSignal) => Promise<unknown>;

/** Calls, which end with an error in time. */
const calls: Readonly<Record<string, Role>> = {
  admin: (ottla) => ottla.admin().topics.create('new'),
  describe: (ottla) => ottla.admin().groups.describe('g'),
  send: (ottla) => ottla.producer(LIMITS).send('t', { value: 'x' }),
  'send much': async (ottla) => {
    const producer = ottla.producer({ ...LIMITS, bufferMemoryBytes: 1 << 20 });
    const sent = Array.from({ length: 40 }, () => producer.send('t', { value: Buffer.alloc(100_000) }));
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toEqual([]);
    throw (outcomes[0] as PromiseRejectedResult).reason;
  },
  transaction: (ottla) =>
    ottla.producer({ ...LIMITS, transactionalId: 'tx' }).transaction((tx) => tx.send('t', { value: 'x' })),
};

/** Loops, which wait for better times, and end when they are told to, unless the server can never be one. */
const loops: Readonly<Record<string, Role>> = {
  consumer: (ottla, signal) => read(ottla.consumer('t', { from: 'earliest', signal })),
  classic: (ottla, signal) => read(ottla.consumer('t', { group: 'g', signal })),
  'group of KIP-848': (ottla, signal) =>
    read(ottla.consumer('t', { group: 'g', groupProtocol: 'consumer', signal })),
  pattern: (ottla, signal) => read(ottla.consumer({ pattern: /t/ }, { group: 'g', signal })),
  'share group': (ottla, signal) => read(ottla.shareConsumer('t', { group: 's', signal })),
};

/** Runs a role with a client of its own, and checks that nothing of it stays. */
async function outcomeOf(bootstrap: string, role: Role, signal: AbortSignal): Promise<unknown> {
  const clock = new CountingClock();
  const ottla = connect({ bootstrap, ...TIMEOUTS, clock });
  const outcome = await role(ottla, signal).then(
    () => null,
    (error: unknown) => error,
  );
  await ottla.close().catch((error: unknown) => expect(error).toBeInstanceOf(KafkaError));
  // What waited for others is told in a later turn.
  for (let turn = 0; turn < 10 && clock.live.size > 0; turn += 1) await new Promise(setImmediate);
  expect([...clock.live], 'timers').toEqual([]);
  return outcome;
}

describe.each(servers)('a server that %s', (_, start) => {
  test('every call ends with an error of ours in time, every loop when it is told to; close ends, nothing stays', async () => {
    await using server = await start();
    const stop = new AbortController();
    const failed = Promise.all(
      Object.entries(calls).map(
        async ([name, call]) => [name, await outcomeOf(server.bootstrap, call, stop.signal)] as const,
      ),
    );
    const waiting = Promise.all(
      Object.entries(loops).map(
        async ([name, loop]) => [name, await outcomeOf(server.bootstrap, loop, stop.signal)] as const,
      ),
    );
    for (const [name, outcome] of await failed) expect(outcome, name).toBeInstanceOf(KafkaError);
    stop.abort();
    for (const [name, outcome] of await waiting)
      if (outcome !== null) expect(outcome, name).toBeInstanceOf(KafkaError);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });
});
