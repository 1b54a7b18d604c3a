import { consumerOptionNames, type ConsumerOptions } from '../consumer/consumer-options.ts';
import { OptionError } from '../errors/client-errors.ts';
import { refuseUnknownOptions, type OptionNames } from '../options/known-options.ts';
import { oneOf } from '../options/one-of.ts';
import { resolveNumbers, type NumberOptions } from '../options/resolve-numbers.ts';
import type { ProducerOptions } from '../producer/producer-options.ts';
import { isRetriableFailure, type FailureMatch } from './failure-match.ts';

/** How long records wait between attempts; Spring's `@BackOff`. With `delayMs` alone always as long. */
export interface BackOff {
  /** Default: 1 000. */
  readonly delayMs?: number | undefined;
  /** Each delay is the one before times this. Default: 1. */
  readonly multiplier?: number | undefined;
  /** Delays grow to this at most. Default: no bound. */
  readonly maxDelayMs?: number | undefined;
  /** Up to so much earlier or later, drawn for each record, growing as the delays do; never below `delayMs` nor above `maxDelayMs`. Default: 0. */
  readonly jitterMs?: number | undefined;
}

/** How missing retry and dead-letter topics are created. */
export interface RetryTopicShape {
  /** Default: as many as the main topic has, so that records keep their partition. */
  readonly partitions?: number | undefined;
  /** Default: the broker's. */
  readonly replicationFactor?: number | undefined;
  /** Kafka's topic configs by their names. */
  readonly configs?: Readonly<Record<string, string>> | undefined;
}

/** Names follow Spring's `@RetryableTopic` where it has one, defaults are Spring's unless said otherwise. */
export interface RetryingConsumerOptions extends Omit<ConsumerOptions, 'group' | 'commit' | 'onError'> {
  /** `group.id` of the main topics' consumer; those of retry and dead-letter topics append the topic's suffix, as in Spring. */
  readonly group: string;
  /** How often a record is handled at most, the first time included, before it goes to the dead-letter topic. Default: 3. */
  readonly attempts?: number | undefined;
  readonly backOff?: BackOff | undefined;
  /** A record that failed goes to the dead-letter topic when it is older than this, whatever attempts are left. Default: no bound. */
  readonly timeoutMs?: number | undefined;
  /** Only errors that match, they or their causes, are retried: classes, or names of errors (`UNKNOWN_TOPIC_OR_PARTITION`). Default: all. */
  readonly include?: readonly FailureMatch[] | undefined;
  /** Errors that match are not retried: their records go straight to the dead-letter topic. SerdeError is one, unless `include` names it. */
  readonly exclude?: readonly FailureMatch[] | undefined;
  /** Default: `-retry`. */
  readonly retrySuffix?: string | undefined;
  /** Default: `-dlt`. */
  readonly deadLetterSuffix?: string | undefined;
  /** What follows the suffix of retry topics: `orders-retry-1000`, or `orders-retry-0`. Default: `delay`. */
  readonly suffixBy?: 'delay' | 'index' | undefined;
  /** Whether the attempts that wait equally long at the end share one topic (`SameIntervalTopicReuseStrategy`). Default: `single-topic`. */
  readonly sameDelay?: 'single-topic' | 'multiple-topics' | undefined;
  /** Creates the retry and dead-letter topics that are missing; false leaves them to others. Default: true. */
  readonly createTopics?: boolean | RetryTopicShape | undefined;
  /**
   * `always-retry-on-error`: a record that the dead-letter handler fails at goes to the end of the dead-letter topic and waits as long as before
   * its last attempt. `fail-on-error`: it is logged and left. `no-dlt`: there is no dead-letter topic; records that keep failing are
   * logged and left. Default: `always-retry-on-error`.
   */
  readonly deadLetterStrategy?: 'always-retry-on-error' | 'fail-on-error' | 'no-dlt' | undefined;
  /**
   * Other dead-letter topics for some errors: `{ '-declined': [CardExpired] }` sends their records to `orders-declined-dlt`. The first that
   * matches the error or one of its causes counts. Default: none.
   */
  readonly deadLetterRouting?: Readonly<Record<string, readonly FailureMatch[]>> | undefined;
  /**
   * Exactly-once: the record for the next topic and the offset of the one that failed are written in one transaction of this id, which no
   * other running instance may use. Retry and dead-letter topics are then read with `read_committed`. Default: none; a crash in
   * between can double a record, never lose one.
   */
  readonly transactionalId?: string | undefined;
  /** For the producer of retry and dead-letter records. */
  readonly producer?: Omit<ProducerOptions, 'transactionalId' | 'acks' | 'idempotence'> | undefined;
}

/** The names of the options that a consumer does not have. */
const retryOptionNames: OptionNames<Omit<RetryingConsumerOptions, keyof ConsumerOptions>> = {
  attempts: true,
  backOff: true,
  timeoutMs: true,
  include: true,
  exclude: true,
  retrySuffix: true,
  deadLetterSuffix: true,
  suffixBy: true,
  sameDelay: true,
  createTopics: true,
  deadLetterStrategy: true,
  deadLetterRouting: true,
  transactionalId: true,
  producer: true,
};

const { commit: _commit, onError: _onError, ...sharedOptionNames } = consumerOptionNames;
const optionNames: OptionNames<RetryingConsumerOptions> = { ...sharedOptionNames, ...retryOptionNames };

const numbers = {
  attempts: [3, 1],
  timeoutMs: [0, 0],
  autoCommitIntervalMs: [5_000, 1],
} as const satisfies NumberOptions<string>;

const backOffNumbers = {
  delayMs: [1_000, 0],
  maxDelayMs: [Number.MAX_SAFE_INTEGER, 0],
  jitterMs: [0, 0],
} as const satisfies NumberOptions<string>;

/** The options with every default filled in. */
export interface ResolvedRetryOptions {
  readonly group: string;
  readonly attempts: number;
  readonly backOff: { readonly [K in keyof BackOff]-?: number };
  /** 0: no bound. */
  readonly timeoutMs: number;
  readonly isRetriable: (error: unknown) => boolean;
  readonly retrySuffix: string;
  readonly deadLetterSuffix: string;
  readonly suffixBy: 'delay' | 'index';
  readonly isSingleTopic: boolean;
  /** Null: not created. */
  readonly shape: RetryTopicShape | null;
  readonly deadLetterStrategy: 'always-retry-on-error' | 'fail-on-error' | 'no-dlt';
  readonly deadLetterRouting: readonly (readonly [suffix: string, failures: readonly FailureMatch[]])[];
  readonly transactionalId: string | null;
  readonly producer: ProducerOptions;
  readonly autoCommitIntervalMs: number;
  readonly signal: AbortSignal | undefined;
  /** What the consumers of all topics have in common. */
  readonly consumer: Omit<ConsumerOptions, 'group' | 'commit' | 'onError'>;
}

/**
 * Fills in the defaults and checks every value that is not a consumer's or a producer's own.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveRetryOptions(options: RetryingConsumerOptions): ResolvedRetryOptions {
  const { group, transactionalId = null, include, exclude, createTopics = true } = options;
  refuseUnknownOptions('A retrying consumer', options, optionNames);
  if (typeof group !== 'string' || group === '')
    throw new OptionError('group is missing; a retrying consumer needs the name of its group');
  if (transactionalId !== null && options.orderBy === 'key')
    throw new OptionError(
      'orderBy "key" cannot be had with transactionalId: a transaction commits everything before its record; leave one of them out',
    );
  return {
    group,
    ...resolveNumbers(numbers, options),
    backOff: resolveBackOff(options.backOff ?? {}),
    isRetriable: (error) => isRetriableFailure(error, { include, exclude }),
    retrySuffix: suffix('retrySuffix', options.retrySuffix ?? '-retry'),
    deadLetterSuffix: suffix('deadLetterSuffix', options.deadLetterSuffix ?? '-dlt'),
    suffixBy: oneOf('suffixBy', options.suffixBy ?? 'delay', ['delay', 'index']),
    isSingleTopic:
      oneOf('sameDelay', options.sameDelay ?? 'single-topic', ['single-topic', 'multiple-topics']) ===
      'single-topic',
    shape: createTopics === false ? null : createTopics === true ? {} : createTopics,
    deadLetterStrategy: oneOf('deadLetterStrategy', options.deadLetterStrategy ?? 'always-retry-on-error', [
      'always-retry-on-error',
      'fail-on-error',
      'no-dlt',
    ]),
    deadLetterRouting: resolveRouting(options),
    transactionalId,
    // Every record is waited for: lingering would only be slow.
    producer: {
      lingerMs: 0,
      ...options.producer,
      ...(transactionalId !== null && { transactionalId }),
    },
    signal: options.signal,
    consumer: options,
  };
}

/** What of the options is for the consumers of the topics. */
export function forConsumers(options: ResolvedRetryOptions['consumer']): ResolvedRetryOptions['consumer'] {
  return Object.fromEntries(
    Object.entries(options).filter(([name]) => !Object.hasOwn(retryOptionNames, name)),
  );
}

function resolveRouting({
  deadLetterRouting = {},
  deadLetterStrategy,
}: RetryingConsumerOptions): ResolvedRetryOptions['deadLetterRouting'] {
  const routes = Object.entries(deadLetterRouting);
  if (routes.length > 0 && deadLetterStrategy === 'no-dlt')
    throw new OptionError('deadLetterRouting needs dead-letter topics, but deadLetterStrategy is "no-dlt"');
  return routes.map(([name, failures]) => [suffix('deadLetterRouting', name), failures]);
}

function resolveBackOff(backOff: BackOff): ResolvedRetryOptions['backOff'] {
  const { multiplier = 1 } = backOff;
  if (!Number.isFinite(multiplier) || multiplier < 1)
    throw new OptionError(`backOff.multiplier "${String(multiplier)}" is not a number of at least 1`);
  const resolved = { ...resolveNumbers(backOffNumbers, backOff), multiplier };
  if (resolved.maxDelayMs < resolved.delayMs)
    throw new OptionError(
      `backOff.maxDelayMs "${resolved.maxDelayMs}" is below backOff.delayMs "${resolved.delayMs}"`,
    );
  return resolved;
}

function suffix(name: string, value: string): string {
  if (/^[a-zA-Z0-9._-]+$/.test(value)) return value;
  throw new OptionError(`${name} "${value}" is not of letters, digits, ".", "_" and "-"`);
}
