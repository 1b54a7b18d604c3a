import {
  ApiKeys,
  alterPartitionReassignmentsRequest,
  alterPartitionReassignmentsResponse,
  ErrorCodes,
  errorMessage as errorText,
} from '@ottla/protocol';
import type {
  AlterPartitionReassignmentsRequest,
  AlterPartitionReassignmentsResponse,
} from '@ottla/protocol';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from './handler.ts';

/** AlterPartitionReassignments (KIP-455; a fixed replication factor since version 1, KIP-860). */
export function alterPartitionReassignmentsHandler(deps: {
  readonly controller: Controller;
}): ApiHandler<AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse> {
  return {
    apiKey: ApiKeys.AlterPartitionReassignments,
    minVersion: 0,
    maxVersion: 1,
    request: alterPartitionReassignmentsRequest,
    response: alterPartitionReassignmentsResponse,

    async handle({ topics, allowReplicationFactorChange }) {
      const common = { throttleTimeMs: 0, errorCode: ErrorCodes.NONE };
      if (topics.length === 0) return { ...common, errorMessage: '', responses: [] };
      const results = await deps.controller.reassignPartitions({
        allowReplicationFactorChange,
        topics: topics.map(({ name, partitions }) => ({ topic: name, partitions })),
      });
      const responses = results.map(({ topic, partitions }) => ({
        name: topic,
        partitions: partitions.map((partition) => ({ ...partition })),
      }));
      return { ...common, allowReplicationFactorChange, errorMessage: null, responses };
    },

    errorResponse: ({ topics }, errorCode) => {
      const errorMessage = errorText(errorCode);
      return {
        throttleTimeMs: 0,
        errorCode,
        errorMessage,
        responses: topics.map(({ name, partitions }) => ({
          name,
          partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode, errorMessage })),
        })),
      };
    },
  };
}
