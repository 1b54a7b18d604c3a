import { connect, createServer, type Server, type Socket } from 'node:net';
import { apiVersionsResponse, decodeResponse, encodeResponse } from '@ottla/protocol';

/** The highest versions of Kafka 3.0, by API key; what is not here it does not have. */
export const KAFKA_3_0: ReadonlyMap<number, number> = new Map([
  [0, 9],
  [1, 12],
  [2, 7],
  [3, 11],
  [8, 8],
  [9, 8],
  [10, 4],
  [11, 7],
  [12, 4],
  [13, 4],
  [14, 5],
  [15, 5],
  [16, 4],
  [17, 1],
  [18, 3],
  [19, 7],
  [20, 6],
  [21, 2],
  [22, 4],
  [23, 4],
  [24, 3],
  [25, 3],
  [26, 3],
  [28, 3],
  [29, 2],
  [30, 2],
  [31, 2],
  [32, 4],
  [35, 2],
  [36, 2],
  [37, 3],
  [42, 2],
  [43, 2],
  [44, 1],
  [45, 0],
  [46, 0],
  [47, 0],
  [60, 0],
]);

/** A proxy that makes a broker look older: it lowers the versions in ApiVersions answers, leaves out features, and passes everything else on. */
export class CappedProxy implements AsyncDisposable {
  targetPort = 0;
  port = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(highest: ReadonlyMap<number, number>) {
    this.#server = createServer((client) => {
      const broker = connect(this.targetPort, '127.0.0.1');
      for (const [from, to] of [
        [client, broker],
        [broker, client],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => {}).on('close', () => to.destroy());
      }
      client.on('data', (chunk: Buffer) => broker.write(chunk));
      // The first answer on a connection is the one to ApiVersions.
      let first: Buffer | null = Buffer.alloc(0);
      broker.on('data', (chunk: Buffer) => {
        if (first === null) {
          client.write(chunk);
          return;
        }
        first = Buffer.concat([first, chunk]);
        if (first.length < 4 || first.length < 4 + first.readInt32BE(0)) return;
        const end = 4 + first.readInt32BE(0);
        for (const part of lowered(first.subarray(4, end), highest)) client.write(part);
        client.write(first.subarray(end));
        first = null;
      });
    });
  }

  static async start(highest: ReadonlyMap<number, number>): Promise<CappedProxy> {
    const proxy = new CappedProxy(highest);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    proxy.port = (proxy.#server.address() as { port: number }).port;
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function lowered(frame: Buffer, highest: ReadonlyMap<number, number>): Buffer[] {
  const { correlationId, value } = decodeResponse(apiVersionsResponse, 4, frame);
  const apiKeys = value.apiKeys
    .filter(({ apiKey }) => highest.has(apiKey))
    .map((each) => ({ ...each, maxVersion: Math.min(each.maxVersion, highest.get(each.apiKey)!) }));
  return encodeResponse(apiVersionsResponse, 4, correlationId, {
    ...value,
    apiKeys,
    supportedFeatures: [],
    finalizedFeatures: [],
  });
}
