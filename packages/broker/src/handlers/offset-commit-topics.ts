import { ErrorCodes } from '@ottla/protocol';
import type { CommitTopic, TopicErrors } from '../coordinator/group/offsets/offset-types.ts';
import type { MetadataImage, TopicImage } from '../metadata/image.ts';

/** What exists, to be committed, and what does not, with its error. `byId`: topics are named by their ids alone. */
export function sortTopics(
  topics: readonly CommitTopic[],
  image: MetadataImage,
  byId: boolean,
): { known: CommitTopic[]; refused: TopicErrors[] } {
  const known: CommitTopic[] = [];
  const refused: TopicErrors[] = [];
  for (const topic of topics) {
    const found = byId ? image.topics.byId.get(topic.topicId) : image.topics.byName.get(topic.name);
    if (found === undefined) {
      const errorCode = byId ? ErrorCodes.UNKNOWN_TOPIC_ID : ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION;
      refused.push(allPartitions(topic, topic.topicId, errorCode));
      continue;
    }
    const isKnown = ({ partitionIndex }: { partitionIndex: number }): boolean =>
      exists(found, partitionIndex);
    const unknownPartitions = topic.partitions.filter((asked) => !isKnown(asked));
    if (unknownPartitions.length > 0) {
      const asked = { name: found.name, partitions: unknownPartitions };
      refused.push(allPartitions(asked, found.id, ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION));
    }
    const partitions = topic.partitions.filter(isKnown);
    if (partitions.length > 0) known.push({ name: found.name, topicId: found.id, partitions });
  }
  return { known, refused };
}

function exists(topic: TopicImage, partitionIndex: number): boolean {
  return topic.partitions[partitionIndex] !== undefined;
}

/** The same error for every partition of a topic. */
export function allPartitions(
  topic: { readonly name: string; readonly partitions: readonly { readonly partitionIndex: number }[] },
  topicId: string,
  errorCode: number,
): TopicErrors {
  return {
    name: topic.name,
    topicId,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  };
}

/** One entry for each topic: results of one that was split go behind its refusals, where those stand first. */
export function mergeTopicErrors(
  refused: readonly TopicErrors[],
  results: readonly TopicErrors[],
): TopicErrors[] {
  const merged: { name: string; topicId: string; partitions: TopicErrors['partitions'][number][] }[] = [];
  const byName = new Map<string, (typeof merged)[number]>();
  const add = ({ name, topicId, partitions }: TopicErrors): void => {
    const topic = { name, topicId, partitions: [...partitions] };
    merged.push(topic);
    if (!byName.has(name)) byName.set(name, topic);
  };
  for (const topic of refused) add(topic);
  for (const result of results) {
    const earlier = byName.get(result.name);
    if (earlier === undefined) add(result);
    else for (const partition of result.partitions) earlier.partitions.push(partition);
  }
  return merged;
}
