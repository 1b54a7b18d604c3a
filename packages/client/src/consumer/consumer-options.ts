import type { TopicPartition } from '../admin/admin-requests.ts';
import { OptionError } from '../errors/client-errors.ts';
import type { Assignor } from './assignors/assignor.ts';
import { oneOf } from '../options/one-of.ts';
import { refuseUnknownOptions, type OptionNames } from '../options/known-options.ts';
import { resolveNumbers } from '../options/resolve-numbers.ts';
import { assignors, type AssignorName } from './assignors/assignors.ts';
import type { ConsumerInterceptor } from './consumer-interceptor.ts';
import type { ErrorPolicy } from './delivery/error-policy.ts';
import { parseDurationMs } from './parse-duration.ts';

/** `auto.offset.reset`: where to begin without a committed offset, and after one that is no longer in the log. */
export type From = 'earliest' | 'latest' | 'none' | { readonly durationMs: number } | `by_duration:${string}`;

/** Called during a rebalance; partitions move only when it has ended. A rejection ends the consumer. */
export interface RebalanceListener {
  /** Partitions that are new; reading them begins afterwards. */
  onAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Partitions that are given up; what was handled has been committed (with `commit: 'auto'`), and commits still work. */
  onRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** Partitions that others may have already: commits no longer work. Default: `onRevoked`, as in Java. */
  onLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

/** Names are Kafka's in camelCase, defaults are Kafka's unless said otherwise. */
export interface ConsumerOptions extends RebalanceListener {
  /** `group.id`. Without one, every partition of the topics is read, and nothing is committed. */
  readonly group?: string | undefined;
  /** `group.instance.id`: a static member (KIP-345), which keeps its partitions over a restart. */
  readonly groupInstanceId?: string | undefined;
  /** `group.protocol`: `consumer` is KIP-848's, where the broker assigns. Default: `classic`. */
  readonly groupProtocol?: 'classic' | 'consumer' | undefined;
  /** `partition.assignment.strategy`, for `classic`. Default: `range`, then `cooperative-sticky`. */
  readonly assignors?: readonly (AssignorName | Assignor)[] | undefined;
  /** `group.remote.assignor`, for `consumer`: `uniform` or `range`. Default: the broker's first. */
  readonly remoteAssignor?: string | undefined;
  /** Default: `latest`. */
  readonly from?: From | undefined;
  /** `auto`: what the loop has finished is committed every `autoCommitIntervalMs`, before a rebalance and at the end. Default: `auto`. */
  readonly commit?: 'auto' | 'manual' | undefined;
  /** Default: 5 000. */
  readonly autoCommitIntervalMs?: number | undefined;
  /** `isolation.level`. Default: `read_uncommitted`. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed' | undefined;
  /** `fetch.min.bytes`. Default: 1. */
  readonly fetchMinBytes?: number | undefined;
  /** `fetch.max.bytes`: of one answer. Default: 50 MiB. */
  readonly fetchMaxBytes?: number | undefined;
  /** `fetch.max.wait.ms`. Default: 500. */
  readonly fetchMaxWaitMs?: number | undefined;
  /** `max.partition.fetch.bytes`. Default: 1 MiB. */
  readonly maxPartitionFetchBytes?: number | undefined;
  /** Answers that are buffered or asked for take at most this much memory, and at least one is always allowed. Default: 64 MiB. */
  readonly maxBufferedBytes?: number | undefined;
  /** `check.crcs`. Default: true. */
  readonly checkCrcs?: boolean | undefined;
  /** `session.timeout.ms`, for `classic`. Default: 45 000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** `heartbeat.interval.ms`, for `classic`. Default: 3 000. */
  readonly heartbeatIntervalMs?: number | undefined;
  /** `max.poll.interval.ms`: a loop that takes longer for one step, or `each` when no handler ends for longer, loses its partitions. Default: 300 000. */
  readonly maxPollIntervalMs?: number | undefined;
  /** `allow.auto.create.topics`. Default: true. */
  readonly allowAutoTopicCreation?: boolean | undefined;
  /** `exclude.internal.topics`, for patterns. Default: true. */
  readonly excludeInternalTopics?: boolean | undefined;
  /** Ends iteration: the loop ends without an error. */
  readonly signal?: AbortSignal | undefined;
  /** How many handlers `each` runs at once. Default: 1. */
  readonly concurrency?: number | undefined;
  /** What `each` keeps in order: records of one key (of one partition), or of one partition. Default: `partition`. */
  readonly orderBy?: 'key' | 'partition' | undefined;
  /** What `each` does when a handler fails. Default: it rejects with the error. */
  readonly onError?: ErrorPolicy | undefined;
  /** `interceptor.classes`: see and change every record, in this order. Default: none. */
  readonly interceptors?: readonly ConsumerInterceptor[] | undefined;
}

/** The name of every option. */
export const consumerOptionNames: OptionNames<ConsumerOptions> = {
  group: true,
  groupInstanceId: true,
  groupProtocol: true,
  assignors: true,
  remoteAssignor: true,
  from: true,
  commit: true,
  autoCommitIntervalMs: true,
  isolationLevel: true,
  fetchMinBytes: true,
  fetchMaxBytes: true,
  fetchMaxWaitMs: true,
  maxPartitionFetchBytes: true,
  maxBufferedBytes: true,
  checkCrcs: true,
  sessionTimeoutMs: true,
  heartbeatIntervalMs: true,
  maxPollIntervalMs: true,
  allowAutoTopicCreation: true,
  excludeInternalTopics: true,
  signal: true,
  concurrency: true,
  orderBy: true,
  onError: true,
  interceptors: true,
  onAssigned: true,
  onRevoked: true,
  onLost: true,
};

/** Numbers among the options: default, and the least value allowed. */
const numbers = {
  autoCommitIntervalMs: [5_000, 1],
  fetchMinBytes: [1, 0],
  fetchMaxBytes: [50 * 1024 * 1024, 0],
  fetchMaxWaitMs: [500, 0],
  maxPartitionFetchBytes: [1024 * 1024, 0],
  maxBufferedBytes: [64 * 1024 * 1024, 1],
  sessionTimeoutMs: [45_000, 1],
  heartbeatIntervalMs: [3_000, 1],
  maxPollIntervalMs: [300_000, 1],
  concurrency: [1, 1],
} as const satisfies Record<string, readonly [number, number]>;

type NumberName = keyof typeof numbers;

/** The options with every default filled in. */
export interface ResolvedConsumerOptions extends Readonly<Record<NumberName, number>> {
  readonly group: string | null;
  readonly groupInstanceId: string | null;
  readonly groupProtocol: 'classic' | 'consumer';
  readonly assignors: readonly Assignor[];
  readonly remoteAssignor: string | null;
  readonly from: 'earliest' | 'latest' | 'none' | { readonly durationMs: number };
  readonly isAutoCommit: boolean;
  readonly isReadCommitted: boolean;
  readonly checkCrcs: boolean;
  readonly allowAutoTopicCreation: boolean;
  readonly excludeInternalTopics: boolean;
  readonly signal: AbortSignal | undefined;
  readonly orderBy: 'key' | 'partition';
  readonly onError: ErrorPolicy;
  readonly interceptors: readonly ConsumerInterceptor[];
  readonly listener: RebalanceListener;
}

/**
 * Fills in the defaults and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveConsumerOptions(options: ConsumerOptions): ResolvedConsumerOptions {
  refuseUnknownOptions('A consumer', options, consumerOptionNames);
  const group = options.group ?? null;
  if (group === '') throw new OptionError('group is empty; leave it out to read without a group');
  checkGroupOptions(options);
  return {
    ...resolveNumbers(numbers, options),
    group,
    groupInstanceId: options.groupInstanceId ?? null,
    groupProtocol: oneOf('groupProtocol', options.groupProtocol ?? 'classic', ['classic', 'consumer']),
    assignors: (options.assignors ?? ['range', 'cooperative-sticky']).map(assignorOf),
    remoteAssignor: options.remoteAssignor ?? null,
    from: resolveFrom(options.from ?? 'latest'),
    isAutoCommit: group !== null && oneOf('commit', options.commit ?? 'auto', ['auto', 'manual']) === 'auto',
    isReadCommitted:
      oneOf('isolationLevel', options.isolationLevel ?? 'read_uncommitted', [
        'read_uncommitted',
        'read_committed',
      ]) === 'read_committed',
    checkCrcs: options.checkCrcs ?? true,
    allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
    excludeInternalTopics: options.excludeInternalTopics ?? true,
    signal: options.signal,
    orderBy: oneOf('orderBy', options.orderBy ?? 'partition', ['key', 'partition']),
    onError: options.onError ?? {},
    interceptors: options.interceptors ?? [],
    listener: options,
  };
}

function checkGroupOptions(options: ConsumerOptions): void {
  if (options.group === undefined) {
    for (const name of ['groupInstanceId', 'groupProtocol', 'remoteAssignor', 'assignors', 'commit'] as const)
      if (options[name] !== undefined)
        throw new OptionError(`${name} is set, which needs a group; set group too`);
    return;
  }
  if (options.groupProtocol === 'consumer') {
    for (const name of ['assignors', 'sessionTimeoutMs', 'heartbeatIntervalMs'] as const)
      if (options[name] !== undefined)
        throw new OptionError(`${name} cannot be set with groupProtocol "consumer": the broker decides it`);
  } else if (options.remoteAssignor !== undefined)
    throw new OptionError('remoteAssignor needs groupProtocol "consumer"; for "classic" set assignors');
  if (options.assignors?.length === 0) throw new OptionError('assignors is empty; name at least one');
  const { heartbeatIntervalMs = 3_000, sessionTimeoutMs = 45_000 } = options;
  if (heartbeatIntervalMs >= sessionTimeoutMs)
    throw new OptionError(
      `heartbeatIntervalMs "${heartbeatIntervalMs}" is not below sessionTimeoutMs "${sessionTimeoutMs}"; a third of it is usual`,
    );
}

function assignorOf(assignor: AssignorName | Assignor): Assignor {
  if (typeof assignor !== 'string') return assignor;
  const known = assignors[assignor] as Assignor | undefined;
  if (known === undefined)
    throw new OptionError(
      `assignors has "${String(assignor)}", known are ${Object.keys(assignors).join(', ')}, or an object of your own`,
    );
  return known;
}

function resolveFrom(from: From): ResolvedConsumerOptions['from'] {
  if (typeof from === 'object') {
    if (Number.isFinite(from.durationMs) && from.durationMs >= 0) return { durationMs: from.durationMs };
    throw new OptionError(`from.durationMs "${String(from.durationMs)}" is not a number of milliseconds`);
  }
  if (from === 'earliest' || from === 'latest' || from === 'none') return from;
  const durationMs = from.startsWith('by_duration:')
    ? parseDurationMs(from.slice('by_duration:'.length))
    : null;
  if (durationMs !== null) return { durationMs };
  throw new OptionError(
    `from "${String(from)}" is none of "earliest", "latest", "none", "by_duration:PT1H" and { durationMs }`,
  );
}
