import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeResponse, encodeRequest, metadataRequest, metadataResponse } from '@ottla/protocol';
import type { Transport, WireRequest } from './transcript-player.ts';

/** A live broker as a transport: the recorder's way to Apache Kafka, or to a running Ottla. */
export class SocketTransport implements Transport {
  topicId = '';
  readonly #port: number;
  readonly #host: string;
  readonly #sockets = new Map<string, Promise<Socket>>();
  #correlationId = 0;

  /** `address` is `host:port`; topic `t1` has to exist there with three partitions. */
  constructor(address: string) {
    const [host = '127.0.0.1', port = '9092'] = address.split(':');
    this.#host = host;
    this.#port = Number(port);
  }

  async open(): Promise<void> {
    const metadata: WireRequest = {
      version: 12,
      request: metadataRequest as never,
      response: metadataResponse as never,
      value: { topics: [{ name: 't1' }] },
    };
    // Connections are opened before a scenario starts, so that its requests arrive in the order in which they are sent.
    for (const connection of ['a', 'b', 'c']) {
      const reply = (await this.send(connection, metadata)) as { topics: { topicId: string }[] };
      this.topicId = reply.topics[0]?.topicId ?? '';
    }
  }

  async send(connection: string, { request, response, version, value }: WireRequest): Promise<unknown> {
    const socket = await this.#socket(connection);
    const correlationId = ++this.#correlationId;
    for (const chunk of encodeRequest(request, version, { correlationId, clientId: 'client' }, value))
      socket.write(chunk);
    return decodeResponse(response, version, await readFrame(socket)).value;
  }

  async wait(ms: number): Promise<void> {
    await sleep(ms);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) (await socket).destroy();
    this.#sockets.clear();
  }

  #socket(connection: string): Promise<Socket> {
    const existing = this.#sockets.get(connection);
    if (existing !== undefined) return existing;
    const socket = connect(this.#port, this.#host);
    const connected = once(socket, 'connect').then(() => socket);
    this.#sockets.set(connection, connected);
    return connected;
  }
}

/** Reads one frame; the socket belongs to its caller alone while it waits. */
function readFrame(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const onClose = (): void => reject(new Error('The broker closed the connection'));
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      socket.off('data', onData);
      socket.off('close', onClose);
      resolve(received.subarray(4));
    };
    socket.on('data', onData);
    socket.once('close', onClose);
  });
}
