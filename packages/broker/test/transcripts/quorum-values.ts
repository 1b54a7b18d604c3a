/** Fields that hold the time of the run, or the length of a log that grows by itself. */
const VARYING = new Set([
  'lastFetchTimestamp',
  'lastCaughtUpTimestamp',
  'logEndOffset',
  'highWatermark',
  'leaderEpoch',
  'finalizedFeaturesEpoch',
]);

/**
 * An answer about a quorum as JSON, without what differs from run to run: of offsets and times only whether they are there
 * is compared, and ids of clusters and directories inside messages not at all.
 */
export function quorumAnswer(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      // Which APIs there are is the affair of another test.
      if (key === 'apiKeys') return undefined;
      if (key === 'finalizedFeatures' || key === 'supportedFeatures') return sortedByName(value);
      if (VARYING.has(key)) return Number(value) > 0 ? 'POSITIVE' : value;
      if (key !== 'errorMessage' || typeof value !== 'string') return value;
      // Whether nobody answers at an address or nobody is asked comes to the same.
      if (/^Aborted add|is not ready to receive requests$/.test(value)) return 'NOT READY';
      return value
        .replace(/(cluster id )"[\w-]{22}"/, '$1"$cluster"')
        .replaceAll(/directoryId=(?!abcdefghij)[\w-]{22}/g, 'directoryId=$directory');
    }),
  ) as unknown;
}

/** Kafka's order is that of a hash table. */
function sortedByName(features: unknown): unknown {
  return (features as { name: string }[]).toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
