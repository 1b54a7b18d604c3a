import type { Logger } from '@ottla/platform';
import { decodeMessagePrefix, decodeRequestHeader, encodeResponse, ErrorCodes } from '@ottla/protocol';
import { LogError } from '@ottla/storage';
import {
  type AnyApiHandler,
  CloseConnectionError,
  type ConnectionContext,
  type HandlerResult,
  NO_RESPONSE,
  type RequestContext,
} from '../handlers/handler.ts';
import { throttle } from '../handlers/throttle.ts';
import { NOT_MEASURED, type RequestTimeQuota } from '../quota/request-time-quota.ts';
import type { ResponsePart } from './response-writer.ts';

/** What became of one request frame. */
export interface DispatchResult {
  /** The framed answer, when it is there at once; null when none is sent. */
  readonly chunks: readonly ResponsePart[] | null;
  /** The answer to come; null when `chunks` is final. */
  readonly pending: Promise<readonly ResponsePart[] | null> | null;
  /** The next request of the connection need not wait for the pending answer. */
  readonly isPipelined: boolean;
  /** Has `onSent`, which is to be called when the answer has left; null when there is nothing to call. */
  readonly context: Pick<RequestContext, 'onSent'> | null;
}

/** Runs one request; throws when the connection has to be closed. The frame's memory is used again after the call. */
export type Dispatch = (frame: Buffer, connection: ConnectionContext) => DispatchResult;

export interface DispatcherDependencies {
  readonly logger: Logger;
  readonly requestTime: RequestTimeQuota;
}

const API_VERSIONS_KEY = 18;
/** API key, API version, correlation id: the part of the header that every version has. */
const FIXED_HEADER_BYTES = 8;
type RequestHeader = ReturnType<typeof decodeRequestHeader>;

const NO_ANSWER: DispatchResult = { chunks: null, pending: null, isPipelined: false, context: null };

/**
 * Turns frames into handler calls and results into framed answers. What Kafka cannot parse closes the connection
 * (unknown key, version outside what is announced, malformed body); the one exception is ApiVersions, which is answered
 * in version 0 with UNSUPPORTED_VERSION so that newer clients can find a common version (KIP-511).
 */
export class RequestDispatcher {
  readonly #handlers: (AnyApiHandler | undefined)[] = [];
  readonly #logger: Logger;
  readonly #requestTime: RequestTimeQuota;

  constructor(handlers: Iterable<AnyApiHandler>, deps: DispatcherDependencies) {
    this.#logger = deps.logger;
    this.#requestTime = deps.requestTime;
    for (const handler of handlers) {
      if (this.#handlers[handler.apiKey] !== undefined)
        throw new Error(`Two handlers for API key ${handler.apiKey}`);
      this.#handlers[handler.apiKey] = handler;
    }
  }

  /** @throws CloseConnectionError, ProtocolError */
  dispatch(frame: Buffer, connection: ConnectionContext): DispatchResult {
    if (frame.length < FIXED_HEADER_BYTES)
      throw new CloseConnectionError(`A frame of ${frame.length} bytes holds no request header`);
    const apiKey = frame.readInt16BE(0);
    const apiVersion = frame.readInt16BE(2);
    const handler = apiKey < 0 ? undefined : this.#handlers[apiKey];
    if (handler === undefined)
      throw new CloseConnectionError(`Received a request with API key ${apiKey}, which is not served here`);
    if (apiVersion < handler.minVersion || apiVersion > handler.maxVersion) {
      if (apiKey === API_VERSIONS_KEY) return this.#unsupportedApiVersions(handler, frame, connection);
      throw new CloseConnectionError(
        `Received a request with API key ${apiKey} in version ${apiVersion}, which is not served here`,
      );
    }
    const startMs = this.#requestTime.startMs();
    const header = decodeRequestHeader(frame);
    const context = contextOf(frame, header, connection);
    const request = decodeBody(handler, frame, header);
    let result: HandlerResult<unknown> | Promise<HandlerResult<unknown>>;
    try {
      result = handler.handle(request, context);
    } catch (error) {
      return answered(this.#failure(handler, request, context, error), context);
    }
    const spentMs = this.#requestTime.spentMs(startMs);
    if (!(result instanceof Promise)) {
      const response = this.#charge(handler, context, result, spentMs);
      return response === NO_RESPONSE
        ? NO_ANSWER
        : answered(this.#answer(handler, request, context, response), context);
    }
    const pending = result.then(
      (response) =>
        this.#answer(handler, request, context, this.#charge(handler, context, response, spentMs)),
      (error: unknown) => this.#failure(handler, request, context, error),
    );
    return {
      chunks: null,
      pending,
      isPipelined: handler.pipelined === true && context.isExclusive !== true,
      context,
    };
  }

  /**
   * Answers a request with an error instead of serving it: the code stands wherever Kafka's `getErrorResponse` would put it.
   * For interceptors. @throws CloseConnectionError, ProtocolError
   */
  refuse(frame: Buffer, connection: ConnectionContext, errorCode: number): DispatchResult {
    const handler = this.#handlers[frame.readInt16BE(0)];
    const apiVersion = frame.readInt16BE(2);
    if (handler === undefined || apiVersion < handler.minVersion || apiVersion > handler.maxVersion)
      return this.dispatch(frame, connection);
    const header = decodeRequestHeader(frame);
    const context = contextOf(frame, header, connection);
    const response = handler.errorResponse(decodeBody(handler, frame, header), errorCode, context);
    return answered(this.#encode(handler, context, response), context);
  }

  /** Holds the time that a request took against its client; what it did while it waited is not counted. */
  #charge(
    handler: AnyApiHandler,
    context: RequestContext,
    response: HandlerResult<unknown>,
    spentMs: number,
  ): HandlerResult<unknown> {
    if (spentMs === NOT_MEASURED || handler.isExemptFromRequestQuota === true) return response;
    const throttleTimeMs = throttle(this.#requestTime, context, spentMs);
    if (throttleTimeMs === 0 || response === NO_RESPONSE) return response;
    const { throttleTimeMs: ownMs = 0 } = response as { readonly throttleTimeMs?: number };
    return { ...(response as object), throttleTimeMs: Math.max(ownMs, throttleTimeMs) };
  }

  /** What cannot be encoded (an error's text with a name in it that fills a string by itself) is a failure of the request. */
  #answer(
    handler: AnyApiHandler,
    request: unknown,
    context: RequestContext,
    response: HandlerResult<unknown>,
  ): readonly ResponsePart[] | null {
    try {
      return this.#encode(handler, context, response);
    } catch (error) {
      return this.#failure(handler, request, context, error);
    }
  }

  #encode(
    handler: AnyApiHandler,
    context: RequestContext,
    response: HandlerResult<unknown>,
  ): readonly ResponsePart[] | null {
    if (response === NO_RESPONSE) return null;
    return encodeResponse(handler.response, context.apiVersion, context.correlationId, response as object);
  }

  /** A handler failed: Kafka answers UNKNOWN_SERVER_ERROR in every place, unless the connection itself has to go. */
  #failure(
    handler: AnyApiHandler,
    request: unknown,
    context: RequestContext,
    error: unknown,
  ): readonly ResponsePart[] | null {
    if (error instanceof CloseConnectionError) throw error;
    this.#logger.error(
      {
        api: handler.request.name,
        version: context.apiVersion,
        connection: context.connection.id,
        err: error,
      },
      'A request failed unexpectedly',
    );
    return this.#encode(
      handler,
      context,
      handler.errorResponse(
        request,
        error instanceof LogError ? error.errorCode : ErrorCodes.UNKNOWN_SERVER_ERROR,
        context,
      ),
    );
  }

  #unsupportedApiVersions(
    handler: AnyApiHandler,
    frame: Buffer,
    connection: ConnectionContext,
  ): DispatchResult {
    const context: RequestContext = {
      apiVersion: 0,
      correlationId: frame.readInt32BE(4),
      clientId: null,
      connection,
      requestBytes: 0,
      onSent: null,
    };
    const response = handler.errorResponse(null, ErrorCodes.UNSUPPORTED_VERSION, context);
    return answered(this.#encode(handler, context, response), context);
  }
}

function contextOf(
  frame: Buffer,
  { correlationId, clientId, bodyStart }: RequestHeader,
  connection: ConnectionContext,
): RequestContext {
  const apiVersion = frame.readInt16BE(2);
  const requestBytes = frame.length - bodyStart;
  return { apiVersion, correlationId, clientId, connection, requestBytes, onSent: null };
}

/** What follows the body is passed over, as in Kafka: librdkafka 2.15 sends such requests (Metadata 13 for all topics). */
function decodeBody(handler: AnyApiHandler, frame: Buffer, { bodyStart }: RequestHeader): unknown {
  const bytes = handler.borrowsFrame === true ? frame : Buffer.from(frame);
  return decodeMessagePrefix(handler.request, frame.readInt16BE(2), bytes, bodyStart).value;
}

function answered(chunks: DispatchResult['chunks'], context: RequestContext): DispatchResult {
  return { chunks, pending: null, isPipelined: false, context };
}
