import { Admin } from '../admin/admin.ts';
import type { TopicSpec } from '../admin/topics-admin.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors/kafka-error.ts';
import type { Topic } from '../topic.ts';
import type { RetryTopicShape } from './retry-options.ts';

/**
 * Creates the topics that records go to when they fail, as far as they are missing and wanted, and tells how many partitions each has.
 * Rejects with the broker's error when one cannot be created.
 */
export async function prepareTopics(
  cluster: Cluster,
  wanted: {
    readonly topics: readonly Topic[];
    readonly suffixes: readonly string[];
    /** Null: nothing is created. */
    readonly shape: RetryTopicShape | null;
    readonly signal: AbortSignal;
  },
): Promise<ReadonlyMap<string, number>> {
  const { topics, suffixes, shape, signal } = wanted;
  await using admin = new Admin(cluster);
  if (suffixes.length === 0) return new Map();
  if (shape !== null) {
    const names = topics.map(({ name }) => name);
    const main = await partitionCounts(admin, names, signal);
    const specs = topics.flatMap((topic) =>
      suffixes.map((suffix): TopicSpec => ({
        name: topic.name + suffix,
        partitions: shape.partitions ?? main.get(topic.name) ?? topic.partitions,
        replicationFactor: shape.replicationFactor,
        configs: shape.configs,
      })),
    );
    await admin.topics.ensure(specs, { signal });
  }
  const names = topics.flatMap(({ name }) => suffixes.map((suffix) => name + suffix));
  return partitionCounts(admin, names, signal);
}

async function partitionCounts(
  admin: Admin,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const [name, found] of await admin.topics.describe(names, { signal })) {
    // What does not exist may be created by whoever writes to it first.
    if (!(found instanceof KafkaError)) counts.set(name, found.partitions.length);
    else if (found.name !== 'UNKNOWN_TOPIC_OR_PARTITION') throw found;
  }
  return counts;
}
