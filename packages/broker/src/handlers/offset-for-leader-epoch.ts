import {
  ApiKeys,
  ErrorCodes,
  type OffsetForLeaderEpochRequest,
  offsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  offsetForLeaderEpochResponse,
} from '@ottla/protocol';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';

type PartitionQuestion = OffsetForLeaderEpochRequest['topics'][number]['partitions'][number];
type PartitionAnswer = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

/** OffsetForLeaderEpoch 2 to 4: where an epoch ended, by which consumers notice that a log was truncated (KIP-320). */
export function offsetForLeaderEpochHandler(deps: {
  readonly replicaManager: ReplicaManager;
}): ApiHandler<OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse> {
  return {
    apiKey: ApiKeys.OffsetForLeaderEpoch,
    minVersion: 2,
    maxVersion: 4,
    request: offsetForLeaderEpochRequest,
    response: offsetForLeaderEpochResponse,

    handle(request) {
      const topics = request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map((question) => answerOf(deps.replicaManager, topic, question)),
      }));
      return { throttleTimeMs: 0, topics };
    },

    errorResponse(request, errorCode) {
      const topics = request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition }) => unknownEnd(partition, errorCode)),
      }));
      return { throttleTimeMs: 0, topics };
    },
  };
}

function answerOf(
  replicaManager: ReplicaManager,
  topic: string,
  question: PartitionQuestion,
): PartitionAnswer {
  const partition = replicaManager.partition(topic, question.partition);
  if (typeof partition === 'number') return unknownEnd(question.partition, partition);
  const roleError = partition.checkRequest(question.currentLeaderEpoch, true);
  if (roleError !== 0) return unknownEnd(question.partition, roleError);
  const { leaderEpoch, endOffset } = partition.endOffsetForEpoch(question.leaderEpoch);
  return { errorCode: ErrorCodes.NONE, partition: question.partition, leaderEpoch, endOffset };
}

function unknownEnd(partition: number, errorCode: number): PartitionAnswer {
  return { errorCode, partition, leaderEpoch: -1, endOffset: -1 };
}
