import { ApiKeys } from '@ottla/protocol';
import { SHARE_SUBSCRIPTION_REQUESTS } from '../transcripts/share-subscription-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

/** The coordinators' topics as the oracle makes them. */
const PROPERTIES = {
  'offsets.topic.replication.factor': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
};

function byTopicId(left: { readonly topicId: string }, right: { readonly topicId: string }): number {
  return left.topicId < right.topicId ? -1 : 1;
}

transcriptSuite(
  {
    file: 'share-subscriptions-kafka-4.3.1.json',
    requests: SHARE_SUBSCRIPTION_REQUESTS,
    titleLength: 200,
    // The group's states are made, and its config is known, some time after the answer.
    pauseAfterMs: ({ apiKey }) => (apiKey === ApiKeys.ShareGroupHeartbeat ? 200 : 1000),
    // At epoch 2 the member waits for the states of the group's partitions.
    isTemporary: (response) =>
      /"errorCode":(14|15|16)\b|"memberEpoch":2,.*"assignment":null/.test(JSON.stringify(response)),
    normalise: (response) =>
      JSON.parse(
        JSON.stringify(response, (key, value: unknown) => {
          if (key === 'nodeId' || key === 'port') return key;
          // Their order is that of a Java hash table, and topic ids are random.
          return key === 'topicPartitions' ? (value as { topicId: string }[]).toSorted(byTopicId) : value;
        }),
      ) as unknown,
  },
  { 'a share group member that changes its topics is answered as by Kafka 4.3.1': PROPERTIES },
);
