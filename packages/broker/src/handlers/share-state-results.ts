import { errorMessage } from '@ottla/protocol';
import type { SharePartitionKey } from '../coordinator/share/share-state-types.ts';

/** A request of the share-state APIs: share partitions of one group, by topic. */
interface StateRequest<Partition> {
  readonly groupId: string;
  readonly topics: readonly { readonly topicId: string; readonly partitions: readonly Partition[] }[];
}

/** Asks for every partition of a request side by side; an empty group id asks for none, as in Kafka. */
export async function forEachSharePartition<Partition extends { readonly partition: number }, Result>(
  { groupId, topics }: StateRequest<Partition>,
  ask: (key: SharePartitionKey, partition: Partition) => Promise<Result>,
): Promise<{ topicId: string; partitions: Result[] }[]> {
  if (groupId === '') return [];
  return Promise.all(
    topics.map(async ({ topicId, partitions }) => ({
      topicId,
      partitions: await Promise.all(
        partitions.map((each) => ask({ groupId, topicId, partition: each.partition }, each)),
      ),
    })),
  );
}

/** The same error for every partition of a request. */
export function shareStateErrors<Extra extends object>(
  { topics }: StateRequest<{ readonly partition: number }>,
  errorCode: number,
  extra?: Extra,
): {
  topicId: string;
  partitions: ({ partition: number; errorCode: number; errorMessage: string | null } & Extra)[];
}[] {
  const text = errorMessage(errorCode) ?? null;
  return topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partition }) => ({
      partition,
      errorCode,
      errorMessage: text,
      ...(extra as Extra),
    })),
  }));
}
