import type { TopicsImage } from '../../../../metadata/image.ts';
import { topicNameProblem } from '../../../../controller/topic-names.ts';
import { javaHashOrderOfStrings } from '../../modern/java-hash-order.ts';
import { decidePartitionCounts, inputCount } from './partition-counts.ts';
import type { PartitionCount, StreamsTopology, Subtopology } from './streams-topology.ts';
import { StreamsStatus, TopicsNotReady, unexpected, type Status } from './topology-error.ts';

/** A topic that belongs to the application: between subtopologies, or behind a store. */
export interface InternalTopic {
  readonly name: string;
  readonly partitionCount: number;
  /** 0: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: ReadonlyMap<string, string>;
}

/** A subtopology with its topics as they are, or are to be. */
export interface ConfiguredSubtopology {
  readonly taskCount: number;
  readonly sourceTopics: ReadonlySet<string>;
  readonly repartitionSinkTopics: ReadonlySet<string>;
  readonly repartitionSourceTopics: ReadonlyMap<string, InternalTopic>;
  readonly stateChangelogTopics: ReadonlyMap<string, InternalTopic>;
}

/** A topology beside the topics that there are. */
export interface ConfiguredTopology {
  readonly epoch: number;
  /** By id, in order; null when the topics of others are missing or do not fit. */
  readonly subtopologies: ReadonlyMap<string, ConfiguredSubtopology> | null;
  /** What keeps the group from working; null when everything is there. */
  readonly problem: Status | null;
  /** Internal topics that are to be created. */
  readonly missingTopics: ReadonlyMap<string, InternalTopic>;
}

/** Both sides are immutable, so what was worked out holds as long as the topics do. */
const configured = new WeakMap<StreamsTopology, { topics: TopicsImage; result: ConfiguredTopology }>();

/**
 * Holds a topology against the topics of the cluster (KIP-1071): how many tasks there are, and which internal topics are
 * missing.
 * @throws CoordinatorError STREAMS_INVALID_TOPOLOGY when no topics could make it right
 */
export function configureTopology(topology: StreamsTopology, topics: TopicsImage): ConfiguredTopology {
  const known = configured.get(topology);
  if (known?.topics === topics) return known.result;
  const result = configure(topology, topics);
  configured.set(topology, { topics, result });
  return result;
}

function configure(topology: StreamsTopology, topics: TopicsImage): ConfiguredTopology {
  const { epoch } = topology;
  const actual: PartitionCount = (topic) => topics.byName.get(topic)?.partitions.length;
  try {
    requireSourceTopics(topology, actual);
    const decided = decidePartitionCounts(topology, actual);
    const known: PartitionCount = (topic) => actual(topic) ?? decided.get(topic);
    const subtopologies = new Map(
      Array.from(topology.subtopologies, ([id, subtopology]) => [
        id,
        configureSubtopology(subtopology, known, decided),
      ]),
    );
    const missingTopics = findMissingTopics(subtopologies, actual);
    const problem =
      missingTopics.size === 0
        ? null
        : {
            statusCode: StreamsStatus.missingInternalTopics,
            statusDetail: `Internal topics are missing: ${summary([...missingTopics.keys()])}`,
          };
    return { epoch, subtopologies, problem, missingTopics };
  } catch (failure) {
    if (!(failure instanceof TopicsNotReady)) throw failure;
    return { epoch, subtopologies: null, problem: failure.status, missingTopics: new Map() };
  }
}

function requireSourceTopics(topology: StreamsTopology, actual: PartitionCount): void {
  const missing = new Set<string>();
  for (const { sourceTopics } of topology.subtopologies.values()) {
    for (const topic of sourceTopics) if (actual(topic) === undefined) missing.add(topic);
  }
  if (missing.size === 0) return;
  const names = summary([...missing].toSorted());
  throw new TopicsNotReady(StreamsStatus.missingSourceTopics, `Source topics ${names} are missing.`);
}

function configureSubtopology(
  subtopology: Subtopology,
  known: PartitionCount,
  decided: ReadonlyMap<string, number>,
): ConfiguredSubtopology {
  const taskCount = inputCount(subtopology, known) ?? 0;
  if (taskCount <= 0) throw unexpected('Number of tasks must be positive');
  const internal = (all: Subtopology['stateChangelogTopics']): Map<string, InternalTopic> =>
    new Map(all.map((info) => [info.name, internalTopic(info, decided)]));
  return {
    taskCount,
    sourceTopics: new Set(subtopology.sourceTopics),
    repartitionSinkTopics: new Set(subtopology.repartitionSinkTopics),
    repartitionSourceTopics: internal(subtopology.repartitionSourceTopics),
    stateChangelogTopics: internal(subtopology.stateChangelogTopics),
  };
}

function internalTopic(
  { name, partitions, replicationFactor, topicConfigs }: Subtopology['stateChangelogTopics'][number],
  decided: ReadonlyMap<string, number>,
): InternalTopic {
  const partitionCount = partitions === 0 ? (decided.get(name) ?? 0) : partitions;
  if (topicNameProblem(name) !== null) throw unexpected(`Topic name "${name}" is invalid`);
  if (partitionCount < 1) throw unexpected('Number of partitions must be at least 1.');
  const configs = new Map(topicConfigs.map(({ key, value }) => [key, value]));
  if (configs.size < topicConfigs.length) throw unexpected(`Topic "${name}" has a config twice`);
  return { name, partitionCount, replicationFactor, configs };
}

function findMissingTopics(
  subtopologies: ReadonlyMap<string, ConfiguredSubtopology>,
  actual: PartitionCount,
): Map<string, InternalTopic> {
  const all = new Map<string, InternalTopic>();
  for (const { repartitionSourceTopics, stateChangelogTopics } of subtopologies.values()) {
    for (const topic of repartitionSourceTopics.values()) all.set(topic.name, topic);
    for (const topic of stateChangelogTopics.values()) all.set(topic.name, topic);
  }
  const missing = new Map<string, InternalTopic>();
  // In the order in which Kafka tells of them.
  for (const name of javaHashOrderOfStrings(all.keys())) {
    const topic = all.get(name);
    const count = actual(name);
    if (topic === undefined || count === topic.partitionCount) continue;
    if (count !== undefined) {
      throw new TopicsNotReady(
        StreamsStatus.incorrectlyPartitionedTopics,
        `Existing topic ${name} has different number of partitions: expected ${topic.partitionCount}, found ${count}`,
      );
    }
    missing.set(name, topic);
  }
  return missing;
}

/** More names than this are only counted. */
const MAX_NAMES = 3;

function summary(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} additional topics` : shown;
}
