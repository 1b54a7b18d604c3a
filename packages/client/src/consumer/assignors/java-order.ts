import type { TopicPartition } from '../../admin/admin-requests.ts';

/**
 * The order in which Java's HashMap goes through its keys. Kafka's sticky assignors walk maps of member ids, and which of two equal
 * members keeps one partition more depends on it; with the same order we decide as Java does.
 */
export function inJavaOrder<T>(items: readonly T[], hashOf: (item: T) => number): T[] {
  let size = 16;
  while (items.length > size * 0.75) size *= 2;
  const bucketOf = (item: T): number => {
    const hash = hashOf(item);
    return (hash ^ (hash >>> 16)) & (size - 1);
  };
  // Sorting is stable: inside a bucket the order of insertion stays, also when the table grows.
  return items
    .map((item) => ({ item, bucket: bucketOf(item) }))
    .sort((a, b) => a.bucket - b.bucket)
    .map(({ item }) => item);
}

/** Java's `String.hashCode`. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let index = 0; index < text.length; index += 1)
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
  return hash;
}

/** `TopicPartition.hashCode` of the Java client. */
export function javaPartitionHash({ topic, partition }: TopicPartition): number {
  return (Math.imul(31, (31 + partition) | 0) + javaHash(topic)) | 0;
}
