import { ApiKeys } from '@ottla/protocol';
import { QUOTA_REQUESTS } from '../transcripts/quota-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

/** Kafka gives entities in the order of a hash table that grows with them. */
const UNORDERED = new Set(['entries']);

/** As JSON; entities in an order of our own. */
function normalised(response: unknown): unknown {
  return JSON.parse(JSON.stringify(response), (key, value: unknown) => {
    if (!UNORDERED.has(key) || !Array.isArray(value)) return value;
    return value.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
  }) as unknown;
}

transcriptSuite(
  {
    file: 'quotas-kafka-4.3.1.json',
    requests: QUOTA_REQUESTS,
    titleLength: 250,
    pauseAfterMs: ({ apiKey }) => (apiKey === ApiKeys.AlterClientQuotas ? 300 : 0),
    normalise: normalised,
  },
  { 'quotas are kept as by Kafka 4.3.1': {} },
);
