import type { Clock } from '@ottla/platform';

/**
 * Tries the items in order until one succeeds. The next attempt begins when the one before has failed, or has said nothing for `patienceMs`:
 * a host that swallows packets then costs a second, not its whole timeout. Attempts that are overtaken go on unheeded.
 * Rejects with the first failure for which `isFinal` holds, else with the last one when all have failed.
 */
export function firstSuccess<K, T>(
  clock: Clock,
  items: readonly K[],
  options: { readonly patienceMs: number; readonly isFinal: (error: unknown) => boolean },
  attempt: (item: K) => Promise<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    let next = 0;
    let running = 0;
    let isOver = false;
    let timer: { cancel(): void } | null = null;
    const end = (settle: () => void): void => {
      isOver = true;
      timer?.cancel();
      settle();
    };
    const begin = (): void => {
      timer?.cancel();
      const item = items[next]!;
      next += 1;
      running += 1;
      timer = next < items.length ? clock.setTimer(options.patienceMs, begin) : null;
      attempt(item).then(
        (value) => {
          if (!isOver) end(() => resolve(value));
        },
        (error: unknown) => {
          running -= 1;
          if (isOver) return;
          if (options.isFinal(error)) end(() => reject(error));
          else if (next < items.length) begin();
          else if (running === 0) end(() => reject(error));
        },
      );
    };
    begin();
  });
}
