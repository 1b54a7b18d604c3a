import type { Clock } from '@ottla/platform';
import { onAbort } from '../network/abort.ts';

/** Resolves after `delayMs`; rejects with the reason of the first of the signals when one comes before. */
export function sleep(
  clock: Clock,
  delayMs: number,
  signals: readonly (AbortSignal | undefined)[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const given = signals.filter((signal) => signal !== undefined);
    const aborted = given.find((signal) => signal.aborted);
    if (aborted !== undefined) return reject(aborted.reason as Error);
    const stop = (): void => {
      timer.cancel();
      for (const stopListening of listening) stopListening();
    };
    const listening = given.map((signal) =>
      onAbort(signal, () => {
        stop();
        reject(signal.reason as Error);
      }),
    );
    const timer = clock.setTimer(delayMs, () => {
      stop();
      resolve();
    });
  });
}

/** Waits for `promise`, but not after `signal`. The promise itself goes on, and it is heard of here if it fails. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {});
    return Promise.reject(signal.reason as Error);
  }
  return new Promise<T>((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(signal.reason as Error));
    promise.then(resolve, reject).finally(stopListening);
  });
}

/**
 * Waits for `promise`, but no longer than `timeoutMs` and not after `signal`. The promise itself goes on: what others wait for too
 * is not ended because one of them has lost patience.
 */
export function waitFor<T>(
  promise: Promise<T>,
  clock: Clock,
  limits: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
    readonly onTimeout: () => Error;
  },
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const { signal } = limits;
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const end = (): void => {
      timer.cancel();
      stopListening?.();
    };
    const stopListening =
      signal === undefined
        ? undefined
        : onAbort(signal, () => {
            end();
            reject(signal.reason as Error);
          });
    const timer = clock.setTimer(Math.max(0, limits.timeoutMs), () => {
      end();
      reject(limits.onTimeout());
    });
    promise.then(
      (value) => {
        end();
        resolve(value);
      },
      (error: unknown) => {
        end();
        reject(error);
      },
    );
  });
}
