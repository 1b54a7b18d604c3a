import { connect, type Socket } from 'node:net';
import { decodeResponse, encodeRequest, messagesByApiKey, type MessageInput } from '@ottla/protocol';

/** A request as a test writes it. */
export interface WireRequest {
  readonly apiKey: number;
  readonly version: number;
  readonly body: object;
}

/** One connection over which many requests are sent at once; answers come in their order. */
export class PipelinedClient {
  readonly #socket: Socket;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  readonly #waiting: { readonly request: WireRequest; readonly resolve: (answer: unknown) => void }[] = [];
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  static open(port: number): Promise<PipelinedClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(new PipelinedClient(socket)));
    });
  }

  /** How many requests have no answer yet. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Sends the request behind those before it; the decoded answer. */
  ask(request: WireRequest): Promise<unknown> {
    const api = messagesByApiKey(request.apiKey)!;
    const header = { correlationId: (this.#correlationId += 1), clientId: 'many' };
    const body = request.body as MessageInput<unknown>;
    for (const chunk of encodeRequest(api.request, request.version, header, body)) this.#socket.write(chunk);
    return new Promise((resolve) => this.#waiting.push({ request, resolve }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#receivedBytes < 4) return;
    let bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
      const end = 4 + bytes.readInt32BE(0);
      const { request, resolve } = this.#waiting.shift()!;
      const { response } = messagesByApiKey(request.apiKey)!;
      resolve(decodeResponse(response, request.version, bytes.subarray(4, end)).value);
      bytes = bytes.subarray(end);
    }
    this.#received = [bytes];
    this.#receivedBytes = bytes.length;
  }
}
