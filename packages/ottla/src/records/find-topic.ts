import type { TopicDescription } from '@ottla/client';
import type { ClusterAccess } from '../cluster/run-on-cluster.ts';

/** The topic as it is now, without waiting for it; null when it is not there (yet). */
export async function findTopic(
  { admin, limits }: Pick<ClusterAccess, 'admin' | 'limits'>,
  topic: string,
): Promise<TopicDescription | null> {
  try {
    return await admin.topics.describe(topic, limits);
  } catch (error) {
    if ((error as Error).name === 'UNKNOWN_TOPIC_OR_PARTITION') return null;
    throw error;
  }
}
