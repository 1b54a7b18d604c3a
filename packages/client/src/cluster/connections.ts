import { ClosedError, ConnectionError, TimeoutError } from '../errors/client-errors.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { Connection } from '../network/connection.ts';
import type { BrokerFeatures } from '../network/handshake.ts';
import type { HostAndPort, ResolvedClientOptions } from '../options/client-options.ts';
import { backoffMs } from './backoff.ts';
import { sleep } from './wait.ts';

/** What is remembered of one broker between its connections. */
interface Peer {
  address: HostAndPort;
  /** Connections by lane. */
  readonly lanes: Map<string, Connection>;
  /** Failed attempts to connect since the last success. */
  failures: number;
  /** No attempt before this monotonic time. */
  retryAtMs: number;
  lastError: KafkaError | null;
  features: BrokerFeatures | null;
}

/** The lane of requests that are answered at once. */
export const MAIN_LANE = 'main';

/**
 * The connections of one client, by broker and lane. A broker answers the requests of one connection one after the other, so what
 * may wait long at the broker (Fetch, JoinGroup, heartbeats of share groups) has a lane of its own beside the main one.
 */
export class Connections {
  readonly #options: ResolvedClientOptions;
  readonly #peers = new Map<number, Peer>();
  readonly #closed: AbortSignal;

  /** `closed` is the end of the client: its reason is what later calls reject with. */
  constructor(options: ResolvedClientOptions, closed: AbortSignal) {
    this.#options = options;
    this.#closed = closed;
  }

  /** Names the address of a node; a connection to an older address of it is closed. */
  setAddress(nodeId: number, { host, port }: HostAndPort): void {
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) {
      this.#peers.set(nodeId, {
        address: { host, port },
        lanes: new Map(),
        failures: 0,
        retryAtMs: 0,
        lastError: null,
        features: null,
      });
      return;
    }
    if (peer.address.host === host && peer.address.port === port) return;
    peer.address = { host, port };
    peer.failures = 0;
    this.#closePeer(peer, gone(peer, `Node ${nodeId} has moved to ${host}:${port}`));
    peer.retryAtMs = 0;
  }

  /**
   * Forgets the nodes that are not among these. One that is shutting down may still answer what it was asked: its connections stay
   * until they have nothing to do, or are lost.
   */
  retain(nodeIds: ReadonlySet<number>): void {
    for (const [nodeId, peer] of this.#peers) {
      if (nodeIds.has(nodeId)) continue;
      this.closeIdle(nodeId);
      if (peer.lanes.size === 0) this.#peers.delete(nodeId);
    }
  }

  /** The node behind an address is known now: its open connections serve it from here on. */
  adopt(addressId: number, nodeId: number): void {
    const from = this.#peers.get(addressId);
    const to = this.#peers.get(nodeId);
    if (from === undefined || to === undefined) return;
    if (from.address.host !== to.address.host || from.address.port !== to.address.port) return;
    for (const [lane, connection] of from.lanes) {
      if (to.lanes.has(lane) || !connection.isReady) continue;
      from.lanes.delete(lane);
      to.lanes.set(lane, connection);
      to.features = connection.features;
      connection.nodeId = nodeId;
    }
  }

  /** Closes what is open to a node or address and has nothing to do. */
  closeIdle(nodeId: number): void {
    for (const connection of this.#peers.get(nodeId)?.lanes.values() ?? [])
      if (connection.pendingCount === 0)
        connection.close(new ClosedError('The connection is not needed any more'));
  }

  /** Closes the connections of a lane that is not used any more. */
  closeLane(lane: string): void {
    for (const peer of this.#peers.values())
      peer.lanes.get(lane)?.close(new ClosedError(`Lane "${lane}" was closed`));
  }

  /** What the node said about itself when it was last connected to. */
  features(nodeId: number): BrokerFeatures | null {
    return this.#peers.get(nodeId)?.features ?? null;
  }

  /** Requests that wait at a node on the main lane, and whether it is connected; for choosing the least loaded one. */
  load(nodeId: number): {
    readonly isReady: boolean;
    readonly pendingCount: number;
    readonly retryAtMs: number;
  } {
    const peer = this.#peers.get(nodeId);
    const main = peer?.lanes.get(MAIN_LANE);
    return {
      isReady: main?.isReady ?? false,
      pendingCount: main?.pendingCount ?? 0,
      retryAtMs: peer?.retryAtMs ?? 0,
    };
  }

  /** Why the node could not be connected to last time. */
  lastError(nodeId: number): KafkaError | null {
    return this.#peers.get(nodeId)?.lastError ?? null;
  }

  /** The open or opening connection; undefined when there is none, or it may not be tried yet. */
  existing(nodeId: number, lane: string): Connection | undefined {
    return this.#peers.get(nodeId)?.lanes.get(lane);
  }

  /**
   * The connection to a node, opened when there is none; waits while the node is in its reconnect backoff.
   * Rejects with ConnectionError for an unknown node, TimeoutError when the backoff outlasts the time, ClosedError.
   */
  async acquire(
    nodeId: number,
    lane: string,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Connection> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + limits.timeoutMs;
    for (;;) {
      limits.signal?.throwIfAborted();
      this.#closed.throwIfAborted();
      const peer = this.#peers.get(nodeId);
      if (peer === undefined)
        throw new ConnectionError(`Node ${nodeId} is not known`, { host: '', port: 0, retriable: true });
      const connection = peer.lanes.get(lane);
      if (connection !== undefined) return connection;
      const nowMs = clock.monotonicMs();
      if (peer.retryAtMs <= nowMs) return this.#open(nodeId, peer, lane);
      if (peer.retryAtMs >= deadlineMs)
        throw (
          peer.lastError ?? new TimeoutError(`Node ${nodeId} was not connected in time`, limits.timeoutMs)
        );
      await sleep(clock, peer.retryAtMs - nowMs, [this.#closed, limits.signal]);
    }
  }

  /** Closes every connection; calls that wait reject with ClosedError. */
  close(): void {
    for (const peer of this.#peers.values()) this.#closePeer(peer, new ClosedError('The client was closed'));
    this.#peers.clear();
  }

  /** Connections that are open or being opened, for tests and metrics. */
  get openCount(): number {
    let count = 0;
    for (const peer of this.#peers.values()) count += peer.lanes.size;
    return count;
  }

  #open(nodeId: number, peer: Peer, lane: string): Connection {
    const options = this.#options;
    const { host, port } = peer.address;
    const setup = { initialMs: options.connectionSetupTimeoutMs, maxMs: options.connectionSetupTimeoutMaxMs };
    const connection = new Connection({
      nodeId,
      host,
      port,
      clientId: options.clientId,
      tls: options.tls,
      sasl: options.sasl,
      setupTimeoutMs: Math.round(backoffMs(setup, peer.failures, options.random)),
      requestTimeoutMs: options.requestTimeoutMs,
      maxIdleMs: options.connectionsMaxIdleMs,
      maxInFlightRequests: options.maxInFlightRequests,
      maxResponseBytes: options.maxResponseBytes,
      clock: options.clock,
      random: options.random,
      logger: options.logger,
      metrics: options.metrics,
      tracer: options.tracer,
      onReady: () => {
        peer.failures = 0;
        peer.retryAtMs = 0;
        peer.lastError = null;
        peer.features = connection.features;
      },
      onClosed: (error, wasReady) => this.#onClosed({ lane, connection, error, wasReady }),
    });
    peer.lanes.set(lane, connection);
    return connection;
  }

  #onClosed(event: {
    readonly lane: string;
    readonly connection: Connection;
    readonly error: KafkaError;
    readonly wasReady: boolean;
  }): void {
    const { lane, connection, error } = event;
    const { nodeId } = connection;
    const peer = this.#peers.get(nodeId);
    if (peer === undefined) return;
    if (peer.lanes.get(lane) === connection) peer.lanes.delete(lane);
    if (error.name === 'CLIENT_CLOSED') return;
    const { clock, random, reconnectBackoffMs, reconnectBackoffMaxMs, logger } = this.#options;
    const backoff = { initialMs: reconnectBackoffMs, maxMs: reconnectBackoffMaxMs };
    peer.retryAtMs = clock.monotonicMs() + backoffMs(backoff, peer.failures, random);
    if (!event.wasReady) peer.failures += 1;
    peer.lastError = error;
    const fields = { nodeId, host: connection.host, port: connection.port, lane };
    if (event.wasReady) logger.debug(fields, error.message);
    else logger.warn(fields, error.message);
  }

  #closePeer(peer: Peer, reason: KafkaError): void {
    // Closing takes the connection out of the map, which iterating a map allows.
    for (const connection of peer.lanes.values()) connection.close(reason);
  }
}

function gone(peer: Peer, reason: string): ConnectionError {
  return new ConnectionError(reason, { ...peer.address, retriable: true });
}
