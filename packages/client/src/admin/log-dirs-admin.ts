import type { CallLimits } from '../cluster/limits.ts';
import { type KafkaError, throwIfError, errorOf } from '../errors/kafka-error.ts';
import { apis } from '../network/apis.ts';
import type { AdminRequests, TopicPartition } from './admin-requests.ts';
import { groupBy, type PerItem, byTopic } from './per-item.ts';

/** A replica on a broker's disk. */
export interface ReplicaOnDisk extends TopicPartition {
  readonly sizeBytes: number;
  /** How far it is behind the current replica (future) or the high watermark. */
  readonly offsetLag: number;
  /** Being made to take the place of the replica in another directory. */
  readonly isFuture: boolean;
}

/** One of the `log.dirs` of a broker. */
export interface LogDirDescription {
  readonly path: string;
  /** KAFKA_STORAGE_ERROR when the directory is offline. */
  readonly error: KafkaError | null;
  readonly replicas: readonly ReplicaOnDisk[];
  /** Of the volume; undefined when the broker does not say. */
  readonly totalBytes: number | undefined;
  readonly usableBytes: number | undefined;
}

/** Log directories of brokers. */
export class LogDirsAdmin {
  readonly #requests: AdminRequests;

  constructor(requests: AdminRequests) {
    this.#requests = requests;
  }

  /** The log directories of the brokers (default: all), with the replicas in them; an outcome for each broker. */
  async describe(
    options: CallLimits & {
      readonly brokerIds?: readonly number[];
      readonly partitions?: readonly TopicPartition[];
    } = {},
  ): Promise<PerItem<LogDirDescription[], number>> {
    const brokerIds = options.brokerIds ?? [
      ...(await this.#requests.cluster.refreshMetadata({}, options)).brokers.keys(),
    ];
    const topics =
      options.partitions === undefined
        ? null
        : byTopic(options.partitions, (topic, members) => ({
            topic,
            partitions: members.map(({ partition }) => partition),
          }));
    const request = { api: apis.describeLogDirs, body: { topics } };
    return this.#requests.toNodes(
      'Describing log directories',
      brokerIds,
      options,
      async (nodeId, attempt) => {
        const answer = await this.#requests.send(nodeId, request, attempt);
        throwIfError(answer.errorCode, null, `broker ${nodeId}`);
        return answer.results.map((dir) => ({
          path: dir.logDir,
          error: errorOf(dir.errorCode, null, `directory "${dir.logDir}"`) ?? null,
          totalBytes: dir.totalBytes < 0 ? undefined : dir.totalBytes,
          usableBytes: dir.usableBytes < 0 ? undefined : dir.usableBytes,
          replicas: dir.topics.flatMap(({ name, partitions }) =>
            partitions.map((each) => ({
              topic: name,
              partition: each.partitionIndex,
              sizeBytes: each.partitionSize,
              offsetLag: each.offsetLag,
              isFuture: each.isFutureKey,
            })),
          ),
        }));
      },
    );
  }

  /** Moves replicas to other directories of their brokers. An error belongs to its replica. */
  async alterReplicas(
    moves: readonly (TopicPartition & { readonly brokerId: number; readonly path: string })[],
    options: CallLimits = {},
  ): Promise<(TopicPartition & { readonly brokerId: number; readonly error: KafkaError | null })[]> {
    const byBroker = groupBy(moves, ({ brokerId }) => brokerId);
    const answers = await Promise.all(
      [...byBroker].map(async ([brokerId, group]) => {
        const dirs = [...groupBy(group, ({ path }) => path)].map(([path, members]) => ({
          path,
          topics: byTopic(members, (name, each) => ({
            name,
            partitions: each.map(({ partition }) => partition),
          })),
        }));
        return this.#requests.ask(
          brokerId,
          { api: apis.alterReplicaLogDirs, body: { dirs } },
          options,
          ({ results }) =>
            results.flatMap(({ topicName, partitions }) =>
              partitions.map(({ partitionIndex, errorCode }) => ({
                topic: topicName,
                partition: partitionIndex,
                brokerId,
                error:
                  errorOf(errorCode, null, `replica ${topicName}-${partitionIndex} on broker ${brokerId}`) ??
                  null,
              })),
            ),
        );
      }),
    );
    return answers.flat();
  }
}
