import type { TopicPartition } from '../../admin/admin-requests.ts';

/** The partitions of `a` that are not in `b`. */
export function withoutPartitions(
  a: readonly TopicPartition[],
  b: readonly TopicPartition[],
): TopicPartition[] {
  const ids = new Set(b.map(idOf));
  return a.filter((each) => !ids.has(idOf(each)));
}

function idOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}
