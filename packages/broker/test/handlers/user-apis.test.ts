import { ApiKeys } from '@ottla/protocol';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';
import { USER_REQUESTS } from '../transcripts/user-requests.ts';

/** Users are told in the order of a hash table, except where the request gives the order. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      if (key === 'results') return sortedBy(value, 'user');
      return key === 'credentialInfos' ? sortedBy(value, 'mechanism') : value;
    }),
  ) as unknown;
}

function sortedBy(list: unknown, field: string): unknown[] {
  const textOf = (item: Record<string, unknown>): string => `${String(item[field])} ${JSON.stringify(item)}`;
  return (list as Record<string, unknown>[]).toSorted((left, right) =>
    textOf(left) < textOf(right) ? -1 : 1,
  );
}

transcriptSuite(
  {
    file: 'users-kafka-4.3.1.json',
    requests: USER_REQUESTS,
    titleLength: 250,
    pauseAfterMs: ({ apiKey }) => (apiKey === ApiKeys.AlterUserScramCredentials ? 300 : 0),
    normalise: normalised,
  },
  { 'SCRAM credentials are kept as by Kafka 4.3.1': {} },
);
