import type { Clock } from '@ottla/platform';

/** Resolves after `delayMs`; rejects with the signal's reason when it comes first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal!.reason as Error);
    };
    const timer = clock.setTimer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
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
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(signal!.reason as Error);
    };
    const timer = clock.setTimer(Math.max(0, limits.timeoutMs), () => {
      end();
      reject(limits.onTimeout());
    });
    signal?.addEventListener('abort', onAbort, { once: true });
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
