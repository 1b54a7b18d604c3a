import { OptionError } from '../errors/client-errors.ts';
import type { KafkaError } from '../errors/kafka-error.ts';
import { refuseUnknownOptions, type OptionNames } from '../options/known-options.ts';
import { resolveNumbers, type NumberOptions } from '../options/resolve-numbers.ts';
import type { TopicPartition } from '../admin/admin-requests.ts';

/** What became of acknowledgements of one partition. */
export interface AcknowledgementResult extends TopicPartition {
  readonly offsets: readonly number[];
  /** Null when the broker has taken them: otherwise the records may be delivered again. */
  readonly error: KafkaError | null;
}

/** Names are Kafka's in camelCase, defaults are Kafka's. */
export interface ShareConsumerOptions {
  /** `group.id` of the share group. */
  readonly group: string;
  /**
   * `share.acknowledgement.mode`. `implicit`: a record is accepted when the loop asks for the next one, unless it was acknowledged
   * otherwise. `explicit`: every record has to be acknowledged, and may be after the loop has gone on. Default: `implicit`.
   */
  readonly acknowledgement?: 'implicit' | 'explicit' | undefined;
  /** `max.poll.records`: records acquired at a time. Default: 500. */
  readonly maxRecords?: number | undefined;
  /** `share.acquire.mode` (KIP-1206): whole batches, or never more than `maxRecords`. Default: `batch_optimized`. */
  readonly acquireMode?: 'batch_optimized' | 'record_limit' | undefined;
  /** `fetch.min.bytes`. Default: 1. */
  readonly fetchMinBytes?: number | undefined;
  /** `fetch.max.bytes`. Default: 50 MiB. */
  readonly fetchMaxBytes?: number | undefined;
  /** `fetch.max.wait.ms`. Default: 500. */
  readonly fetchMaxWaitMs?: number | undefined;
  /** `check.crcs`. Default: true. */
  readonly checkCrcs?: boolean | undefined;
  /** `allow.auto.create.topics`. Default: true. */
  readonly allowAutoTopicCreation?: boolean | undefined;
  /** Told of every acknowledgement that was sent (Java's AcknowledgementCommitCallback). */
  readonly onAcknowledged?: ((results: readonly AcknowledgementResult[]) => void) | undefined;
  /** Ends iteration: the loop ends without an error. */
  readonly signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<ShareConsumerOptions> = {
  group: true,
  acknowledgement: true,
  maxRecords: true,
  acquireMode: true,
  fetchMinBytes: true,
  fetchMaxBytes: true,
  fetchMaxWaitMs: true,
  checkCrcs: true,
  allowAutoTopicCreation: true,
  onAcknowledged: true,
  signal: true,
};

/** Numbers among the options: default, and the least value allowed. */
const numbers = {
  maxRecords: [500, 1],
  fetchMinBytes: [1, 0],
  fetchMaxBytes: [50 * 1024 * 1024, 0],
  fetchMaxWaitMs: [500, 0],
} as const satisfies NumberOptions<string>;

/** The options with every default filled in. */
export interface ResolvedShareOptions {
  readonly group: string;
  readonly isExplicit: boolean;
  readonly maxRecords: number;
  readonly isRecordLimit: boolean;
  readonly fetchMinBytes: number;
  readonly fetchMaxBytes: number;
  readonly fetchMaxWaitMs: number;
  readonly checkCrcs: boolean;
  readonly allowAutoTopicCreation: boolean;
  readonly onAcknowledged: (results: readonly AcknowledgementResult[]) => void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Fills in the defaults and checks every value.
 * @throws OptionError naming the option, its value and what is allowed
 */
export function resolveShareOptions(options: ShareConsumerOptions): ResolvedShareOptions {
  refuseUnknownOptions('A share consumer', options, optionNames);
  if (typeof options.group !== 'string' || options.group === '')
    throw new OptionError('group is missing; a share consumer needs the name of its group');
  const { acknowledgement = 'implicit', acquireMode = 'batch_optimized' } = options;
  if (acknowledgement !== 'implicit' && acknowledgement !== 'explicit')
    throw new OptionError(
      `acknowledgement "${String(acknowledgement)}" is neither "implicit" nor "explicit"`,
    );
  if (acquireMode !== 'batch_optimized' && acquireMode !== 'record_limit')
    throw new OptionError(
      `acquireMode "${String(acquireMode)}" is neither "batch_optimized" nor "record_limit"`,
    );
  return {
    group: options.group,
    isExplicit: acknowledgement === 'explicit',
    ...resolveNumbers(numbers, options),
    isRecordLimit: acquireMode === 'record_limit',
    checkCrcs: options.checkCrcs ?? true,
    allowAutoTopicCreation: options.allowAutoTopicCreation ?? true,
    onAcknowledged: options.onAcknowledged ?? (() => {}),
    signal: options.signal,
  };
}
