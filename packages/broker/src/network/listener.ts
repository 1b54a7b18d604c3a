import { createServer, type Server, type Socket } from 'node:net';
import {
  type Clock,
  type Logger,
  setSocketBuffers,
  type SocketBuffers,
  type TimerHandle,
} from '@ottla/platform';
import type { ConnectionRates } from '../quota/connection-rates.ts';
import type { ConnectionLimits } from './connection-limits.ts';

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
  readonly rates: ConnectionRates;
  readonly clock: Clock;
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
 * One bound port. Connections over `max.connections` or `max.connection.creation.rate` are kept unread until another closes or
 * the time has come, in their order and at most a backlog's worth: Node accepts as fast as it can, so leaving them in the
 * kernel's queue, as Kafka does, is not possible.
 */
export class Listener {
  readonly options: ListenerOptions;
  readonly #server: Server;
  readonly #dependencies: ListenerDependencies;
  /** Not let in yet, the longest waiting first, with their addresses. */
  readonly #parked = new Map<Socket, string>();
  /** From an address above its quota; each is closed when its time is over. */
  readonly #refused = new Set<Socket>();
  /** The first of the parked is waiting for the broker's rate. */
  #rateTimer: TimerHandle | null = null;
  #isFirstCounted = false;
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
    this.#rateTimer?.cancel();
    for (const socket of [...this.#parked.keys(), ...this.#refused]) socket.destroy();
    this.#parked.clear();
    this.#refused.clear();
  }

  /** Lets those in that no longer have to wait. */
  admitParked(): void {
    while (this.#rateTimer === null) {
      const [first] = this.#parked;
      if (first === undefined || !this.#admit(...first)) return;
    }
  }

  #onConnection(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === '' || !this.#isOpen) {
      socket.destroy();
      return;
    }
    if (this.#parked.size >= this.#dependencies.backlogSize) {
      this.#refuse(socket, address, 'too many are waiting');
      return;
    }
    this.#parked.set(socket, address);
    this.admitParked();
    if (!this.#parked.has(socket)) return;
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#unpark(socket);
      this.admitParked();
    });
  }

  /** Decides about the first of the parked; false while it has to wait. */
  #admit(socket: Socket, address: string): boolean {
    const { limits, rates, clock, accept, backlogSize } = this.#dependencies;
    if (!this.#isFirstCounted) {
      this.#isFirstCounted = true;
      const delayMs = rates.delayMs();
      if (delayMs > 0) {
        this.#rateTimer = clock.setTimer(delayMs, () => {
          this.#rateTimer = null;
          this.admitParked();
        });
        return false;
      }
    }
    if (limits.isFull) return false;
    this.#unpark(socket);
    const refusalMs = rates.refusalMs(address);
    if (refusalMs > 0 && this.#refused.size < backlogSize) {
      socket.on('error', () => {});
      socket.once('close', () => this.#refused.delete(socket));
      this.#refused.add(socket);
      clock.setTimer(refusalMs, () => socket.destroy());
    } else if (refusalMs > 0) {
      socket.destroy();
    } else if (limits.admit(address)) {
      accept(socket, this, address, () => limits.release(address));
    } else {
      this.#refuse(socket, address, 'too many from this address');
    }
    return true;
  }

  #unpark(socket: Socket): void {
    const [first] = this.#parked.keys();
    this.#parked.delete(socket);
    if (socket !== first) return;
    this.#isFirstCounted = false;
    this.#rateTimer?.cancel();
    this.#rateTimer = null;
  }

  #refuse(socket: Socket, address: string, reason: string): void {
    this.#dependencies.logger.warn({ listener: this.name, address, reason }, 'Refusing a connection');
    socket.destroy();
  }
}
