import {
  ApiKeys,
  electLeadersRequest,
  electLeadersResponse,
  ErrorCodes,
  errorMessage as errorText,
} from '@ottla/protocol';
import type { ElectLeadersRequest, ElectLeadersResponse } from '@ottla/protocol';
import type { Controller, TopicPartitionResults } from '../controller/controller.ts';
import { ElectionType } from '../controller/elect-leaders.ts';
import type { ApiHandler } from './handler.ts';

const knownTypes: ReadonlySet<number> = new Set(Object.values(ElectionType));

/** ElectLeaders (KIP-183; unclean elections since version 1, KIP-460). Every partition has its own result. */
export function electLeadersHandler(deps: {
  readonly controller: Controller;
}): ApiHandler<ElectLeadersRequest, ElectLeadersResponse> {
  return {
    apiKey: ApiKeys.ElectLeaders,
    minVersion: 0,
    maxVersion: 2,
    request: electLeadersRequest,
    response: electLeadersResponse,

    async handle(request, context) {
      const electionType = context.apiVersion === 0 ? ElectionType.preferred : request.electionType;
      if (!knownTypes.has(electionType)) {
        return refusal(request, ErrorCodes.INVALID_REQUEST, `Unknown election type ${electionType}`);
      }
      const topics = request.topicPartitions;
      const results = await deps.controller.electLeaders({ electionType, topics });
      return answer(ErrorCodes.NONE, results);
    },

    errorResponse: (request, errorCode) => refusal(request, errorCode, errorText(errorCode)),
  };
}

function refusal(
  { topicPartitions }: ElectLeadersRequest,
  errorCode: number,
  errorMessage: string | null,
): ElectLeadersResponse {
  const results = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((partitionIndex) => ({ partitionIndex, errorCode, errorMessage })),
  }));
  return answer(errorCode, results);
}

function answer(errorCode: number, results: readonly TopicPartitionResults[]): ElectLeadersResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    replicaElectionResults: results.map(({ topic, partitions }) => ({
      topic,
      partitionResult: partitions.map(({ partitionIndex, ...result }) => ({
        partitionId: partitionIndex,
        ...result,
      })),
    })),
  };
}
