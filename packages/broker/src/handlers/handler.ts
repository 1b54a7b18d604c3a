import type { MessageInput, MessageSchema } from '@ottla/protocol';

/** What a handler may know about where a request came from. */
export interface RequestContext {
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
  readonly connection: ConnectionContext;
  /** Size of the request without its header, in bytes: what quotas count. */
  readonly requestBytes: number;
  /** Set by a handler whose answer refers to memory that is used again: called once when the answer has left, or never will. */
  onSent: (() => void) | null;
  /** Set by a pipelined handler when the next request of the connection has to wait for this one after all. */
  isExclusive?: boolean;
}

/** One client connection; the same object for all its requests, so per-connection facts (software name) live here. */
export interface ConnectionContext {
  readonly id: string;
  /** Remote address in Kafka's form for group members: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly listenerName: string;
  /** `User:ANONYMOUS` on a plaintext listener. */
  readonly principal: string;
  softwareName: string;
  softwareVersion: string;
  /** Aborted when the connection closes: long polls stop waiting. */
  readonly closed: AbortSignal;
  /**
   * The wait of the request in progress, cancelled when the client goes away: the cheap form of `closed` for hot paths.
   * One slot is enough, because a connection runs one waiting request at a time.
   */
  pendingWait: CancellableWait | null;
  /** Serves no further request of the connection for so long: its client is above a quota. Answers still leave. */
  mute(durationMs: number): void;
}

/** Something that a request waits for and that ends early when its connection closes. */
export interface CancellableWait {
  cancel(): void;
}

/** Returned by a handler whose request gets no answer (Produce with acks=0). */
export const NO_RESPONSE: unique symbol = Symbol('no response');

/** Thrown or returned by a handler that must close the connection, as Kafka does for what it cannot parse. */
export class CloseConnectionError extends Error {
  override readonly name = 'CloseConnectionError';
}

/**
 * One API of the broker: which versions it announces and how a request becomes a response. A handler keeps no state of
 * its own; it calls the parts below it (replica, controller, coordinator, metadata), handed to its factory.
 */
export interface ApiHandler<Request, Response> {
  readonly apiKey: number;
  /** Versions announced by ApiVersions, both included. */
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly request: MessageSchema<Request>;
  readonly response: MessageSchema<Response>;
  /**
   * Everything the request changes is changed when `handle` returns, only its answer may be pending (Produce). The next
   * request of the connection then starts at once; answers keep the order of requests all the same.
   */
  readonly pipelined?: boolean;
  /**
   * The handler uses byte fields of the request only until `handle` returns, so that it may get them in place. Others
   * get a copy of the frame, which they can keep.
   */
  readonly borrowsFrame?: boolean;
  /** A request of brokers among themselves: its time is not held against its client. */
  readonly isExemptFromRequestQuota?: boolean;
  /** May answer at once; a promise is only for what has to wait (disk, long poll, quorum). */
  handle(
    request: Request,
    context: RequestContext,
  ): HandlerResult<Response> | Promise<HandlerResult<Response>>;
  /** The whole response for an unexpected failure, with `errorCode` in every place where Kafka's `getErrorResponse` puts it. */
  errorResponse(request: Request, errorCode: number, context: RequestContext): HandlerResult<Response>;
}

/** Absent fields of a response take the defaults of its declaration; `records` may be a list of buffers. */
export type HandlerResult<Response> = MessageInput<Response> | typeof NO_RESPONSE;

/** Any handler, for tables of them. */
// oxlint-disable-next-line no-explicit-any -- a table of handlers is heterogeneous by nature
export type AnyApiHandler = ApiHandler<any, any>;
