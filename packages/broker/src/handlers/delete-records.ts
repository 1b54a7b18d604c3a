import {
  ApiKeys,
  type DeleteRecordsRequest,
  deleteRecordsRequest,
  type DeleteRecordsResponse,
  deleteRecordsResponse,
  ErrorCodes,
} from '@ottla/protocol';
import type { MetadataStore } from '../metadata/image.ts';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';
import { isInternalTopic } from '../controller/topic-names.ts';

export interface DeleteRecordsDependencies {
  readonly metadata: MetadataStore;
  readonly replicaManager: ReplicaManager;
}

/** DeleteRecords 0 to 2: moves the log start of partitions; offset -1 stands for the end of what is acknowledged. */
export function deleteRecordsHandler(
  deps: DeleteRecordsDependencies,
): ApiHandler<DeleteRecordsRequest, DeleteRecordsResponse> {
  return {
    apiKey: ApiKeys.DeleteRecords,
    minVersion: 0,
    maxVersion: 2,
    request: deleteRecordsRequest,
    response: deleteRecordsResponse,

    async handle(request) {
      const topics = request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async ({ partitionIndex, offset }) => ({
            partitionIndex,
            ...(await deleteUpTo(deps, { topic: name, partition: partitionIndex }, offset)),
          })),
        ),
      }));
      return { throttleTimeMs: 0, topics: await Promise.all(topics) };
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

async function deleteUpTo(
  { metadata, replicaManager }: DeleteRecordsDependencies,
  { topic, partition }: { topic: string; partition: number },
  offset: number,
): Promise<{ lowWatermark: number; errorCode: number }> {
  if (metadata.current().topics.byName.get(topic)?.partitions[partition] === undefined) {
    return { lowWatermark: -1, errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION };
  }
  if (isInternalTopic(topic)) return { lowWatermark: -1, errorCode: ErrorCodes.INVALID_TOPIC_EXCEPTION };
  const hosted = replicaManager.partition(topic, partition);
  if (typeof hosted === 'number') return { lowWatermark: -1, errorCode: hosted };
  const end = offset === -1 ? (hosted.log?.logEndOffset ?? -1) : offset;
  await replicaManager.whenCommitted(hosted, end, Number.POSITIVE_INFINITY);
  return hosted.deleteRecords(end);
}
