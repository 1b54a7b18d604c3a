import { TimeoutError } from '../errors/client-errors.ts';
import { isRetriableError } from '../errors/kafka-error.ts';
import type { ResolvedClientOptions } from '../options/client-options.ts';
import { backoffMs } from './backoff.ts';
import type { CallLimits } from './limits.ts';
import { sleep } from './wait.ts';

/** What one attempt is told. */
export interface Attempt {
  /** Of the whole operation, whole milliseconds; pass it on to every request. */
  readonly remainingMs: number;
  readonly signal: AbortSignal | undefined;
  /** From 0. */
  readonly number: number;
}

export interface RetryOptions extends CallLimits {
  /** What is tried, for the text of the TimeoutError: `Listing the topics`. */
  readonly what: string;
  /** Default: KafkaErrors that say so. */
  readonly isRetriable?: (error: unknown) => boolean;
  /** The end of the client: ends the wait between attempts. */
  readonly closed?: AbortSignal;
}

/**
 * Makes attempts until one succeeds, fails for good, or the time is up, with Kafka's exponential backoff between them.
 * Rejects with what cannot be retried, with TimeoutError whose cause is the last failure, or with the signal's reason.
 */
export async function retry<T>(
  client: ResolvedClientOptions,
  options: RetryOptions,
  attempt: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { clock, random } = client;
  const { signal, what } = options;
  const timeoutMs = options.timeoutMs ?? client.defaultApiTimeoutMs;
  const isRetriable = options.isRetriable ?? isRetriableError;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  const backoff = { initialMs: client.retryBackoffMs, maxMs: client.retryBackoffMaxMs };
  for (let number = 0; ; number += 1) {
    signal?.throwIfAborted();
    try {
      return await attempt({
        remainingMs: Math.max(0, Math.floor(deadlineMs - clock.monotonicMs())),
        signal,
        number,
      });
    } catch (error) {
      if (!isRetriable(error)) throw error;
      const delayMs = backoffMs(backoff, number, random);
      if (clock.monotonicMs() + delayMs >= deadlineMs)
        throw new TimeoutError(
          `${what} did not succeed within ${timeoutMs} ms: ${messageOf(error)}`,
          timeoutMs,
          error,
        );
      await sleep(clock, delayMs, [signal, options.closed]);
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
