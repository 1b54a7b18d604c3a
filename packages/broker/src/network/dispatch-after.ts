import type { Dispatch, DispatchResult } from './request-dispatcher.ts';

/**
 * Serves requests only when a promise has resolved; what comes behind them on their connection waits too. A promise that
 * rejects closes the connection.
 */
export function dispatchAfter(until: Promise<void>, serve: Dispatch): Dispatch {
  return (frame, connection) => {
    // The frame's memory is used again when this returns.
    const kept = Buffer.from(frame);
    // Stands for the context that the request gets later, so that memory of its answer is given back.
    const context: NonNullable<DispatchResult['context']> = { onSent: null };
    const pending = until.then(async () => {
      const result = serve(kept, connection);
      try {
        return await (result.pending ?? result.chunks);
      } finally {
        context.onSent = result.context?.onSent ?? null;
      }
    });
    return { chunks: null, pending, isPipelined: false, context };
  };
}
