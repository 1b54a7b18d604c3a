import type { PartitionCount, Subtopology } from './streams-topology.ts';
import { invalidTopology, StreamsStatus, TopicsNotReady, unexpected } from './topology-error.ts';

/** Names of topics whose partitions belong together, for each group of each subtopology. */
export function copartitionSets(subtopologies: readonly Subtopology[]): Set<string>[] {
  const nameAt = (names: readonly string[], index: number): string => {
    const name = names[index];
    if (name === undefined) throw unexpected(`A copartition group names topic ${index} of ${names.length}`);
    return name;
  };
  return subtopologies.flatMap(({ sourceTopics, repartitionSourceTopics, copartitionGroups }) => {
    const repartition = repartitionSourceTopics.map(({ name }) => name);
    return copartitionGroups.map(
      (group) =>
        new Set([
          ...group.sourceTopics.map((index) => nameAt(sourceTopics, index)),
          ...group.repartitionSourceTopics.map((index) => nameAt(repartition, index)),
        ]),
    );
  });
}

interface Counts {
  readonly known: PartitionCount;
  /** Written to: the repartition topics get the count of their group. */
  readonly decided: Map<string, number>;
}

/**
 * Makes the topics of each group have one number of partitions: that of the topics of others, or of the repartition topics
 * for which the application gives a number, or of the largest repartition topic.
 * @throws TopicsNotReady when topics that cannot be changed differ
 */
export function enforceCopartitioning(
  subtopologies: readonly Subtopology[],
  groups: readonly ReadonlySet<string>[],
  { known, decided }: Counts,
): void {
  const repartition = subtopologies.flatMap(({ repartitionSourceTopics }) => repartitionSourceTopics);
  const isRepartition = new Set(repartition.map(({ name }) => name));
  const fixed = new Set(repartition.filter(({ partitions }) => partitions !== 0).map(({ name }) => name));
  // A topic with a number of its own keeps it, so they agree or differ once and for all.
  const fixedCounts = new Set(Array.from(fixed, (topic) => countOf(topic, known)));
  for (const group of groups) {
    if (group.size === 0) continue;
    const counts = new Map(Array.from(group, (topic) => [topic, countOf(topic, known)] as const));
    const own = [...counts].filter(([topic]) => isRepartition.has(topic));
    const others = [...counts].filter(([topic]) => !isRepartition.has(topic));
    const count = others.length > 0 ? sameCount(others) : repartitionCount(own, fixedCounts);
    for (const [topic, before] of own) {
      decided.set(topic, count);
      if (!fixed.has(topic) || before === count) continue;
      throw incorrectlyPartitioned(
        `Number of partitions [${before}] of repartition topic [${topic}] doesn't match number of partitions [${count}] of the source topic.`,
      );
    }
  }
}

function repartitionCount(
  own: readonly (readonly [string, number])[],
  fixedCounts: ReadonlySet<number>,
): number {
  const [first] = fixedCounts;
  if (first === undefined) {
    const largest = own.reduce((left, [, count]) => Math.max(left, count), 0);
    if (largest > 0) return largest;
    const names = own.map(([topic]) => topic).join(', ');
    throw invalidTopology(`All topics in the copartition group had undefined partition number: [${names}]`);
  }
  // As in Kafka, topics with a number of their own have to agree in the whole topology.
  if (fixedCounts.size > 1) throw differ(own);
  return first;
}

function sameCount(topics: readonly (readonly [string, number])[]): number {
  const count = topics[0]?.[1] ?? 0;
  if (topics.some(([, other]) => other !== count)) throw differ(topics);
  return count;
}

function countOf(topic: string, known: PartitionCount): number {
  const count = known(topic);
  if (count === undefined) throw unexpected(`Number of partitions is not set for topic: ${topic}`);
  return count;
}

function differ(topics: readonly (readonly [string, number])[]): TopicsNotReady {
  const sorted = topics.toSorted(([left], [right]) => (left < right ? -1 : 1));
  const list = sorted.map(([topic, count]) => `${topic}=${count}`).join(', ');
  return incorrectlyPartitioned(`Following topics do not have the same number of partitions: [{${list}}]`);
}

function incorrectlyPartitioned(detail: string): TopicsNotReady {
  return new TopicsNotReady(StreamsStatus.incorrectlyPartitionedTopics, detail);
}
