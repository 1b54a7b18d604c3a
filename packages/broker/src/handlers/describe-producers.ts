import {
  ApiKeys,
  type DescribeProducersRequest,
  describeProducersRequest,
  type DescribeProducersResponse,
  describeProducersResponse,
  ErrorCodes,
} from '@ottla/protocol';
import { topicNameProblem } from '../controller/topic-names.ts';
import type { MetadataStore } from '../metadata/image.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';

type PartitionAnswer = DescribeProducersResponse['topics'][number]['partitions'][number];

/** Kafka's text, which its tools print. */
const NOT_HOSTED = 'This server does not host this topic-partition.';

/** DescribeProducers 0 (KIP-664): the producers that a partition's leader remembers, with their open transactions. */
export function describeProducersHandler(deps: {
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
}): ApiHandler<DescribeProducersRequest, DescribeProducersResponse> {
  return {
    apiKey: ApiKeys.DescribeProducers,
    minVersion: 0,
    maxVersion: 0,
    request: describeProducersRequest,
    response: describeProducersResponse,

    handle({ topics }) {
      const { byName } = deps.metadata.current().topics;
      // What is named again is the same object again: a few bytes of the request must not cost its answer's memory each time.
      const answers = new Map<string, PartitionAnswer>();
      return {
        throttleTimeMs: 0,
        topics: topics.map(({ name, partitionIndexes }) => {
          const problem = topicNameProblem(name);
          const answer = (partition: number): PartitionAnswer => {
            if (problem !== null) return refusal(partition, ErrorCodes.INVALID_TOPIC_EXCEPTION, problem);
            if (!byName.has(name))
              return refusal(partition, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION, NOT_HOSTED);
            const key = `${partition} ${name}`;
            const known = answers.get(key) ?? describe(name, partition);
            answers.set(key, known);
            return known;
          };
          return { name, partitions: partitionIndexes.map(answer) };
        }),
      };
    },

    errorResponse: (request, errorCode) => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partition) => refusal(partition, errorCode, null)),
      })),
    }),
  };

  function describe(topic: string, partitionIndex: number): PartitionAnswer {
    const partition = deps.replicaManager.partition(topic, partitionIndex);
    if (typeof partition === 'number') return refusal(partitionIndex, partition, null);
    const roleError = partition.checkRequest(-1, true);
    if (roleError !== ErrorCodes.NONE) return refusal(partitionIndex, roleError, null);
    return {
      ...refusal(partitionIndex, ErrorCodes.NONE, null),
      activeProducers: partition.log?.activeProducers() ?? [],
    };
  }
}

function refusal(partitionIndex: number, errorCode: number, message: string | null): PartitionAnswer {
  return { partitionIndex, errorCode, errorMessage: message, activeProducers: [] };
}
