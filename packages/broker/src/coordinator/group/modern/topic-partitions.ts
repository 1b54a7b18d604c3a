/** Partitions by topic id. Topics without partitions are not in it. */
export type TopicPartitions = ReadonlyMap<string, ReadonlySet<number>>;

/** Partitions by topic id, each with the epoch at which its member got it (KIP-1251). */
export type AssignedPartitions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** As messages and records have it. */
export interface TopicPartitionsEntry {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export const NO_PARTITIONS: TopicPartitions = new Map();
export const NO_ASSIGNED_PARTITIONS: AssignedPartitions = new Map();

/** The entries of a message for these partitions. */
export function toEntries(
  partitions: TopicPartitions | AssignedPartitions,
): { topicId: string; partitions: number[] }[] {
  const entries: { topicId: string; partitions: number[] }[] = [];
  for (const [topicId, indexes] of partitions) entries.push({ topicId, partitions: [...indexes.keys()] });
  return entries;
}

/** The partitions of a message's entries. */
export function fromEntries(entries: readonly TopicPartitionsEntry[]): TopicPartitions {
  return new Map(entries.map(({ topicId, partitions }) => [topicId, new Set(partitions)]));
}

/** The same partitions, all assigned at one epoch. */
export function assignedAt(partitions: TopicPartitions, epoch: number): AssignedPartitions {
  return new Map(
    Array.from(partitions, ([topicId, indexes]) => [
      topicId,
      new Map(Array.from(indexes, (index) => [index, epoch])),
    ]),
  );
}

/** Whether both name the same partitions. */
export function samePartitions(left: TopicPartitions, right: TopicPartitions): boolean {
  if (left.size !== right.size) return false;
  for (const [topicId, indexes] of left) {
    const others = right.get(topicId);
    if (others === undefined || others.size !== indexes.size) return false;
    for (const index of indexes) if (!others.has(index)) return false;
  }
  return true;
}

/** Whether both name the same partitions at the same epochs. */
export function sameAssigned(left: AssignedPartitions, right: AssignedPartitions): boolean {
  if (left === right) return true;
  if (left.size !== right.size) return false;
  for (const [topicId, epochs] of left) {
    const others = right.get(topicId);
    if (others === undefined || others.size !== epochs.size) return false;
    for (const [index, epoch] of epochs) if (others.get(index) !== epoch) return false;
  }
  return true;
}

/** Whether every partition of the entries is in the assignment. */
export function containsAll(assigned: AssignedPartitions, entries: readonly TopicPartitionsEntry[]): boolean {
  return entries.every(({ topicId, partitions }) => {
    const owned = assigned.get(topicId);
    return owned !== undefined && partitions.every((index) => owned.has(index));
  });
}
