import { KafkaError } from '../errors/kafka-error.ts';

/** The outcome for each thing that was asked for: its value, or the error that it alone had. */
export type PerItem<T, K = string> = ReadonlyMap<K, T | KafkaError>;

/** The only outcome: for calls about one thing. Throws its error. */
export function only<T>(results: PerItem<T, unknown>): T {
  for (const outcome of results.values()) {
    if (outcome instanceof KafkaError) throw outcome;
    return outcome;
  }
  throw new KafkaError('UNKNOWN_SERVER_ERROR', 'The broker did not answer for what was asked');
}

/** The values of all; throws the first error there is. */
export function valuesOrThrow<T, K>(results: PerItem<T, K>): Map<K, T> {
  const values = new Map<K, T>();
  for (const [key, outcome] of results) {
    if (outcome instanceof KafkaError) throw outcome;
    values.set(key, outcome);
  }
  return values;
}

/** Groups items by a key, in the order in which they come. */
export function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Partitions as requests have them: one entry for each topic, made by `entry` from its partitions. */
export function byTopic<P extends { readonly topic: string }, T>(
  partitions: Iterable<P>,
  entry: (topic: string, members: readonly P[]) => T,
): T[] {
  return [...groupBy(partitions, ({ topic }) => topic)].map(([topic, members]) => entry(topic, members));
}
