import { ErrorCodes } from '@ottla/protocol';
import { CoordinatorError } from '../../../runtime/coordinator-error.ts';

/** What keeps a group from working, as its members are told with each heartbeat; by Kafka's numbers (KIP-1071). */
export const StreamsStatus = {
  staleTopology: 0,
  missingSourceTopics: 1,
  incorrectlyPartitionedTopics: 2,
  missingInternalTopics: 3,
  shutdownApplication: 4,
  assignmentDelayed: 5,
} as const;

/** A status with its explanation. */
export interface Status {
  readonly statusCode: number;
  readonly statusDetail: string;
}

/** Topics are not as the topology needs them; somebody may still mend that, so it is a status and no error. */
export class TopicsNotReady extends Error {
  readonly status: Status;

  constructor(statusCode: number, statusDetail: string) {
    super(statusDetail);
    this.status = { statusCode, statusDetail };
  }
}

/** The refusal of a topology that no topics could make right. */
export function invalidTopology(message: string): CoordinatorError {
  return new CoordinatorError(ErrorCodes.STREAMS_INVALID_TOPOLOGY, message);
}

/** The refusal of what Kafka does not expect either, and answers with UNKNOWN_SERVER_ERROR. */
export function unexpected(message: string): CoordinatorError {
  return new CoordinatorError(ErrorCodes.UNKNOWN_SERVER_ERROR, message);
}
