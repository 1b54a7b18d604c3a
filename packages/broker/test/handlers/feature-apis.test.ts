import { ApiKeys } from '@ottla/protocol';
import { FEATURE_REQUESTS } from '../transcripts/feature-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

/** Features are told in the order of a hash table, and which APIs there are is the affair of another test. */
function normalised(response: unknown): unknown {
  const { apiKeys, ...rest } = Object(response) as Record<string, unknown>;
  const shown = apiKeys === undefined ? response : rest;
  return JSON.parse(
    JSON.stringify(shown, (key, value: unknown) => {
      if (key === 'finalizedFeaturesEpoch') return 'OFFSET';
      if (key === 'finalizedFeatures' || key === 'supportedFeatures' || key === 'results')
        return byName(value);
      return value;
    }),
  ) as unknown;
}

function byName(list: unknown): unknown {
  const named = list as readonly { readonly name?: string; readonly feature?: string }[];
  const nameOf = ({ name, feature }: (typeof named)[number]): string => name ?? feature ?? '';
  return named.toSorted((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
}

/** Without `validateOnly` Kafka's broker has to hear of the change first. */
const UPDATE_PAUSE_MS = 2500;

const PAUSES_MS = new Map<number, number>([
  [ApiKeys.CreateTopics, 1000],
  [ApiKeys.FindCoordinator, 2000],
  [ApiKeys.IncrementalAlterConfigs, 1500],
]);

transcriptSuite(
  {
    file: 'features-kafka-4.3.1.json',
    requests: FEATURE_REQUESTS,
    titleLength: 200,
    pauseAfterMs: ({ apiKey, body }) => {
      const isUpdate = apiKey === ApiKeys.UpdateFeatures && !Object(body).validateOnly;
      return isUpdate ? UPDATE_PAUSE_MS : (PAUSES_MS.get(apiKey) ?? 0);
    },
    isTemporary: (response) => /"(errorCode)":(14|15|16)\b/.test(JSON.stringify(response)),
    normalise: normalised,
  },
  {
    'features are changed as with Kafka 4.3.1': {
      'node.id': '1',
      'process.roles': 'broker,controller',
      'controller.quorum.voters': '1@127.0.0.1:24193',
      'controller.listener.names': 'CONTROLLER',
      'offsets.topic.replication.factor': '1',
    },
  },
);
