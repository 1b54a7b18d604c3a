import type { CompressionType } from '@ottla/protocol';
import { OptionError } from '../errors/client-errors.ts';
import type { ResolvedClientOptions } from '../options/client-options.ts';
import { refuseUnknownOptions, type OptionNames } from '../options/known-options.ts';
import type { Partitioner } from './partitioner.ts';
import type { ProducerInterceptor } from './producer-interceptor.ts';
import type { ProducerMetrics } from './producer-metrics.ts';

/** How a batch is compressed; `level` counts for gzip (1 to 9) and zstd (1 to 22). */
export interface CompressionOptions {
  readonly type: CompressionType;
  readonly level?: number;
}

/** Names are Kafka's in camelCase, defaults are Kafka's. */
export interface ProducerOptions {
  /** Who must have a batch before it counts as sent: all in-sync replicas, the leader, or nobody (`0`). Default: `all`. */
  readonly acks?: 'all' | -1 | 0 | 1 | undefined;
  /**
   * `enable.idempotence`: no duplicates and the order of each partition kept, whatever is retried. Default: true, unless `acks`,
   * `retries` or `maxInFlightRequests` say what it does not allow.
   */
  readonly idempotence?: boolean | undefined;
  /** Makes `transaction()` possible; another producer that begins with the same id takes over from this one. */
  readonly transactionalId?: string | undefined;
  /** `transaction.timeout.ms`: the broker aborts a transaction that lasts longer. Default: 60 000. */
  readonly transactionTimeoutMs?: number | undefined;
  /** Default: `none`. */
  readonly compression?: CompressionType | CompressionOptions | undefined;
  /** `linger.ms`: how long a batch waits for more records. Default: 5. */
  readonly lingerMs?: number | undefined;
  /** `batch.size`: a batch is sent when it has this much. Default: 16 384. */
  readonly batchSizeBytes?: number | undefined;
  /**
   * `buffer.memory`: records in batches take at most this. Where Java would block, for metadata or for room, up to eight times as much
   * waits beside it; beyond that `send` rejects with BUFFER_EXHAUSTED. Default: 32 MiB.
   */
  readonly bufferMemoryBytes?: number | undefined;
  /** `max.block.ms`: how long a record waits for room in the buffer or for metadata. Default: 60 000. */
  readonly maxBlockMs?: number | undefined;
  /** `max.request.size`. Default: 1 MiB. */
  readonly maxRequestSizeBytes?: number | undefined;
  /** `max.in.flight.requests.per.connection`. Default: 5. */
  readonly maxInFlightRequests?: number | undefined;
  /** `delivery.timeout.ms`: from `send` until a record counts as failed. Default: 120 000. */
  readonly deliveryTimeoutMs?: number | undefined;
  /** `request.timeout.ms`. Default: the client's. */
  readonly requestTimeoutMs?: number | undefined;
  /** Attempts after the first; the delivery timeout ends them too. Default: 2 147 483 647. */
  readonly retries?: number | undefined;
  /** `retry.backoff.ms`. Default: the client's. */
  readonly retryBackoffMs?: number | undefined;
  readonly retryBackoffMaxMs?: number | undefined;
  /** Gives each record its partition. Default: by Kafka's hash of the key, and sticky for records without one (KIP-480, KIP-794). */
  readonly partitioner?: Partitioner | undefined;
  /** `partitioner.adaptive.partitioning.enable`: records without a key avoid slow partitions. Default: true. */
  readonly adaptivePartitioning?: boolean | undefined;
  /** Lets the broker create topics that do not exist, where it allows that. Default: true, as in Java. */
  readonly allowAutoTopicCreation?: boolean | undefined;
  readonly metrics?: ProducerMetrics | undefined;
  /** `interceptor.classes`: see and change every record, in this order. Default: none. */
  readonly interceptors?: readonly ProducerInterceptor[] | undefined;
}

/** The options with every default filled in. */
export interface ResolvedProducerOptions {
  readonly acks: -1 | 0 | 1;
  readonly idempotence: boolean;
  readonly transactionalId: string | null;
  readonly compression: CompressionType;
  readonly compressionLevel: number | undefined;
  readonly partitioner: Partitioner | undefined;
  readonly adaptivePartitioning: boolean;
  readonly allowAutoTopicCreation: boolean;
  readonly metrics: ProducerMetrics;
  readonly interceptors: readonly ProducerInterceptor[];
  readonly transactionTimeoutMs: number;
  readonly lingerMs: number;
  readonly batchSizeBytes: number;
  readonly bufferMemoryBytes: number;
  readonly maxBlockMs: number;
  readonly maxRequestSizeBytes: number;
  readonly maxInFlightRequests: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly retries: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
}

const optionNames: OptionNames<ProducerOptions> = {
  acks: true,
  idempotence: true,
  transactionalId: true,
  transactionTimeoutMs: true,
  compression: true,
  lingerMs: true,
  batchSizeBytes: true,
  bufferMemoryBytes: true,
  maxBlockMs: true,
  maxRequestSizeBytes: true,
  maxInFlightRequests: true,
  deliveryTimeoutMs: true,
  requestTimeoutMs: true,
  retries: true,
  retryBackoffMs: true,
  retryBackoffMaxMs: true,
  partitioner: true,
  adaptivePartitioning: true,
  allowAutoTopicCreation: true,
  metrics: true,
  interceptors: true,
};

const MEBIBYTE = 1024 * 1024;
const MAX_INT32 = 0x7fff_ffff;
/** Kafka's broker remembers this many batches of a producer, and so recognises a retry of each of them. */
const MAX_IDEMPOTENT_IN_FLIGHT = 5;

/** Numbers among the options: default, least and greatest value allowed; without a default the client's counts. */
const numbers = {
  transactionTimeoutMs: [60_000, 1, MAX_INT32],
  lingerMs: [5, 0, MAX_INT32],
  batchSizeBytes: [16_384, 0, MAX_INT32],
  bufferMemoryBytes: [32 * MEBIBYTE, 0, Number.MAX_SAFE_INTEGER],
  maxBlockMs: [60_000, 0, Number.MAX_SAFE_INTEGER],
  maxRequestSizeBytes: [MEBIBYTE, 0, MAX_INT32],
  maxInFlightRequests: [5, 1, MAX_INT32],
  deliveryTimeoutMs: [120_000, 0, MAX_INT32],
  requestTimeoutMs: [undefined, 0, MAX_INT32],
  retries: [MAX_INT32, 0, MAX_INT32],
  retryBackoffMs: [undefined, 0, MAX_INT32],
  retryBackoffMaxMs: [undefined, 0, MAX_INT32],
} as const satisfies Record<string, readonly [number | undefined, number, number]>;

type NumberName = keyof typeof numbers;

const LEVELS: Partial<Record<CompressionType, readonly [number, number]>> = {
  gzip: [1, 9],
  zstd: [-131_072, 22],
};

/**
 * Fills in the defaults and checks every value, as Kafka's `ProducerConfig` does.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveProducerOptions(
  options: ProducerOptions,
  client: ResolvedClientOptions,
): ResolvedProducerOptions {
  refuseUnknownOptions('A producer', options, optionNames);
  const values = resolveNumbers(options, client);
  const acks = resolveAcks(options.acks);
  const transactionalId = options.transactionalId ?? null;
  if (transactionalId === '')
    throw new OptionError('transactionalId is empty: leave it out, or give it a name');
  const deliveryTimeoutMs = deliveryTimeout(options, values);
  return {
    ...values,
    deliveryTimeoutMs,
    acks,
    idempotence: resolveIdempotence(options, acks, values),
    transactionalId,
    ...resolveCompression(options.compression ?? 'none'),
    partitioner: options.partitioner,
    adaptivePartitioning: options.adaptivePartitioning ?? true,
    allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
    metrics: options.metrics ?? {},
    interceptors: options.interceptors ?? [],
  };
}

function resolveNumbers(options: ProducerOptions, client: ResolvedClientOptions): Record<NumberName, number> {
  const resolved = {} as Record<NumberName, number>;
  for (const name of Object.keys(numbers) as NumberName[]) {
    const [fallback, least, most] = numbers[name];
    const value: unknown =
      options[name] ??
      fallback ??
      client[name as 'requestTimeoutMs' | 'retryBackoffMs' | 'retryBackoffMaxMs'];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
      throw new OptionError(`${name} "${String(value)}" is not an integer from ${least} to ${most}`);
    resolved[name] = value;
  }
  return resolved;
}

function resolveAcks(acks: ProducerOptions['acks']): -1 | 0 | 1 {
  if (acks === undefined || acks === 'all' || acks === -1) return -1;
  if (acks === 0 || acks === 1) return acks;
  throw new OptionError(`acks "${String(acks)}" is not "all", 1 or 0`);
}

/** A delivery timeout that was not asked for grows with what it must cover; one that was asked for is refused. */
function deliveryTimeout(options: ProducerOptions, values: Record<NumberName, number>): number {
  const least = Math.min(values.lingerMs + values.requestTimeoutMs, MAX_INT32);
  if (values.deliveryTimeoutMs >= least) return values.deliveryTimeoutMs;
  if (options.deliveryTimeoutMs === undefined) return least;
  throw new OptionError(
    `deliveryTimeoutMs "${values.deliveryTimeoutMs}" is below lingerMs + requestTimeoutMs, which is ${least}`,
  );
}

function resolveIdempotence(
  options: ProducerOptions,
  acks: -1 | 0 | 1,
  values: Record<NumberName, number>,
): boolean {
  const conflict =
    acks !== -1
      ? `acks "${acks}" is not "all"`
      : values.retries === 0
        ? 'retries is 0'
        : values.maxInFlightRequests > MAX_IDEMPOTENT_IN_FLIGHT
          ? `maxInFlightRequests "${values.maxInFlightRequests}" is above ${MAX_IDEMPOTENT_IN_FLIGHT}`
          : undefined;
  const isTransactional = options.transactionalId !== undefined;
  if (options.idempotence === false) {
    if (isTransactional) throw new OptionError('idempotence is false, but transactionalId needs it');
    return false;
  }
  if (conflict === undefined) return true;
  if (isTransactional) throw new OptionError(`transactionalId needs idempotence, but ${conflict}`);
  if (options.idempotence === true) throw new OptionError(`idempotence is true, but ${conflict}`);
  return false;
}

function resolveCompression(
  compression: CompressionType | CompressionOptions,
): Pick<ResolvedProducerOptions, 'compression' | 'compressionLevel'> {
  const { type, level } =
    typeof compression === 'string' ? { type: compression, level: undefined } : compression;
  if (!['none', 'gzip', 'snappy', 'lz4', 'zstd'].includes(type))
    throw new OptionError(`compression "${String(type)}" is not none, gzip, snappy, lz4 or zstd`);
  if (level === undefined) return { compression: type, compressionLevel: undefined };
  const range = LEVELS[type];
  if (range === undefined)
    throw new OptionError(`compression "${type}" has no levels, but level "${level}" is given`);
  if (!Number.isInteger(level) || level < range[0] || level > range[1])
    throw new OptionError(
      `compression level "${level}" of ${type} is not an integer from ${range[0]} to ${range[1]}`,
    );
  return { compression: type, compressionLevel: level };
}
