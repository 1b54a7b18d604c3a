import type { CallLimits } from '../cluster/limits.ts';
import { type KafkaError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { byTopic } from './per-item.ts';

/** A partition whose replicas are on the move. */
export interface Reassignment extends TopicPartition {
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly removingReplicas: readonly number[];
}

/** A partition and its error, null when all went well. */
export type PartitionOutcome = TopicPartition & { readonly error: KafkaError | null };

/** How long brokers may work on one request. */
const TIMEOUT_MS = 30_000;

/** Where replicas are and which of them lead. */
export class ReplicasAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** Elects leaders: the preferred replica, or with `unclean` any that is left, which loses records. Default: all partitions. */
  electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] | 'all' = 'all',
    options: CallLimits = {},
  ): Promise<PartitionOutcome[]> {
    const topicPartitions =
      partitions === 'all'
        ? null
        : byTopic(partitions, (topic, members) => ({
            topic,
            partitions: members.map(({ partition }) => partition),
          }));
    const body = (version: number) => ({
      ...(version >= 1 && { electionType: type === 'unclean' ? 1 : 0 }),
      topicPartitions,
      timeoutMs: TIMEOUT_MS,
    });
    const request = { api: apis.electLeaders, body, minVersion: type === 'unclean' ? 1 : 0 };
    return this.#requests.ask('controller', request, options, (answer) => {
      throwIfError(answer.errorCode);
      return answer.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
        partitionResult.map((each) => outcome(topic, each.partitionId, each)),
      );
    });
  }

  /** Moves partitions to other brokers (the first of `replicas` is preferred); null calls off a move that is under way. */
  reassign(
    moves: readonly (TopicPartition & { readonly replicas: readonly number[] | null })[],
    options: CallLimits = {},
  ): Promise<PartitionOutcome[]> {
    const body = {
      timeoutMs: TIMEOUT_MS,
      topics: byTopic(moves, (name, members) => ({
        name,
        partitions: members.map(({ partition, replicas }) => ({ partitionIndex: partition, replicas })),
      })),
    };
    return this.#requests.ask(
      'controller',
      { api: apis.alterPartitionReassignments, body },
      options,
      (answer) => {
        throwIfError(answer.errorCode, answer.errorMessage);
        return answer.responses.flatMap(({ name, partitions }) =>
          partitions.map((each) => outcome(name, each.partitionIndex, each)),
        );
      },
    );
  }

  /** Moves that are under way: of all partitions, or of those given. */
  listReassignments(
    partitions: readonly TopicPartition[] | 'all' = 'all',
    options: CallLimits = {},
  ): Promise<Reassignment[]> {
    const topics =
      partitions === 'all'
        ? null
        : byTopic(partitions, (name, members) => ({
            name,
            partitionIndexes: members.map(({ partition }) => partition),
          }));
    const request = { api: apis.listPartitionReassignments, body: { topics, timeoutMs: TIMEOUT_MS } };
    return this.#requests.ask('controller', request, options, (answer) => {
      throwIfError(answer.errorCode, answer.errorMessage);
      return answer.topics.flatMap(({ name, partitions: moving }) =>
        moving.map(({ partitionIndex, replicas, addingReplicas, removingReplicas }) => ({
          topic: name,
          partition: partitionIndex,
          replicas,
          addingReplicas,
          removingReplicas,
        })),
      );
    });
  }
}

function outcome(
  topic: string,
  partition: number,
  { errorCode, errorMessage }: { readonly errorCode: number; readonly errorMessage: string | null },
): PartitionOutcome {
  const error = errorOf(errorCode, errorMessage, `partition ${topic}-${partition}`) ?? null;
  return { topic, partition, error };
}
