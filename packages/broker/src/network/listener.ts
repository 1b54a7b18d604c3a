import { createServer, type Server, type Socket } from 'node:net';
import { type Logger, setSocketBuffers, type SocketBuffers } from '@ottla/platform';
import type { ConnectionLimits, Verdict } from './connection-limits.ts';

/** One entry of `listeners`. */
export interface ListenerOptions {
  readonly name: string;
  /** Empty: every interface. */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Kafka's SecurityProtocol; only PLAINTEXT is served so far. */
  readonly securityProtocol: 'PLAINTEXT';
}

/** Takes an accepted socket that nothing has been read from; calls `onClosed` once when the connection is gone. */
export type AcceptSocket = (
  socket: Socket,
  listener: Listener,
  address: string,
  onClosed: () => void,
) => void;

export interface ListenerDependencies {
  readonly limits: ConnectionLimits;
  readonly logger: Logger;
  readonly accept: AcceptSocket;
  /** `socket.listen.backlog.size`. */
  readonly backlogSize: number;
  readonly buffers: SocketBuffers;
}

/** IPv4 addresses come as `::ffff:127.0.0.1` on a dual-stack socket; Kafka shows them plain. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * One bound port. Connections over `max.connections` are kept unread until another closes, at most a backlog's worth:
 * Node accepts as fast as it can, so leaving them in the kernel's queue, as Kafka does, is not possible.
 */
export class Listener {
  readonly options: ListenerOptions;
  readonly #server: Server;
  readonly #dependencies: ListenerDependencies;
  /** Connections that wait for room, the longest first, with their addresses. */
  readonly #parked = new Map<Socket, string>();
  #isOpen = false;

  constructor(options: ListenerOptions, dependencies: ListenerDependencies) {
    this.options = options;
    this.#dependencies = dependencies;
    this.#server = createServer(
      { pauseOnConnect: true, allowHalfOpen: true, noDelay: true, keepAlive: true },
      (socket) => this.#onConnection(socket),
    );
  }

  get name(): string {
    return this.options.name;
  }

  /** The bound port; the configured one until `open` is done. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : this.options.port;
  }

  /** Binds. @throws the system's error, with `code` EADDRINUSE, EACCES, EADDRNOTAVAIL, ... */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      const { host, port } = this.options;
      const target = { port, backlog: this.#dependencies.backlogSize, ...(host === '' ? {} : { host }) };
      this.#server.listen(target, () => {
        this.#server.off('error', reject);
        // Connections inherit them. Where they cannot be set the system's own are as good, but for their bound.
        setSocketBuffers(this.#server, this.#dependencies.buffers);
        this.#server.on('error', (error) => {
          // Accepting can fail for a moment (EMFILE); the listener goes on.
          this.#dependencies.logger.error(
            { listener: this.name, err: error },
            'Accepting a connection failed',
          );
        });
        this.#isOpen = true;
        resolve();
      });
    });
  }

  /** Stops accepting; connections live on until their owner closes them. */
  close(): void {
    if (this.#isOpen) this.#server.close();
    this.#isOpen = false;
    for (const socket of this.#parked.keys()) socket.destroy();
    this.#parked.clear();
  }

  /** A connection closed somewhere: those that wait may come in, the longest waiting ones first. */
  admitParked(): void {
    for (const [socket, address] of this.#parked) {
      const verdict = this.#dependencies.limits.admit(address);
      if (verdict === 'full') return;
      this.#parked.delete(socket);
      this.#decide(socket, address, verdict);
    }
  }

  #onConnection(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    const { limits, backlogSize } = this.#dependencies;
    if (address === '' || !this.#isOpen) {
      socket.destroy();
      return;
    }
    const verdict = limits.admit(address);
    if (verdict === 'full' && this.#parked.size < backlogSize) this.#park(socket, address);
    else this.#decide(socket, address, verdict);
  }

  #park(socket: Socket, address: string): void {
    socket.once('close', () => this.#parked.delete(socket));
    socket.on('error', () => {});
    this.#parked.set(socket, address);
  }

  #decide(socket: Socket, address: string, verdict: Verdict): void {
    const { limits, logger, accept } = this.#dependencies;
    if (verdict === 'admitted') {
      accept(socket, this, address, () => limits.release(address));
      return;
    }
    logger.warn({ listener: this.name, address, reason: verdict }, 'Refusing a connection');
    socket.destroy();
  }
}
