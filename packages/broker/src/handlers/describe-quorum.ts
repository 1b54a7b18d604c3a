import {
  ApiKeys,
  describeQuorumRequest,
  describeQuorumResponse,
  ErrorCodes,
  errorMessage,
  ZERO_UUID,
} from '@ottla/protocol';
import type { DescribeQuorumRequest, DescribeQuorumResponse } from '@ottla/protocol';
import type { Clock } from '@ottla/platform';
import type { Controller } from '../controller/controller.ts';
import { CLUSTER_METADATA_TOPIC } from '../controller/topic-names.ts';
import type { ApiHandler } from './handler.ts';

export interface DescribeQuorumDeps {
  readonly controller: Controller;
  readonly clock: Clock;
}

/**
 * DescribeQuorum (KIP-595): the leader of the metadata log, its voters and how far each of them is; since version 2 also
 * where they are reached (KIP-853). The one partition that may be asked about is `__cluster_metadata-0`.
 */
export function describeQuorumHandler(
  deps: DescribeQuorumDeps,
): ApiHandler<DescribeQuorumRequest, DescribeQuorumResponse> {
  return {
    apiKey: ApiKeys.DescribeQuorum,
    minVersion: 0,
    maxVersion: 2,
    request: describeQuorumRequest,
    response: describeQuorumResponse,
    handle: (request, { apiVersion }) =>
      asksForMetadataLog(request) ? description(deps, apiVersion) : unknownPartitions(request),
    errorResponse: (_request, errorCode) => ({
      errorCode,
      errorMessage: errorMessage(errorCode),
      topics: [],
      nodes: [],
    }),
  };
}

function asksForMetadataLog({ topics }: DescribeQuorumRequest): boolean {
  const [topic] = topics;
  if (topics.length !== 1 || topic?.topicName !== CLUSTER_METADATA_TOPIC) return false;
  return topic.partitions.length === 1 && topic.partitions[0]?.partitionIndex === 0;
}

function description({ controller, clock }: DescribeQuorumDeps, apiVersion: number): DescribeQuorumResponse {
  const { leaderId, leaderEpoch, highWatermark, logEndOffset, voters } = controller.describeQuorum();
  // The leader has caught up with itself at any time.
  const nowMs = clock.nowMs();
  const withPlaces = apiVersion >= 2;
  const partition = {
    partitionIndex: 0,
    errorCode: ErrorCodes.NONE,
    errorMessage: '',
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(({ voterId, directoryId }) => ({
      replicaId: voterId,
      replicaDirectoryId: withPlaces ? directoryId : ZERO_UUID,
      logEndOffset: voterId === leaderId ? logEndOffset : -1,
      lastFetchTimestamp: voterId === leaderId ? nowMs : -1,
      lastCaughtUpTimestamp: voterId === leaderId ? nowMs : -1,
    })),
    observers: [],
  };
  return {
    errorCode: ErrorCodes.NONE,
    errorMessage: '',
    topics: [{ topicName: CLUSTER_METADATA_TOPIC, partitions: [partition] }],
    nodes: (withPlaces ? voters : []).map(({ voterId, endpoints }) => ({
      nodeId: voterId,
      listeners: endpoints.map((endpoint) => ({ ...endpoint })),
    })),
  };
}

function unknownPartitions({ topics }: DescribeQuorumRequest): DescribeQuorumResponse {
  const errorCode = ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  return {
    errorCode: ErrorCodes.NONE,
    errorMessage: '',
    topics: topics.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode,
        errorMessage: 'This server does not host this topic-partition.',
        leaderId: 0,
        leaderEpoch: 0,
        highWatermark: 0,
        currentVoters: [],
        observers: [],
      })),
    })),
    nodes: [],
  };
}
