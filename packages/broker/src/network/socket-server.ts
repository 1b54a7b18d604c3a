import type { Socket } from 'node:net';
import type { Clock, Logger, SocketBuffers, TimerHandle } from '@ottla/platform';
import type { RecordMemory } from '@ottla/storage';
import type { ConnectionRates } from '../quota/connection-rates.ts';
import { ConnectionLimits, type ConnectionLimitOptions } from './connection-limits.ts';
import { Connection } from './connection.ts';
import { FrameBudget } from './frame-budget.ts';
import { FrameMemory } from './frame-memory.ts';
import { Listener, type ListenerOptions } from './listener.ts';
import type { Dispatch } from './request-dispatcher.ts';
import { withUserBuffers } from './user-buffer-socket.ts';

export interface SocketServerOptions extends ConnectionLimitOptions {
  readonly listeners: readonly ListenerOptions[];
  /** `socket.request.max.bytes`. */
  readonly socketRequestMaxBytes: number;
  /** `queued.max.request.bytes`; -1: Ottla's own bound of 128 MiB, for Kafka's default of no bound could be used to exhaust memory. */
  readonly queuedMaxRequestBytes: number;
  /** `connections.max.idle.ms`; negative: never. */
  readonly connectionsMaxIdleMs: number;
  /** `socket.send.buffer.bytes` and `socket.receive.buffer.bytes`. */
  readonly socketBuffers: SocketBuffers;
  /** `socket.listen.backlog.size`. */
  readonly socketListenBacklogSize: number;
  readonly connectionRates: ConnectionRates;
  /** Where requests with records are received. */
  readonly recordMemory: RecordMemory | null;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dispatch: Dispatch;
}

const DEFAULT_QUEUED_BYTES = 128 * 1024 * 1024;
const SWEEP_INTERVAL_MS = 1000;

/** The listeners of a broker and every connection they took. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #listeners: Listener[];
  readonly #memory: FrameMemory;
  readonly #connections = new Set<Connection>();
  #sweep: TimerHandle | null = null;
  #connectionIndex = 0;
  #isClosing = false;

  constructor(options: SocketServerOptions) {
    this.#options = options;
    const budgetBytes =
      options.queuedMaxRequestBytes > 0 ? options.queuedMaxRequestBytes : DEFAULT_QUEUED_BYTES;
    this.#memory = new FrameMemory(new FrameBudget(budgetBytes), options.recordMemory);
    const dependencies = {
      limits: new ConnectionLimits(options),
      rates: options.connectionRates,
      clock: options.clock,
      logger: options.logger,
      accept: (socket: Socket, listener: Listener, address: string, onClosed: () => void): void =>
        this.#accept(socket, listener, address, onClosed),
      backlogSize: options.socketListenBacklogSize,
      buffers: options.socketBuffers,
    };
    this.#listeners = options.listeners.map((listener) => new Listener(listener, dependencies));
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Listener name and port as bound, in the order of `listeners`. */
  ports(): { name: string; host: string; port: number }[] {
    return this.#listeners.map((listener) => ({
      name: listener.name,
      host: listener.options.host,
      port: listener.port,
    }));
  }

  /** Binds every listener. @throws the system's error of the first that fails, after closing the others */
  async open(): Promise<void> {
    try {
      for (const listener of this.#listeners) await listener.open();
    } catch (error) {
      for (const listener of this.#listeners) listener.close();
      throw error;
    }
    this.#scheduleSweep();
  }

  /** Stops accepting, lets running requests answer for up to `graceMs`, then cuts what is left. */
  async close(graceMs = 0): Promise<void> {
    this.#isClosing = true;
    this.#sweep?.cancel();
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) {
      connection.pendingWait?.cancel();
      connection.closeGracefully();
    }
    if (graceMs > 0 && this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
        this.#options.clock.setTimer(graceMs, resolve);
      });
    }
    for (const connection of this.#connections) connection.destroy();
  }

  /** Cuts every connection, as a broken network does; the listeners go on. Returns how many there were. */
  dropConnections(): number {
    const dropped = [...this.#connections];
    for (const connection of dropped) connection.destroy();
    return dropped.length;
  }

  #onEmpty: (() => void) | null = null;

  #accept(accepted: Socket, listener: Listener, address: string, onClosed: () => void): void {
    this.#connectionIndex += 1;
    // Kafka's form: local and remote end, and a number that tells reconnects apart.
    const id = `${listener.options.host}:${listener.port}-${address}:${accepted.remotePort ?? 0}-${this.#connectionIndex}`;
    const connection = new Connection({
      id,
      clientHost: `/${address}`,
      listenerName: listener.name,
      principal: 'User:ANONYMOUS',
      maxFrameBytes: this.#options.socketRequestMaxBytes,
      memory: this.#memory,
      clock: this.#options.clock,
      logger: this.#options.logger,
      dispatch: this.#options.dispatch,
      onClosed: (closed) => {
        this.#connections.delete(closed);
        onClosed();
        for (const other of this.#listeners) other.admitParked();
        if (this.#connections.size === 0) this.#onEmpty?.();
      },
    });
    this.#connections.add(connection);
    connection.attach(withUserBuffers(accepted, connection));
  }

  #scheduleSweep(): void {
    this.#sweep = this.#options.clock.setTimer(SWEEP_INTERVAL_MS, () => {
      const nowMs = this.#options.clock.monotonicMs();
      for (const connection of this.#connections)
        connection.checkTimeouts(nowMs, this.#options.connectionsMaxIdleMs);
      if (!this.#isClosing) this.#scheduleSweep();
    });
  }
}
