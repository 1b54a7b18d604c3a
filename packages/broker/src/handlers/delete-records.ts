import {
  ApiKeys,
  type DeleteRecordsRequest,
  deleteRecordsRequest,
  type DeleteRecordsResponse,
  deleteRecordsResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import { isInternalTopic, type ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';

export interface DeleteRecordsDependencies {
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
}

/** DeleteRecords 0 to 2: moves the log start of partitions; offset -1 stands for the high watermark. */
export function deleteRecordsHandler(
  deps: DeleteRecordsDependencies,
): ApiHandler<DeleteRecordsRequest, DeleteRecordsResponse> {
  return {
    apiKey: ApiKeys.DeleteRecords,
    minVersion: 0,
    maxVersion: 2,
    request: deleteRecordsRequest,
    response: deleteRecordsResponse,

    handle(request) {
      const topics = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => ({
          partitionIndex,
          ...deleteUpTo(deps, { topic: name, partition: partitionIndex }, offset),
        })),
      }));
      return { throttleTimeMs: 0, topics };
    },

    errorResponse(request, errorCode) {
      const topics = request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, lowWatermark: -1, errorCode })),
      }));
      return { throttleTimeMs: 0, topics };
    },
  };
}

function deleteUpTo(
  { metadata, replicaManager }: DeleteRecordsDependencies,
  { topic, partition }: { topic: string; partition: number },
  offset: number,
): { lowWatermark: number; errorCode: number } {
  if (metadata.current().topics.byName.get(topic)?.partitions[partition] === undefined) {
    return { lowWatermark: -1, errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION };
  }
  if (isInternalTopic(topic)) return { lowWatermark: -1, errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION };
  const hosted = replicaManager.partition(topic, partition);
  return typeof hosted === 'number' ? { lowWatermark: -1, errorCode: hosted } : hosted.deleteRecords(offset);
}
