import { oneOf } from '../../options/one-of.ts';
import { resolveNumbers } from '../../options/resolve-numbers.ts';
import type { ConsumerOptions } from '../consumer-options.ts';
import type { ErrorPolicy } from './error-policy.ts';
import type { Message } from './message.ts';

/** How one call of `each` works; what is absent is as the consumer's options say. */
export interface EachOptions extends Pick<ConsumerOptions, 'concurrency' | 'orderBy' | 'onError'> {
  /** Ends `each`, which then resolves; the consumer stays open. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds since the epoch before which a record is not handed to the handler. Its partition is paused until then; other partitions,
   * heartbeats and rebalances go on. Called once for each record, in the order of the log.
   */
  readonly notBefore?: ((message: Message) => number) | undefined;
}

/** The options with every default filled in. */
export interface ResolvedEachOptions extends EachOptions {
  readonly concurrency: number;
  readonly orderBy: 'key' | 'partition';
  readonly onError: ErrorPolicy;
}

/**
 * Fills in what the consumer's options say and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveEachOptions(
  options: EachOptions,
  defaults: Pick<ResolvedEachOptions, 'concurrency' | 'orderBy' | 'onError'>,
): ResolvedEachOptions {
  return {
    ...resolveNumbers({ concurrency: [defaults.concurrency, 1] }, options),
    orderBy: oneOf('orderBy', options.orderBy ?? defaults.orderBy, ['key', 'partition']),
    onError: options.onError ?? defaults.onError,
    signal: options.signal,
    notBefore: options.notBefore,
  };
}
