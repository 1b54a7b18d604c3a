import { connect as connectTcp, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsOptions } from './tls-options.ts';

/** What happens on a socket. `closed` comes exactly once, also when it never opened, and nothing comes after it. */
export interface TransportHandler {
  nextBuffer(): Buffer;
  received(buffer: Buffer, count: number): void;
  opened(): void;
  drained(): void;
  closed(error: Error | null): void;
}

/** A TCP or TLS socket that is being opened or open. */
export interface Transport {
  /** Bytes that the kernel has not taken yet. */
  readonly unsentBytes: number;
  /** Hands over the chunks; everything written in one turn of the event loop leaves in one system call. */
  write(chunks: readonly Buffer[]): void;
  destroy(): void;
}

export interface TransportOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions | null;
}

/** Begins to open a socket. */
export function openTransport(options: TransportOptions, handler: TransportHandler): Transport {
  return new SocketTransport(options, handler);
}

class SocketTransport implements Transport {
  readonly #socket: Socket;
  readonly #uncork: () => void;
  #isCorked = false;
  #error: Error | null = null;

  constructor(options: TransportOptions, handler: TransportHandler) {
    this.#socket = open(options, handler);
    this.#uncork = () => {
      this.#isCorked = false;
      this.#socket.uncork();
    };
    this.#socket.setNoDelay(true);
    this.#socket.setKeepAlive(true);
    this.#socket.on(options.tls === null ? 'connect' : 'secureConnect', () => handler.opened());
    this.#socket.on('drain', () => handler.drained());
    this.#socket.on('error', (error) => (this.#error = error));
    this.#socket.on('close', () => handler.closed(this.#error));
  }

  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  write(chunks: readonly Buffer[]): void {
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    for (const chunk of chunks) this.#socket.write(chunk);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

const MAX_PORT = 65_535;

function open(options: TransportOptions, handler: TransportHandler): Socket {
  const { port, tls } = options;
  // A broker's answer may name any number. Node would throw at once, past every backoff, and leave a handle behind.
  if (port < 0 || port > MAX_PORT)
    return new Socket().destroy(new RangeError(`There is no port ${port}: the highest is ${MAX_PORT}`));
  return tls === null ? openPlain(options, handler) : openTls(options, tls, handler);
}

/** Reads go into the handler's own buffers: no buffer per read, and large frames are never joined. */
function openPlain({ host, port }: TransportOptions, handler: TransportHandler): Socket {
  return connectTcp({
    host,
    port,
    onread: {
      buffer: () => handler.nextBuffer(),
      callback: (count, buffer) => {
        handler.received(buffer as Buffer, count);
        return true;
      },
    },
  });
}

function openTls({ host, port }: TransportOptions, tls: TlsOptions, handler: TransportHandler): Socket {
  const { verifyHostname, servername, ca, ...rest } = tls;
  const name = servername ?? (isIP(host) === 0 ? host : undefined);
  const socket = connectTls({
    ...rest,
    host,
    port,
    ...(ca !== undefined && { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    ...(name !== undefined && { servername: name }),
    ...(verifyHostname === false && { checkServerIdentity: () => undefined }),
  });
  // TLS decrypts into buffers of its own, which cannot be chosen.
  socket.on('data', (chunk: Buffer) => handler.received(chunk, chunk.length));
  return socket;
}
