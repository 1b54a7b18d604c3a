import { ApiKeys } from '@ottla/protocol';
import { STREAMS_REQUESTS } from '../transcripts/streams-requests.ts';
import { transcriptSuite } from '../transcripts/transcript-suite.ts';

/** As JSON, with what differs from machine to machine left out. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      // The texts are our own; whether there is one is Kafka's.
      if (/errorMessage$/i.test(key)) return value === null ? null : 'text';
      if (['clientHost', 'nodeId', 'host', 'port', 'clusterId', 'topicId', 'leaderEpoch'].includes(key))
        return key;
      // Kafka lists the members of a group in no particular order.
      if (key === 'members') return (value as { memberId: string }[]).toSorted(byMemberId);
      return value;
    }),
  ) as unknown;
}

function byMemberId(left: { memberId: string }, right: { memberId: string }): number {
  return left.memberId < right.memberId ? -1 : 1;
}

/** The coordinator's topic, or a topic of the application, is not there yet. */
function isTemporary(response: unknown): boolean {
  return /"errorCode":(3|5|14|15|16)\b/.test(JSON.stringify(response));
}

transcriptSuite(
  {
    file: 'streams-groups-kafka-4.3.1.json',
    requests: STREAMS_REQUESTS,
    titleLength: 200,
    // Internal topics are made after the heartbeat that asks for them was answered.
    pauseAfterMs: ({ apiKey }) =>
      apiKey === ApiKeys.StreamsGroupHeartbeat || apiKey === ApiKeys.StreamsGroupDescribe ? 100 : 1000,
    isTemporary,
    normalise: normalised,
  },
  { 'streams group APIs answer as Kafka 4.3.1 does': { 'offsets.topic.replication.factor': '1' } },
);
