import type { TopicPartition } from '../../admin/admin-requests.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { sleep } from '../../cluster/wait.ts';
import type { TopicIdPartitions } from './consumer-member.ts';

/** How often newer metadata is asked for before an unknown id counts as a topic that is gone. */
const ATTEMPTS = 5;

/**
 * The partitions of an assignment by topic name. A topic that was created a moment ago may not be known to every broker: it is asked
 * for again a few times. Ids that stay unknown are left out; the broker takes deleted topics out of the assignment by itself.
 */
export async function resolveTopicIds(
  cluster: Cluster,
  assignment: readonly TopicIdPartitions[],
  options: { readonly topics: readonly string[] | null; readonly signal: AbortSignal },
): Promise<TopicPartition[]> {
  const { signal } = options;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (assignment.every(({ topicId }) => cluster.metadata.topicNames.has(topicId))) break;
    if (attempt > 0) await sleep(cluster.options.clock, cluster.options.retryBackoffMs, [signal]);
    await cluster.refreshMetadata({ topics: options.topics ?? 'all' }, { signal }).catch(() => {});
    signal.throwIfAborted();
  }
  return assignment.flatMap(({ topicId, partitions }) => {
    const topic = cluster.metadata.topicNames.get(topicId);
    return topic === undefined ? [] : partitions.map((partition) => ({ topic, partition }));
  });
}
