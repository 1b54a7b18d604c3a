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
