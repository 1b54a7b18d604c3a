import type { Random } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import type { ItemResult, TopicPartitionResults } from './controller.ts';

/**
 * What a command of the controller sees. The state is the metadata image itself: commands read it and return records,
 * and only the replay of those records makes a new one.
 */
export interface CommandState {
  /** With everything that earlier commands wrote, durable or not. */
  readonly image: MetadataImage;
  /** Offset that the first record of this command will get; a broker's epoch is the offset of its registration. */
  readonly nextOffset: number;
  /** Source of topic ids. */
  readonly random: Random;
  readonly rules: ControllerRules;
}

/** The broker's configuration as far as commands depend on it; read anew by each command, since some of it is dynamic. */
export interface ControllerRules {
  /** `num.partitions`. */
  readonly numPartitions: number;
  /** `default.replication.factor`. */
  readonly defaultReplicationFactor: number;
  /** `min.insync.replicas` of the properties. */
  readonly minInSyncReplicas: number;
  readonly configs: ConfigRules;
}

/** What the config catalogue decides about dynamic configs. Messages are Kafka's. */
export interface ConfigRules {
  /** Null when all overrides together are valid for the resource; otherwise the refusal. */
  validate(
    resourceType: number,
    resourceName: string,
    overrides: ReadonlyMap<string, string>,
  ): ItemResult | null;
  /** Whether the key holds a comma-separated list, so that append and subtract make sense. */
  isList(resourceType: number, name: string): boolean;
  /** What the resource would have without an override: the start value of append and subtract. Null: none. */
  inheritedValue(resourceType: number, resourceName: string, name: string): string | null;
}

/** Records to append, all or nothing, and the reply once they are durable. */
export interface CommandResult<Reply> {
  readonly records: readonly MetadataRecord[];
  readonly reply: Reply;
}

/** A command of the controller's state machine: changes nothing, decides everything. */
export type Command<Reply> = (state: CommandState) => CommandResult<Reply>;

/** What an item of a command gets that its client's quota does not allow. */
export const OVER_QUOTA: ItemResult = { errorCode: ErrorCodes.THROTTLING_QUOTA_EXCEEDED, errorMessage: null };

export const OK: ItemResult = { errorCode: 0, errorMessage: null };

/** What a client's command may write at most: one command is one batch. */
export const MAX_RECORDS_PER_COMMAND = 10_000;

/** What Kafka says of each part of a command that would write more. */
export const TOO_MANY_RECORDS: ItemResult = {
  errorCode: ErrorCodes.POLICY_VIOLATION,
  errorMessage: 'Unable to perform excessively large batch operation.',
};

/**
 * The result of a client's command. With too many records nothing is done and `refused` is the reply, also for a client that
 * only wants to know whether it would be done (`validateOnly`).
 */
export function bounded<Reply>(
  { records, reply }: CommandResult<Reply>,
  refused: () => Reply,
  validateOnly = false,
): CommandResult<Reply> {
  if (records.length > MAX_RECORDS_PER_COMMAND) return { records: [], reply: refused() };
  return { records: validateOnly ? [] : records, reply };
}

/** The reply of a command for partitions that has too many records. */
export function refusedPartitions(reply: readonly TopicPartitionResults[]): TopicPartitionResults[] {
  return reply.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, ...TOO_MANY_RECORDS })),
  }));
}
