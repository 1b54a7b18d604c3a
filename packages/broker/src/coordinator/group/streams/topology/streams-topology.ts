import type { StreamsGroupTopologyValue } from '@ottla/protocol';

/** One part of a topology whose tasks are handed out together. */
export type Subtopology = StreamsGroupTopologyValue['subtopologies'][number];

/** Partitions of a topic; undefined when nothing is known of it. */
export type PartitionCount = (topic: string) => number | undefined;

/** A topology as its group keeps it, with what is looked up in it. Immutable. */
export interface StreamsTopology {
  readonly epoch: number;
  /** By id, in order. */
  readonly subtopologies: ReadonlyMap<string, Subtopology>;
  /** The subtopology that reads a topic. */
  readonly readers: ReadonlyMap<string, string>;
  /** Every topic that has to exist. */
  readonly requiredTopics: ReadonlySet<string>;
}

/** The topology of a record, or of a request, which has the same form. */
export function readTopology({ epoch, subtopologies }: StreamsGroupTopologyValue): StreamsTopology {
  const inOrder = subtopologies.toSorted((left, right) =>
    left.subtopologyId < right.subtopologyId ? -1 : 1,
  );
  const readers = new Map<string, string>();
  const requiredTopics = new Set<string>();
  for (const subtopology of inOrder) {
    for (const topic of inputTopics(subtopology)) {
      readers.set(topic, subtopology.subtopologyId);
      requiredTopics.add(topic);
    }
    for (const { name } of subtopology.stateChangelogTopics) requiredTopics.add(name);
  }
  return {
    epoch,
    subtopologies: new Map(inOrder.map((subtopology) => [subtopology.subtopologyId, subtopology])),
    readers,
    requiredTopics,
  };
}

/** The topics that a subtopology reads: those of others, then its repartition topics. */
export function* inputTopics({ sourceTopics, repartitionSourceTopics }: Subtopology): Iterable<string> {
  yield* sourceTopics;
  for (const { name } of repartitionSourceTopics) yield name;
}

/** Whether both are the same in every field; the order of subtopologies does not matter, all other orders do. */
export function sameTopology(left: StreamsTopology, right: StreamsTopology): boolean {
  return left.epoch === right.epoch && canonical(left) === canonical(right);
}

const canonicalForms = new WeakMap<StreamsTopology, string>();

function canonical(topology: StreamsTopology): string {
  let form = canonicalForms.get(topology);
  if (form === undefined) {
    form = JSON.stringify(Array.from(topology.subtopologies.values(), subtopologyFields));
    canonicalForms.set(topology, form);
  }
  return form;
}

/** Field by field: decoded records and requests need not have their fields in one order. */
function subtopologyFields(subtopology: Subtopology): unknown[] {
  return [
    subtopology.subtopologyId,
    subtopology.sourceTopics,
    subtopology.sourceTopicRegex,
    subtopology.stateChangelogTopics.map(topicFields),
    subtopology.repartitionSinkTopics,
    subtopology.repartitionSourceTopics.map(topicFields),
    subtopology.copartitionGroups.map((group) => [
      group.sourceTopics,
      group.sourceTopicRegex,
      group.repartitionSourceTopics,
    ]),
  ];
}

function topicFields(topic: Subtopology['stateChangelogTopics'][number]): unknown[] {
  const { name, partitions, replicationFactor, topicConfigs } = topic;
  return [name, partitions, replicationFactor, topicConfigs.map(({ key, value }) => [key, value])];
}
