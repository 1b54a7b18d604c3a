import { copartitionSets, enforceCopartitioning } from './copartitioning.ts';
import {
  inputTopics,
  type PartitionCount,
  type StreamsTopology,
  type Subtopology,
} from './streams-topology.ts';
import { invalidTopology } from './topology-error.ts';

/**
 * How many partitions each internal topic is to have:
 *
 *     repartition topics   as the application says, otherwise as many as the largest topic that flows into them
 *     copartitioned ones   as many as the others of their group
 *     changelog topics     one for each task, that is, as many as the largest topic that the subtopology reads
 *
 * A topic that exists counts with the partitions that it has. All topics of others exist.
 * @throws CoordinatorError STREAMS_INVALID_TOPOLOGY
 * @throws TopicsNotReady for topics that cannot be copartitioned
 */
export function decidePartitionCounts(
  topology: StreamsTopology,
  actual: PartitionCount,
): Map<string, number> {
  const subtopologies = [...topology.subtopologies.values()];
  const decided = repartitionCounts(subtopologies, actual);
  const known: PartitionCount = (topic) => actual(topic) ?? decided.get(topic);
  enforceCopartitioning(subtopologies, copartitionSets(subtopologies), { known, decided });
  for (const subtopology of subtopologies) {
    const count = inputCount(subtopology, known);
    if (count === undefined) {
      throw invalidTopology(`No source topics found for subtopology ${subtopology.subtopologyId}`);
    }
    for (const { name } of subtopology.stateChangelogTopics) decided.set(name, count);
  }
  return decided;
}

/** Partitions of the largest topic that a subtopology reads, which is how many tasks it has; undefined when it reads none. */
export function inputCount(subtopology: Subtopology, known: PartitionCount): number | undefined {
  let largest: number | undefined;
  for (const topic of inputTopics(subtopology)) {
    const count = known(topic);
    if (count !== undefined && (largest === undefined || count > largest)) largest = count;
  }
  return largest;
}

/** Follows the flow from topics whose count is known to the repartition topics that it ends in. */
function repartitionCounts(
  subtopologies: readonly Subtopology[],
  actual: PartitionCount,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { repartitionSourceTopics } of subtopologies) {
    for (const { name, partitions } of repartitionSourceTopics) {
      if (partitions !== 0) counts.set(name, partitions);
    }
  }
  const readers = readersOfRepartitionTopics(subtopologies);
  const undecided = new Set(subtopologies.filter(({ repartitionSinkTopics: sinks }) => sinks.length > 0));
  // Each subtopology is looked at again only when something that it reads has been decided.
  const queue = [...undecided];
  for (const next of queue) {
    if (!undecided.has(next)) continue;
    const isMissing = next.repartitionSinkTopics.some((sink) => !counts.has(sink));
    const count = isMissing ? flowInto(next, counts, actual) : 0;
    if (count === undefined) continue;
    undecided.delete(next);
    for (const sink of next.repartitionSinkTopics) {
      if (counts.has(sink)) continue;
      counts.set(sink, count);
      queue.push(...(readers.get(sink) ?? []));
    }
  }
  if (undecided.size > 0) {
    throw invalidTopology(
      'Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved.',
    );
  }
  if (subtopologies.some(({ repartitionSourceTopics: all }) => all.some(({ name }) => !counts.has(name)))) {
    throw invalidTopology(
      'Failed to compute number of partitions for all repartition topics, because a repartition source topic is never used as a sink topic.',
    );
  }
  return counts;
}

function readersOfRepartitionTopics(subtopologies: readonly Subtopology[]): Map<string, Subtopology[]> {
  const readers = new Map<string, Subtopology[]>();
  for (const subtopology of subtopologies) {
    for (const { name } of subtopology.repartitionSourceTopics) {
      const all = readers.get(name);
      if (all === undefined) readers.set(name, [subtopology]);
      else all.push(subtopology);
    }
  }
  return readers;
}

/** Repartition topics count as decided, others as they are. */
function flowInto(
  { sourceTopics, repartitionSourceTopics }: Subtopology,
  counts: ReadonlyMap<string, number>,
  actual: PartitionCount,
): number | undefined {
  const all = [
    ...repartitionSourceTopics.map(({ name }) => counts.get(name)),
    ...sourceTopics.map((topic) => actual(topic)),
  ].filter((count) => count !== undefined);
  return all.length === 0 ? undefined : all.reduce((left, right) => Math.max(left, right));
}
