import type { TopicsImage } from '../../../metadata/image.ts';
import type { Assignment, ShareGroup, StateTopic, StateTopics } from './share-group.ts';

/**
 * Subscribed share partitions without state, by topic: those that are neither initialized nor, unless that was long ago,
 * being initialized.
 */
export function missingStates(
  group: ShareGroup,
  topicNames: Iterable<string>,
  { topics, isRetry }: { readonly topics: TopicsImage; readonly isRetry: boolean },
): Map<string, StateTopic> {
  const { initializing, initialized } = group.stateTopics;
  const missing = new Map<string, StateTopic>();
  for (const name of topicNames) {
    const topic = topics.byName.get(name);
    if (topic === undefined) continue;
    const known = new Set(initialized.get(topic.id)?.partitions);
    if (!isRetry) for (const partition of initializing.get(topic.id)?.partitions ?? []) known.add(partition);
    const partitions = topic.partitions.map(({ partition }) => partition).filter((each) => !known.has(each));
    if (partitions.length > 0) missing.set(topic.id, { name, partitions });
  }
  return missing;
}

/** The topics with more partitions asked for; what was to be deleted is wanted again. */
export function withInitializing(topics: StateTopics, more: ReadonlyMap<string, StateTopic>): StateTopics {
  const deleting = new Map(topics.deleting);
  for (const topicId of more.keys()) deleting.delete(topicId);
  return { ...topics, initializing: merged(topics.initializing, more), deleting };
}

/** The topics after their states were made, or could not be made. */
export function withOutcome(topics: StateTopics, initialized: Assignment, failed: Assignment): StateTopics {
  const done = new Map<string, StateTopic>();
  for (const [topicId, partitions] of initialized) {
    const name = topics.initializing.get(topicId)?.name ?? topics.initialized.get(topicId)?.name;
    if (name !== undefined) done.set(topicId, { name, partitions });
  }
  const left = without(without(topics.initializing, initialized), failed);
  return { ...topics, initializing: left, initialized: merged(topics.initialized, done) };
}

/** The topics with the states of some about to be deleted. */
export function withDeleting(
  topics: StateTopics,
  going: ReadonlyMap<string, { readonly topicName: string }>,
): StateTopics {
  const names = Array.from(going, ([topicId, { topicName }]) => [topicId, topicName] as const);
  const others = withoutTopics(topics, going);
  return { ...others, deleting: new Map([...others.deleting, ...names]) };
}

/** The topics without some, as after a deletion. */
export function withoutTopics(topics: StateTopics, topicIds: { has(topicId: string): boolean }): StateTopics {
  const keep = <Value>(from: ReadonlyMap<string, Value>): Map<string, Value> =>
    new Map([...from].filter(([topicId]) => !topicIds.has(topicId)));
  return {
    initializing: keep(topics.initializing),
    initialized: keep(topics.initialized),
    deleting: keep(topics.deleting),
  };
}

function merged(
  left: ReadonlyMap<string, StateTopic>,
  right: ReadonlyMap<string, StateTopic>,
): Map<string, StateTopic> {
  const result = new Map(left);
  for (const [topicId, { name, partitions }] of right) {
    const all = new Set([...(result.get(topicId)?.partitions ?? []), ...partitions]);
    result.set(topicId, { name, partitions: [...all].sort((one, other) => one - other) });
  }
  return result;
}

function without(topics: ReadonlyMap<string, StateTopic>, gone: Assignment): Map<string, StateTopic> {
  const result = new Map<string, StateTopic>();
  for (const [topicId, { name, partitions }] of topics) {
    const goneOfTopic = new Set(gone.get(topicId));
    const left = partitions.filter((partition) => !goneOfTopic.has(partition));
    if (left.length > 0) result.set(topicId, { name, partitions: left });
  }
  return result;
}
