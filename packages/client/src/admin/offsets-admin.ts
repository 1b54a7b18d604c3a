import { ErrorCodes } from '@ottla/protocol';
import type { CallLimits } from '../cluster/limits.ts';
import { brokerError, KafkaError } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { Topic } from '../topic.ts';
import type { AdminRequests, Outcomes, TopicPartition } from './admin-requests.ts';
import { byTopic } from './per-item.ts';
import { nameOf } from './topics-admin.ts';

/** Where in a partition: its two ends, the record with the largest timestamp, the first at or after a time, or KIP-405's ends. */
export type OffsetSpec =
  | 'earliest'
  | 'latest'
  | 'max-timestamp'
  | 'earliest-local'
  | 'latest-tiered'
  | 'earliest-pending-upload'
  | Date
  | { readonly timestampMs: number };

/** ListOffsets' special timestamps, and the first version that has them. */
const SPECIAL = {
  latest: { timestamp: -1, minVersion: 1 },
  earliest: { timestamp: -2, minVersion: 1 },
  'max-timestamp': { timestamp: -3, minVersion: 7 },
  'earliest-local': { timestamp: -4, minVersion: 8 },
  'latest-tiered': { timestamp: -5, minVersion: 9 },
  'earliest-pending-upload': { timestamp: -6, minVersion: 11 },
} as const;

/** An offset that was looked up; -1 when no record is there (none at or after the time). */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
  /** Of the record; -1 for the ends. */
  readonly timestampMs: number;
  readonly leaderEpoch: number;
  readonly error: null;
}

/** A partition whose outcome is an error of its own. */
export interface PartitionFailure extends TopicPartition {
  readonly error: KafkaError;
}

/** How offsets are looked up. */
export interface ListOffsetsOptions extends CallLimits {
  /** `read_committed` counts up to the last stable offset. Default: `read_uncommitted`. */
  readonly isolationLevel?: 'read_uncommitted' | 'read_committed';
}

/** The outcome of deleting records: the first offset that is left. */
export interface DeletedRecords extends TopicPartition {
  readonly lowWatermark: number;
  readonly error: null;
}

/** Offsets of partitions: looking them up, and deleting records before them. */
export class OffsetsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Looks up offsets in all partitions of topics. Partitions that fail carry their error. */
  async list(
    topics: string | Topic | readonly (string | Topic)[],
    spec: OffsetSpec,
    options: ListOffsetsOptions = {},
  ): Promise<(PartitionOffset | PartitionFailure)[]> {
    const names = ((Array.isArray(topics) ? topics : [topics]) as readonly (string | Topic)[]).map(nameOf);
    const known = await this.#requests.cluster.topics(names, options);
    const partitions = [...known.values()].flatMap((topic) =>
      topic.partitions.map(({ partition }) => ({ topic: topic.name, partition, spec })),
    );
    return this.listPartitions(partitions, options);
  }

  /** Looks up an offset in each of the partitions. */
  async listPartitions(
    partitions: readonly (TopicPartition & { readonly spec: OffsetSpec })[],
    options: ListOffsetsOptions = {},
  ): Promise<(PartitionOffset | PartitionFailure)[]> {
    const isolationLevel = options.isolationLevel === 'read_committed' ? 1 : 0;
    const results = await this.#requests.toLeaders(
      'Listing offsets',
      partitions,
      options,
      async (nodeId, group, attempt) => {
        const minVersion = Math.max(
          isolationLevel === 1 ? 2 : 1,
          ...group.map(({ spec }) => minVersionOf(spec)),
        );
        const body = {
          replicaId: -1,
          ...(isolationLevel === 1 && { isolationLevel }),
          topics: byTopic(group, (name, members) => ({
            name,
            partitions: members.map(({ topic, partition, spec }) => ({
              partitionIndex: partition,
              currentLeaderEpoch: this.#requests.cluster.partition(topic, partition)?.leaderEpoch ?? -1,
              timestamp: timestampOf(spec),
            })),
          })),
          timeoutMs: attempt.remainingMs,
        };
        const answer = await this.#requests.send(
          nodeId,
          { api: apis.listOffsets, body, minVersion },
          attempt,
        );
        return outcomes(group, answer.topics, (found, what) =>
          found.errorCode === ErrorCodes.NONE
            ? {
                offset: found.offset,
                timestampMs: found.timestamp,
                leaderEpoch: found.leaderEpoch,
                error: null,
              }
            : brokerError(found.errorCode, null, what),
        );
      },
    );
    return withPlaces(results);
  }

  /**
   * Deletes the records before an offset of each partition; -1 deletes all there are. What is deleted is gone for every consumer.
   */
  async deleteRecords(
    partitions: readonly (TopicPartition & { readonly beforeOffset: number })[],
    options: CallLimits = {},
  ): Promise<(DeletedRecords | PartitionFailure)[]> {
    const results = await this.#requests.toLeaders(
      'Deleting records',
      partitions,
      options,
      async (nodeId, group, attempt) => {
        const body = {
          topics: byTopic(group, (name, members) => ({
            name,
            partitions: members.map(({ partition, beforeOffset }) => ({
              partitionIndex: partition,
              offset: beforeOffset,
            })),
          })),
          timeoutMs: Math.min(attempt.remainingMs, this.#requests.cluster.options.requestTimeoutMs),
        };
        const answer = await this.#requests.send(nodeId, { api: apis.deleteRecords, body }, attempt);
        return outcomes(group, answer.topics, (found, what) =>
          found.errorCode === ErrorCodes.NONE
            ? { lowWatermark: found.lowWatermark, error: null }
            : brokerError(found.errorCode, null, what),
        );
      },
    );
    return withPlaces(results);
  }
}

function timestampOf(spec: OffsetSpec): number {
  if (typeof spec === 'string') return SPECIAL[spec].timestamp;
  return spec instanceof Date ? spec.getTime() : spec.timestampMs;
}

function minVersionOf(spec: OffsetSpec): number {
  return typeof spec === 'string' ? SPECIAL[spec].minVersion : 1;
}

/** Finds each partition's part of an answer of topics and partitions. */
export function outcomes<P extends TopicPartition, A extends { readonly partitionIndex: number }, T>(
  group: readonly P[],
  answers: readonly { readonly name: string; readonly partitions: readonly A[] }[],
  read: (answer: A, what: string) => T | KafkaError,
): Outcomes<P, T> {
  const byPlace = new Map<string, A>();
  for (const { name, partitions } of answers)
    for (const each of partitions) byPlace.set(`${name}-${each.partitionIndex}`, each);
  return group.flatMap((item): (readonly [P, T | KafkaError])[] => {
    const place = `${item.topic}-${item.partition}`;
    const answer = byPlace.get(place);
    return answer === undefined ? [] : [[item, read(answer, `partition ${place}`)]];
  });
}

/** Each outcome with its partition. */
export function withPlaces<P extends TopicPartition, T extends object>(
  results: ReadonlyMap<P, T | KafkaError>,
): ((TopicPartition & T) | PartitionFailure)[] {
  return [...results].map(([{ topic, partition }, outcome]) =>
    outcome instanceof KafkaError ? { topic, partition, error: outcome } : { topic, partition, ...outcome },
  );
}
