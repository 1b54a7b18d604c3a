import { CloseConnectionError, type ConnectionContext } from '../handlers/handler.ts';
import { dispatchAfter } from './dispatch-after.ts';
import type { Dispatch, DispatchResult, RequestDispatcher } from './request-dispatcher.ts';

/** What an interceptor sees of a request: the part of the header that every version has, and the connection. */
export interface InterceptedRequest {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly connectionId: string;
}

/** What happens to a request instead of, or before, its being served. */
export interface Interception {
  /** Waited for first; later requests of the connection wait too. */
  readonly until?: Promise<void>;
  /** Answered with this error code, not served. */
  readonly errorCode?: number;
  /** The connection is closed without an answer: `before` the request is served, or `after`, when its effect stands. */
  readonly close?: 'before' | 'after';
}

/** Asked about each request before it is served; null lets it through. */
export type RequestInterceptor = (request: InterceptedRequest) => Interception | null;

/** Puts an interceptor in front of a dispatcher. Without one there is nothing in front of it. */
export function intercepted(dispatcher: RequestDispatcher, interceptor: RequestInterceptor): Dispatch {
  return (frame, connection) => {
    const interception =
      frame.length < 4
        ? null
        : interceptor({
            apiKey: frame.readInt16BE(0),
            apiVersion: frame.readInt16BE(2),
            connectionId: connection.id,
          });
    if (interception === null) return dispatcher.dispatch(frame, connection);
    const serve: Dispatch = (bytes, of) =>
      carryOut(dispatcher, interception, { frame: bytes, connection: of });
    if (interception.until === undefined) return serve(frame, connection);
    return dispatchAfter(interception.until, serve)(frame, connection);
  };
}

function carryOut(
  dispatcher: RequestDispatcher,
  { errorCode, close }: Interception,
  { frame, connection }: { readonly frame: Buffer; readonly connection: ConnectionContext },
): DispatchResult {
  if (close === 'before')
    throw new CloseConnectionError('An interceptor closes the connection before a request');
  if (errorCode !== undefined) return dispatcher.refuse(frame, connection, errorCode);
  const result = dispatcher.dispatch(frame, connection);
  if (close === undefined) return result;
  const pending = Promise.resolve(result.pending ?? result.chunks).then(() => {
    result.context?.onSent?.();
    throw new CloseConnectionError('An interceptor closes the connection instead of answering');
  });
  return { chunks: null, pending, isPipelined: false, context: null };
}
