/** Feature levels that this broker understands: name, lowest, highest. Those of Apache Kafka 4.3. */
export const SUPPORTED_FEATURES: readonly (readonly [string, number, number])[] = [
  ['eligible.leader.replicas.version', 0, 1],
  ['group.version', 0, 1],
  ['kraft.version', 0, 1],
  ['metadata.version', 7, 30],
  ['share.version', 0, 1],
  ['streams.version', 0, 1],
  ['transaction.version', 0, 2],
];

/**
 * Feature levels that a new cluster is formatted with: the production defaults of `kafka-storage format` at 4.3-IV0,
 * in the order in which it writes them.
 */
export const BOOTSTRAP_FEATURES: readonly (readonly [string, number])[] = [
  ['metadata.version', 30],
  ['eligible.leader.replicas.version', 1],
  ['group.version', 1],
  ['share.version', 1],
  ['streams.version', 1],
  ['transaction.version', 2],
];

/** The lowest metadata.version of features that need one, at levels above 0. */
export const REQUIRED_METADATA_VERSIONS: ReadonlyMap<string, number> = new Map([
  ['eligible.leader.replicas.version', 23],
]);

/** Levels of metadata.version that brought new records or new fields of records; those of 3.3-IV3 (7) to 4.3-IV0 (30). */
const LEVELS_WITH_NEW_RECORDS: readonly number[] = [8, 11, 13, 14, 15, 17, 23, 30];

/** Whether going down from one metadata.version to another could lose something that records hold. */
export function lowersWhatRecordsHold(from: number, to: number): boolean {
  return LEVELS_WITH_NEW_RECORDS.some((level) => level > to && level <= from);
}
