import {
  type AlterReplicaLogDirsRequest,
  alterReplicaLogDirsRequest,
  type AlterReplicaLogDirsResponse,
  alterReplicaLogDirsResponse,
  ApiKeys,
} from '@ottla/protocol';
import type { ReplicaManager } from '../replica/replica-manager.ts';
import type { ApiHandler } from './handler.ts';

/** AlterReplicaLogDirs 1 to 2 (KIP-113): moves logs between the `log.dirs` of this broker. Every partition has its own result. */
export function alterReplicaLogDirsHandler(deps: {
  readonly replicaManager: ReplicaManager;
}): ApiHandler<AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse> {
  return {
    apiKey: ApiKeys.AlterReplicaLogDirs,
    minVersion: 1,
    maxVersion: 2,
    request: alterReplicaLogDirsRequest,
    response: alterReplicaLogDirsResponse,

    handle: (request) =>
      answer(request, ({ path, topic, partition }) =>
        // A slash at the end means nothing; any other spelling of a directory is another one, as in Kafka.
        deps.replicaManager.alterLogDir({ topic, partition }, path.replace(/(?<=.)\/+$/, '')),
      ),

    errorResponse: (request, errorCode) => answer(request, () => errorCode),
  };
}

function answer(
  { dirs }: AlterReplicaLogDirsRequest,
  errorCodeOf: (move: { path: string; topic: string; partition: number }) => number,
): AlterReplicaLogDirsResponse {
  const byTopic = new Map<string, { partitionIndex: number; errorCode: number }[]>();
  for (const { path, topics } of dirs) {
    for (const { name: topic, partitions } of topics) {
      const results = byTopic.get(topic) ?? [];
      byTopic.set(topic, results);
      for (const partition of partitions)
        results.push({ partitionIndex: partition, errorCode: errorCodeOf({ path, topic, partition }) });
    }
  }
  return {
    throttleTimeMs: 0,
    results: [...byTopic].map(([topicName, partitions]) => ({ topicName, partitions })),
  };
}
