import {
  ApiKeys,
  ErrorCodes,
  type ListOffsetsRequest,
  listOffsetsRequest,
  type ListOffsetsResponse,
  listOffsetsResponse,
} from '@ottla/protocol';
import { LogError, type TimestampAndOffset } from '@ottla/storage';
import { SYNC_WAIT_MS } from '../replica/append.ts';
import type { Partition } from '../replica/partition.ts';
import { FetchIsolation } from '../replica/partition-read.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';

type PartitionQuestion = ListOffsetsRequest['topics'][number]['partitions'][number];
type PartitionAnswer = ListOffsetsResponse['topics'][number]['partitions'][number];

/** Timestamps with a meaning of their own, and the version since which a client may use each. */
const Timestamp = {
  latest: -1,
  earliest: -2,
  max: -3,
  earliestLocal: -4,
  latestTiered: -5,
  earliestPendingUpload: -6,
} as const;
const SINCE_VERSION: ReadonlyMap<number, number> = new Map([
  [Timestamp.latest, 1],
  [Timestamp.earliest, 1],
  [Timestamp.max, 7],
  [Timestamp.earliestLocal, 8],
  [Timestamp.latestTiered, 9],
  [Timestamp.earliestPendingUpload, 11],
]);
/** Where a log begins does not depend on what is committed, and tiers there are none. */
const ANSWERED_AT_ONCE: ReadonlySet<number> = new Set([
  Timestamp.earliest,
  Timestamp.earliestLocal,
  Timestamp.latestTiered,
  Timestamp.earliestPendingUpload,
]);
const LEADER_EPOCH_VERSION = 4;
const OFFSET_NOT_AVAILABLE_VERSION = 5;
const CONSUMER_REPLICA_ID = -1;
const DEBUGGING_REPLICA_ID = -2;
const READ_COMMITTED = 1;

/**
 * ListOffsets 1 to 11 (2: isolation level; 4: leader epoch; 7: max timestamp; 8: earliest local; 9: latest tiered;
 * 11: earliest pending upload). Without tiered storage the tiered offsets are -1.
 */
export function listOffsetsHandler(deps: {
  readonly replicaManager: ReplicaManager;
}): ApiHandler<ListOffsetsRequest, ListOffsetsResponse> {
  return {
    apiKey: ApiKeys.ListOffsets,
    minVersion: 1,
    maxVersion: 11,
    request: listOffsetsRequest,
    response: listOffsetsResponse,

    async handle(request, context) {
      const topics = questionsByTopic(request).map(async ([name, questions]) => {
        const partitions = Array.from(questions, ([partitionIndex, { question, isNamedAgain }]) => {
          const lookup = new OffsetLookup(request, question, context.apiVersion);
          return isNamedAgain
            ? lookup.failed(ErrorCodes.INVALID_REQUEST)
            : lookup.run(deps.replicaManager, deps.replicaManager.partition(name, partitionIndex));
        });
        return { name, partitions: await Promise.all(partitions) };
      });
      return { throttleTimeMs: 0, topics: await Promise.all(topics) };
    },

    errorResponse(request, errorCode) {
      const topics = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => unknownOffset(partitionIndex, errorCode)),
      }));
      return { throttleTimeMs: 0, topics };
    },
  };
}

type Questions = Map<number, { readonly question: PartitionQuestion; readonly isNamedAgain: boolean }>;

/** Every partition once, wherever in the request its topic stands; one that is named twice is answered with an error. */
function questionsByTopic(request: ListOffsetsRequest): [topic: string, Questions][] {
  const topics = new Map<string, Questions>();
  for (const { name, partitions } of request.topics) {
    const questions: Questions = topics.get(name) ?? new Map();
    topics.set(name, questions);
    for (const question of partitions) {
      const { partitionIndex } = question;
      // Its answer stands where it is named last, as in Kafka.
      const isNamedAgain = questions.delete(partitionIndex);
      questions.set(partitionIndex, { question, isNamedAgain });
    }
  }
  return [...topics];
}

function unknownOffset(partitionIndex: number, errorCode: number): PartitionAnswer {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
}

/** The question for one partition. */
class OffsetLookup {
  readonly #request: ListOffsetsRequest;
  readonly #question: PartitionQuestion;
  readonly #version: number;

  constructor(request: ListOffsetsRequest, question: PartitionQuestion, version: number) {
    this.#request = request;
    this.#question = question;
    this.#version = version;
  }

  failed(errorCode: number): PartitionAnswer {
    return unknownOffset(this.#question.partitionIndex, errorCode);
  }

  async run(replicaManager: ReplicaManager, partition: Partition | number): Promise<PartitionAnswer> {
    const { timestamp } = this.#question;
    if (timestamp < 0 && this.#version < (SINCE_VERSION.get(timestamp) ?? Number.POSITIVE_INFINITY)) {
      return this.failed(ErrorCodes.UNSUPPORTED_VERSION);
    }
    if (typeof partition === 'number') return this.failed(partition);
    const refusal = this.#roleError(partition);
    if (refusal !== 0) return this.failed(refusal);
    if (this.#isolation() !== null && !ANSWERED_AT_ONCE.has(timestamp)) {
      await replicaManager.whenCommitted(partition, partition.log!.logEndOffset, SYNC_WAIT_MS);
      // Much may have happened to the partition meanwhile.
      const newRefusal = this.#roleError(partition);
      if (newRefusal !== 0) return this.failed(newRefusal);
    }
    try {
      return await this.#find(partition);
    } catch (error) {
      if (error instanceof LogError) return this.failed(error.errorCode);
      throw error;
    }
  }

  #roleError(partition: Partition): number {
    const isLeaderRequired = this.#request.replicaId !== DEBUGGING_REPLICA_ID;
    return partition.checkRequest(this.#question.currentLeaderEpoch, isLeaderRequired);
  }

  async #find(partition: Partition): Promise<PartitionAnswer> {
    const { timestamp } = this.#question;
    const log = partition.log!;
    const isolation = this.#isolation();
    const lastFetchable = partition.lastFetchableOffset(isolation);
    const isUnavailable = isolation !== null && partition.isOffsetUnavailable;
    switch (timestamp) {
      case Timestamp.latest:
        if (isUnavailable) return this.#notAvailable();
        return this.#found({ timestamp: -1, offset: lastFetchable, leaderEpoch: partition.leaderEpoch });
      case Timestamp.earliest:
      case Timestamp.earliestLocal: {
        const offset = log.logStartOffset;
        return this.#found({ timestamp: -1, offset, leaderEpoch: log.epochForOffset(offset) });
      }
      case Timestamp.latestTiered:
      case Timestamp.earliestPendingUpload:
        return this.#found({ timestamp: -1, offset: -1, leaderEpoch: -1 });
      default: {
        const found =
          timestamp === Timestamp.max
            ? await partition.offsetOfMaxTimestamp()
            : await partition.offsetForTimestamp(timestamp);
        if (found.offset >= 0 && found.offset < lastFetchable) return this.#found(found);
        return isUnavailable ? this.#notAvailable() : this.failed(ErrorCodes.NONE);
      }
    }
  }

  /** Null when a replica asks: it may know everything. */
  #isolation(): FetchIsolation | null {
    if (this.#request.replicaId !== CONSUMER_REPLICA_ID) return null;
    return this.#request.isolationLevel === READ_COMMITTED
      ? FetchIsolation.txnCommitted
      : FetchIsolation.highWatermark;
  }

  #notAvailable(): PartitionAnswer {
    return this.failed(
      this.#version >= OFFSET_NOT_AVAILABLE_VERSION
        ? ErrorCodes.OFFSET_NOT_AVAILABLE
        : ErrorCodes.LEADER_NOT_AVAILABLE,
    );
  }

  #found(found: TimestampAndOffset): PartitionAnswer {
    return {
      partitionIndex: this.#question.partitionIndex,
      errorCode: ErrorCodes.NONE,
      timestamp: found.timestamp,
      offset: found.offset,
      leaderEpoch: this.#version >= LEADER_EPOCH_VERSION ? found.leaderEpoch : -1,
    };
  }
}
