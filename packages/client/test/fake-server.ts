import { createServer, type Server, type Socket } from 'node:net';
import {
  ApiKeys,
  decodeMessage,
  decodeRequestHeader,
  encodeResponse,
  messagesByApiKey,
  type DecodedRequestHeader,
} from '@ottla/protocol';

/** A request as the fake server has read it. */
export interface FakeRequest {
  readonly header: DecodedRequestHeader;
  /** Kafka's name of the API. */
  readonly api: string;
  readonly body: Record<string, never>;
  readonly socket: Socket;
}

/** What the fake server does with a request: a response body, bytes as they are, or nothing. */
export type FakeAnswer = object | Buffer | null;

/** A server on loopback that answers as the test says; every API up to its newest version unless told otherwise. */
export class FakeServer implements AsyncDisposable {
  readonly sockets = new Set<Socket>();
  readonly requests: FakeRequest[] = [];
  connectionCount = 0;
  #port = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `answer` may return undefined for the default: an empty ApiVersions with every API, this server as the only broker. */
  static start(
    answer: (request: FakeRequest, server: FakeServer) => FakeAnswer | undefined,
  ): Promise<FakeServer> {
    return FakeServer.raw((socket, server) => {
      let pending: Buffer = Buffer.alloc(0);
      socket.on('data', (chunk: Buffer) => {
        pending = Buffer.concat([pending, chunk]);
        while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
          const frame = pending.subarray(4, 4 + pending.readInt32BE(0));
          pending = pending.subarray(4 + frame.length);
          server.#serve(socket, frame, answer);
        }
      });
    });
  }

  /** A server that does with each connection what the test says. */
  static async raw(onConnection: (socket: Socket, server: FakeServer) => void): Promise<FakeServer> {
    const server = createServer((socket) => {
      fake.connectionCount += 1;
      fake.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => fake.sockets.delete(socket));
      onConnection(socket, fake);
    });
    const fake = new FakeServer(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    fake.#port = (server.address() as { port: number }).port;
    return fake;
  }

  get port(): number {
    return this.#port;
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(
    socket: Socket,
    frame: Buffer,
    answer: (request: FakeRequest, server: FakeServer) => FakeAnswer | undefined,
  ): void {
    const header = decodeRequestHeader(frame);
    const api = messagesByApiKey(header.apiKey)!;
    const body = decodeMessage(api.request, header.apiVersion, frame, header.bodyStart) as Record<
      string,
      never
    >;
    const request: FakeRequest = { header, api: api.name, body, socket };
    this.requests.push(request);
    const given = answer(request, this);
    const value = given === undefined ? this.#default(request) : given;
    if (value === null) return;
    if (Buffer.isBuffer(value)) socket.write(value);
    else
      for (const chunk of encodeResponse(api.response, header.apiVersion, header.correlationId, value))
        socket.write(chunk);
  }

  #default({ api }: FakeRequest): object | null {
    if (api === 'ApiVersions') return { apiKeys: allApis() };
    if (api === 'Metadata')
      return {
        brokers: [{ nodeId: 1, host: '127.0.0.1', port: this.#port }],
        clusterId: 'fake',
        controllerId: 1,
        topics: [],
      };
    return null;
  }
}

/** Every API with all of its versions, as an ApiVersions response lists them. */
export function allApis(): { apiKey: number; minVersion: number; maxVersion: number }[] {
  return Object.values(ApiKeys).map((apiKey) => {
    const { request } = messagesByApiKey(apiKey)!;
    return { apiKey, minVersion: request.minVersion, maxVersion: request.maxVersion };
  });
}

/** A server of any kind on a free port. */
export interface BadServer extends AsyncDisposable {
  readonly bootstrap: string;
}

/** Lets a server of Node's listen; it ends with its connections. */
export async function listening(server: Server): Promise<BadServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    bootstrap: `127.0.0.1:${(server.address() as { port: number }).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
