import type { Clock, Logger, Random, TimerHandle } from '@ottla/platform';
import { decodeResponse, encodeRequest, ErrorCodes, ProtocolError, type MessageInput } from '@ottla/protocol';
import { BrokenProtocolError, ClosedError, TimeoutError } from '../errors/client-errors.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { ClientMetrics, RequestTracer } from './request-hooks.ts';
import type { Api, RequestBody } from './api.ts';
import { apis } from './apis.ts';
import { Call, CallQueue, type CallOptions } from './call.ts';
import { lostConnection, openFailure } from './connection-hints.ts';
import { FrameReader } from './frame-reader.ts';
import { authenticate, chooseVersion, negotiateVersions, type BrokerFeatures } from './handshake.ts';
import type { SaslMechanism } from './sasl/sasl-mechanism.ts';
import type { TlsOptions } from './tls-options.ts';
import { openTransport, type Transport } from './transport.ts';

export interface ConnectionOptions {
  /** For messages and metrics; negative for an address that is not known to be a certain broker. */
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly clientId: string;
  readonly tls: TlsOptions | null;
  readonly sasl: SaslMechanism | null;
  /** For everything until the first request can be sent: TCP, TLS, versions, authentication. */
  readonly setupTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** -1: never closed for idleness. */
  readonly maxIdleMs: number;
  readonly maxInFlightRequests: number;
  readonly maxResponseBytes: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly metrics: ClientMetrics;
  readonly tracer: RequestTracer | null;
  /** The connection can serve requests. */
  readonly onReady: () => void;
  /** It is gone; `wasReady` tells a lost connection from one that could not be opened. Comes once. */
  readonly onClosed: (error: KafkaError, wasReady: boolean) => void;
}

/** Requests wait in the client while the socket has this much unsent. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

/**
 * One connection to a broker. Requests are pipelined: written in the order of `send`, answered in that order.
 *
 * ```
 * send -> queue -> [window: maxInFlightRequests, unsent bytes, throttling, authentication] -> in flight -> answered
 * ```
 *
 * Opening begins with the constructor. When the connection is lost, every call that waits rejects with a ConnectionError.
 */
export class Connection {
  /** Changes once, when the node behind an address becomes known. */
  nodeId: number;
  readonly host: string;
  readonly port: number;
  /** Monotonic time of the last request. */
  lastUsedMs: number;

  readonly #options: ConnectionOptions;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #reader: FrameReader;
  readonly #queue = new CallQueue();
  readonly #inFlight = new CallQueue();
  #state: 'opening' | 'negotiating' | 'ready' | 'closed' = 'opening';
  #features: BrokerFeatures | null = null;
  #nextCorrelationId = 0;
  #error: KafkaError | null = null;
  #timer: TimerHandle | null = null;
  #timerDueMs = Infinity;
  readonly #setupDeadlineMs: number;
  /** Sending pauses until then, because the broker asked for it (KIP-219). */
  #throttledUntilMs = 0;
  /** When to authenticate again; Infinity when the session does not end. */
  #reauthenticateAtMs = Infinity;
  #isAuthenticating = false;

  constructor(options: ConnectionOptions) {
    this.nodeId = options.nodeId;
    this.host = options.host;
    this.port = options.port;
    this.#options = options;
    this.#clock = options.clock;
    this.lastUsedMs = this.#clock.monotonicMs();
    this.#reader = new FrameReader(
      { checkHead: (id) => this.#checkHead(id), takeFrame: (frame) => this.#takeFrame(frame) },
      options.maxResponseBytes,
    );
    this.#setupDeadlineMs = this.lastUsedMs + options.setupTimeoutMs;
    this.#transport = openTransport(options, {
      nextBuffer: () => this.#reader.nextBuffer(),
      received: (buffer, count) => this.#receive(buffer, count),
      opened: () => void this.#negotiate(),
      drained: () => this.#pump(),
      closed: (error) => this.#onTransportClosed(error),
    });
    this.#armTimer(this.#setupDeadlineMs);
  }

  get isReady(): boolean {
    return this.#state === 'ready';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** Requests that wait for an answer or for being sent. */
  get pendingCount(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  /** What the broker said about itself; null until the connection is ready. */
  get features(): BrokerFeatures | null {
    return this.#features;
  }

  /**
   * Sends a request when its turn comes and resolves with the answer, whatever error codes stand in it.
   * Rejects with ConnectionError, TimeoutError, UnsupportedApiVersionError, BrokenProtocolError, ClosedError or the signal's reason.
   */
  send<Req, Res>(api: Api<Req, Res>, body: RequestBody<Req>, options: CallOptions): Promise<Res> {
    return new Promise<Res>((resolve, reject) => {
      if (options.signal?.aborted === true) return reject(options.signal.reason as Error);
      if (this.#error !== null) return reject(this.#error);
      const nowMs = this.#clock.monotonicMs();
      this.lastUsedMs = nowMs;
      const request = { api, body, options } as unknown as ConstructorParameters<typeof Call>[0];
      const call = new Call(request, nowMs, resolve as (value: unknown) => void, reject);
      const { host, port, nodeId } = this;
      call.span = this.#options.tracer?.startRequest?.({ api: api.name, nodeId, host, port }) ?? null;
      this.#queue.push(call);
      this.#armTimer(call.deadlineMs);
      this.#pump();
    });
  }

  /** Closes at once: what waits rejects with `reason`. */
  close(reason: KafkaError = new ClosedError('The connection was closed by the client')): void {
    if (this.#state === 'closed') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    this.#error = reason;
    this.#timer?.cancel();
    this.#timer = null;
    this.#reader.reset();
    this.#transport.destroy();
    for (const call of [...this.#inFlight.clear(), ...this.#queue.clear()]) this.#fail(call, reason);
    const { host, port, metrics } = this.#options;
    metrics.onConnection?.({
      nodeId: this.nodeId,
      host,
      port,
      state: wasReady ? 'closed' : 'failed',
      error: reason,
    });
    this.#options.onClosed(reason, wasReady);
  }

  async #negotiate(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'negotiating';
    try {
      this.#features = await negotiateVersions((api, version, body) => this.#exchange(api, version, body));
      await this.#authenticate(this.#features);
      if (this.isClosed) return;
      this.#state = 'ready';
      const { host, port, metrics } = this.#options;
      metrics.onConnection?.({ nodeId: this.nodeId, host, port, state: 'open' });
      this.#options.onReady();
      this.#pump();
      this.#armNext(this.#clock.monotonicMs());
    } catch (error) {
      this.close(
        error instanceof KafkaError ? error : new BrokenProtocolError(String(error), { cause: error }),
      );
    }
  }

  async #authenticate(features: BrokerFeatures): Promise<void> {
    const { sasl, host, port } = this.#options;
    if (sasl === null) return;
    const lifetimeMs = await authenticate((api, version, body) => this.#exchange(api, version, body), sasl, {
      host,
      port,
      features,
    });
    // Between 85 % and 95 % of the session's life, as Kafka's client does, so that many clients do not come at once.
    const share = 0.85 + this.#options.random.nextInt(1000) / 10_000;
    this.#reauthenticateAtMs = lifetimeMs > 0 ? this.#clock.monotonicMs() + lifetimeMs * share : Infinity;
  }

  async #reauthenticate(features: BrokerFeatures): Promise<void> {
    this.#isAuthenticating = true;
    try {
      await this.#authenticate(features);
      this.#isAuthenticating = false;
      this.#pump();
    } catch (error) {
      this.close(
        error instanceof KafkaError ? error : new BrokenProtocolError(String(error), { cause: error }),
      );
    }
  }

  /** A request of the handshake: goes out at once, whatever waits. */
  #exchange<Req, Res>(api: Api<Req, Res>, version: number, body: MessageInput<Req>): Promise<Res> {
    return new Promise<Res>((resolve, reject) => {
      if (this.#error !== null) return reject(this.#error);
      const options: CallOptions = { timeoutMs: this.#options.requestTimeoutMs };
      const request = { api, body, options } as unknown as ConstructorParameters<typeof Call>[0];
      const nowMs = this.#clock.monotonicMs();
      const call = new Call(request, nowMs, resolve as (value: unknown) => void, reject);
      this.#armTimer(call.deadlineMs);
      this.#write(call, version, nowMs);
    });
  }

  /** Sends what may be sent. */
  #pump(): void {
    if (this.#state !== 'ready' || this.#isAuthenticating || this.#queue.length === 0) return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs >= this.#reauthenticateAtMs && this.#features !== null) {
      void this.#reauthenticate(this.#features);
      return;
    }
    if (nowMs < this.#throttledUntilMs) {
      this.#armTimer(this.#throttledUntilMs);
      return;
    }
    const { maxInFlightRequests } = this.#options;
    while (
      this.#queue.length > 0 &&
      this.#inFlight.length < maxInFlightRequests &&
      this.#transport.unsentBytes < MAX_UNSENT_BYTES
    ) {
      const call = this.#queue.shift()!;
      if (!call.isSettled) this.#writeChosen(call, nowMs);
    }
  }

  #writeChosen(call: Call, nowMs: number): void {
    let version: number;
    try {
      version = chooseVersion(call.api, this.#features?.versions.get(call.api.key), call.options);
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    this.#write(call, version, nowMs);
  }

  #write(call: Call, version: number, nowMs: number): void {
    call.version = version;
    call.correlationId = this.#nextCorrelationId;
    let chunks: Buffer[];
    try {
      const body = typeof call.body === 'function' ? call.body(version) : call.body;
      const header = { correlationId: call.correlationId, clientId: this.#options.clientId };
      chunks = encodeRequest(call.api.request, version, header, body as MessageInput<unknown>);
    } catch (error) {
      this.#fail(call, error instanceof ProtocolError ? encodeFailure(call, error) : error);
      return;
    }
    this.#nextCorrelationId = (this.#nextCorrelationId + 1) & 0x7fff_ffff;
    for (const chunk of chunks) call.requestBytes += chunk.length;
    call.sentMs = nowMs;
    this.#transport.write(chunks);
    if (call.options.expectsResponse === false) {
      this.#report(call, 0, 'ok');
      call.resolve(undefined);
      return;
    }
    this.#inFlight.push(call);
    this.#armTimer(nowMs + this.#killAfterMs(call));
  }

  /** A caller's own shorter patience does not close a connection that others use too. */
  #killAfterMs(call: Call): number {
    return Math.max(call.options.timeoutMs, this.#options.requestTimeoutMs);
  }

  #receive(buffer: Buffer, count: number): void {
    if (this.#state === 'closed') return;
    try {
      this.#reader.receive(buffer, count);
    } catch (error) {
      this.#onBroken(error);
    }
  }

  /** What was in flight fails with the connection. Where it had worked before, the next one may work again. */
  #onBroken(cause: unknown): void {
    const { host, port } = this.#options;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `${host}:${port} breaks Kafka's protocol: ${reason}`;
    const isReady = this.#state === 'ready';
    const first = this.#inFlight.first();
    // An answer that is too large would be so again.
    if (isReady && first !== undefined && cause instanceof BrokenProtocolError && !cause.retriable)
      this.#fail(first, new BrokenProtocolError(message, { cause }));
    this.close(new BrokenProtocolError(message, { cause, retriable: isReady }));
  }

  #checkHead(correlationId: number): void {
    const call = this.#inFlight.first();
    if (call === undefined)
      throw new BrokenProtocolError('A response came that nobody asked for', { retriable: true });
    if (call.correlationId !== correlationId)
      throw new BrokenProtocolError(
        `A response has correlation id ${correlationId}, the next one to come is ${call.correlationId} (${call.api.name})`,
        { retriable: true },
      );
  }

  #takeFrame(frame: Buffer): void {
    const call = this.#inFlight.shift();
    if (call === undefined || this.#state === 'closed') return;
    this.lastUsedMs = this.#clock.monotonicMs();
    if (call.isSettled) {
      this.#pump();
      return;
    }
    let value: unknown;
    try {
      value = decodeResponse(call.api.response, responseVersion(call, frame), frame).value;
    } catch (error) {
      this.#fail(
        call,
        new BrokenProtocolError(`The answer to ${call.api.name} cannot be read`, { cause: error }),
      );
      throw error;
    }
    this.#heedThrottling(call, value);
    this.#report(call, frame.length, 'ok');
    call.resolve(value);
    this.#pump();
  }

  #heedThrottling(call: Call, value: unknown): void {
    const throttleTimeMs = (value as { throttleTimeMs?: number }).throttleTimeMs;
    if (throttleTimeMs === undefined || throttleTimeMs <= 0) return;
    this.#throttledUntilMs = this.#clock.monotonicMs() + throttleTimeMs;
    this.#options.metrics.onThrottle?.({ nodeId: this.nodeId, api: call.api.name, throttleTimeMs });
  }

  #fail(call: Call, error: unknown): void {
    if (call.isSettled) return;
    this.#report(call, 0, error instanceof Error ? error.name : 'unknown');
    call.reject(error);
  }

  #report(call: Call, responseBytes: number, outcome: string): void {
    call.span?.end(outcome);
    const { metrics } = this.#options;
    if (metrics.onRequest === undefined) return;
    metrics.onRequest({
      api: call.api.name,
      apiVersion: call.version,
      nodeId: this.nodeId,
      durationMs: this.#clock.monotonicMs() - call.startedMs,
      requestBytes: call.requestBytes,
      responseBytes,
      outcome,
    });
  }

  #onTransportClosed(cause: Error | null): void {
    if (this.#state === 'closed') return;
    const place = { host: this.host, port: this.port, isTls: this.#options.tls !== null };
    this.close(this.#state === 'ready' ? lostConnection(place, cause) : openFailure(place, cause));
  }

  /** One timer for everything on this connection: set for the earliest time, and for the next one when it fires. */
  #armTimer(dueMs: number): void {
    if (this.#state === 'closed' || dueMs >= this.#timerDueMs) return;
    this.#timer?.cancel();
    this.#timerDueMs = dueMs;
    this.#timer = this.#clock.setTimer(Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs())), () =>
      this.#onTimer(),
    );
  }

  #onTimer(): void {
    this.#timer = null;
    this.#timerDueMs = Infinity;
    const nowMs = this.#clock.monotonicMs();
    if (this.#state !== 'ready' && nowMs >= this.#setupDeadlineMs) {
      const { host, port, setupTimeoutMs, requestTimeoutMs } = this.#options;
      const stage = this.#state === 'opening' ? 'did not accept the connection' : 'did not answer';
      this.close(
        new TimeoutError(
          `${host}:${port} ${stage} within ${setupTimeoutMs} ms; is it a Kafka broker?`,
          requestTimeoutMs,
        ),
      );
      return;
    }
    const stuck = this.#inFlight.values().find((call) => nowMs >= call.sentMs + this.#killAfterMs(call));
    if (stuck !== undefined) {
      this.close(this.#timeoutError(stuck, this.#killAfterMs(stuck)));
      return;
    }
    this.#rejectExpired(nowMs);
    if (this.#isIdleTooLong(nowMs)) {
      // Nothing waits, and nothing is wrong with the broker: the next request may connect at once.
      this.close(
        new ClosedError(`Nothing was sent for ${this.#options.maxIdleMs} ms (connectionsMaxIdleMs)`),
      );
      return;
    }
    this.#pump();
    this.#armNext(nowMs);
  }

  #rejectExpired(nowMs: number): void {
    for (const queue of [this.#inFlight, this.#queue]) {
      for (const call of queue.values()) {
        if (nowMs >= call.deadlineMs) this.#fail(call, this.#timeoutError(call, call.options.timeoutMs));
      }
    }
    this.#queue.dropSettled();
  }

  #timeoutError(call: Call, timeoutMs: number): TimeoutError {
    const sent = call.sentMs < 0 ? 'was not sent' : 'was not answered';
    return new TimeoutError(
      `${call.api.name} ${sent} by ${this.host}:${this.port} within ${timeoutMs} ms`,
      timeoutMs,
    );
  }

  #isIdleTooLong(nowMs: number): boolean {
    const { maxIdleMs } = this.#options;
    return (
      maxIdleMs >= 0 &&
      this.#state === 'ready' &&
      this.pendingCount === 0 &&
      nowMs - this.lastUsedMs >= maxIdleMs
    );
  }

  #armNext(nowMs: number): void {
    if (this.#state !== 'ready') this.#armTimer(this.#setupDeadlineMs);
    if (this.#queue.length > 0 && this.#throttledUntilMs > nowMs) this.#armTimer(this.#throttledUntilMs);
    for (const call of this.#queue.values()) this.#armTimer(call.deadlineMs);
    for (const call of this.#inFlight.values()) {
      this.#armTimer(call.isSettled ? Infinity : call.deadlineMs);
      this.#armTimer(call.sentMs + this.#killAfterMs(call));
    }
    const { maxIdleMs } = this.#options;
    if (maxIdleMs >= 0) this.#armTimer(this.lastUsedMs + maxIdleMs);
  }
}

/** A broker that does not know the version of an ApiVersions request answers in version 0 (KIP-511). */
function responseVersion(call: Call, frame: Buffer): number {
  const isOld =
    call.api.key === apis.apiVersions.key &&
    frame.length >= 6 &&
    frame.readInt16BE(4) === ErrorCodes.UNSUPPORTED_VERSION;
  return isOld ? 0 : call.version;
}

function encodeFailure(call: Call, error: ProtocolError): KafkaError {
  const name = error.name === 'UnsupportedVersionError' ? 'UNSUPPORTED_VERSION' : 'INVALID_REQUEST';
  return new KafkaError(
    name,
    `${call.api.name} cannot be sent in version ${call.version}: ${error.message}`,
    {
      cause: error,
    },
  );
}
