import { connect, createServer, type Server, type Socket } from 'node:net';
import { decodeRequestHeader, messagesByApiKey, type MessageSchema } from '@ottla/protocol';

/** An answer of the broker on its way to the client. */
export interface Answer {
  /** Kafka's name of the API. */
  readonly api: string;
  readonly schema: MessageSchema<unknown>;
  readonly version: number;
  readonly correlationId: number;
  /** The whole frame, its length included. */
  readonly frame: Buffer;
  /** How many answers of this API came before it, on all connections. */
  readonly index: number;
}

/** What becomes of an answer. */
export interface Delivery {
  readonly bytes: Buffer;
  /** The connection ends behind it. */
  readonly isLast?: boolean;
  /** It, and everything behind it, comes later. */
  readonly delayMs?: number;
  /** Nothing more comes on this connection, which stays open. */
  readonly isStall?: boolean;
}

export type Tamper = (answer: Answer) => Delivery;

interface Request {
  readonly api: string;
  readonly schema: MessageSchema<unknown>;
  readonly version: number;
  readonly correlationId: number;
}

const untouched: Tamper = ({ frame }) => ({ bytes: frame });

/** Cuts a byte stream into frames, lengths included. */
function frames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 4 && pending.length >= 4 + pending.readInt32BE(0)) {
      const end = 4 + pending.readInt32BE(0);
      const frame = pending.subarray(0, end);
      pending = pending.subarray(end);
      onFrame(frame);
    }
  };
}

/** Stands between clients and a broker: requests pass, answers become what `tamper` makes of them. */
export class TamperingProxy implements AsyncDisposable {
  /** The broker; set it before a client connects. */
  targetPort = 0;
  port = 0;
  /** Told of every answer; leave it alone and they pass as they are. */
  tamper: Tamper = untouched;
  readonly #counts = new Map<string, number>();
  readonly #clients = new Set<Socket>();
  readonly #server: Server;
  #onEmpty: (() => void) | null = null;

  private constructor() {
    this.#server = createServer((client) => this.#serve(client));
  }

  static async start(): Promise<TamperingProxy> {
    const proxy = new TamperingProxy();
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  /** From here on answers pass as they are. */
  calm(): void {
    this.tamper = untouched;
  }

  /** Resolves when no client is connected. */
  empty(): Promise<void> {
    if (this.#clients.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onEmpty = resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket): void {
    const broker = connect(this.targetPort, '127.0.0.1');
    const requests: Request[] = [];
    this.#clients.add(client);
    client
      .on('error', () => {})
      .on('close', () => {
        broker.destroy();
        this.#clients.delete(client);
        if (this.#clients.size === 0) this.#onEmpty?.();
      });
    broker.on('error', () => {}).on('close', () => client.destroy());
    client.on(
      'data',
      frames((frame) => {
        const { apiKey, apiVersion, correlationId } = decodeRequestHeader(frame.subarray(4));
        const { name, response } = messagesByApiKey(apiKey)!;
        requests.push({ api: name, schema: response, version: apiVersion, correlationId });
        broker.write(frame);
      }),
    );
    const deliver = deliverTo(client);
    broker.on(
      'data',
      frames((frame) => {
        const request = requests.shift();
        if (request === undefined) return;
        const index = this.#counts.get(request.api) ?? 0;
        this.#counts.set(request.api, index + 1);
        deliver(this.tamper({ ...request, frame, index }));
      }),
    );
  }
}

/** Sends deliveries in their order, whatever the delays. */
function deliverTo(client: Socket): (delivery: Delivery) => void {
  const queue: Delivery[] = [];
  let isWaiting = false;
  const pump = (): void => {
    for (let next = queue[0]; next !== undefined && !isWaiting; next = queue[0]) {
      isWaiting = true;
      if (next.isStall === true) return;
      const { bytes, isLast } = next;
      const send = (): void => {
        queue.shift();
        isWaiting = false;
        if (client.destroyed) return;
        if (isLast === true) client.end(bytes, () => client.destroy());
        else client.write(bytes);
        pump();
      };
      if (next.delayMs === undefined) send();
      else setTimeout(send, next.delayMs).unref();
    }
  };
  return (delivery) => {
    queue.push(delivery);
    pump();
  };
}
