import { ApiKeys } from '@ottla/protocol';
import { SHARE_REQUESTS } from '../transcripts/share-requests.ts';
import { isBufferJson, transcriptSuite } from '../transcripts/transcript-suite.ts';

/** The coordinators' topics as the oracle makes them. */
const PROPERTIES = {
  'offsets.topic.replication.factor': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
};

/** As JSON, with what differs from machine to machine left out. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      // The texts are our own; whether there is one is Kafka's.
      if (/errorMessage$/i.test(key)) return value === null ? null : 'text';
      if (key === 'clientHost' || key === 'nodeId') return key;
      return isBufferJson(value) ? Buffer.from(value.data).toString('hex') : value;
    }),
  ) as unknown;
}

/** A coordinator's topic is not there yet, or the states of a new group are still being made. */
function isTemporary(response: unknown): boolean {
  const text = JSON.stringify(response);
  return (
    /"errorCode":(14|15|16)\b/.test(text) ||
    /"groups":\[\{"groupId":"g","topics":\[\],"errorCode":0/.test(text)
  );
}

transcriptSuite(
  {
    file: 'share-groups-kafka-4.3.1.json',
    requests: SHARE_REQUESTS,
    titleLength: 200,
    // A group's states are made after the heartbeat that asks for them was answered.
    pauseAfterMs: ({ apiKey }) =>
      apiKey === ApiKeys.ShareGroupHeartbeat ||
      apiKey === ApiKeys.CreateTopics ||
      apiKey === ApiKeys.FindCoordinator
        ? 1000
        : 50,
    isTemporary,
    normalise: normalised,
  },
  { 'share APIs answer as Kafka 4.3.1 does': PROPERTIES },
);
