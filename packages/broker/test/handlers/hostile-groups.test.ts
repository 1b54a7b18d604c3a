import { ApiKeys } from '@ottla/protocol';
import { HOSTILE_GROUP_REQUESTS } from '../transcripts/hostile-group-requests.ts';
import { isBufferJson, transcriptSuite } from '../transcripts/transcript-suite.ts';

const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'offsets.topic.replication.factor': '1',
  'transaction.state.log.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.max.size': '1',
  'group.consumer.max.size': '1',
  'group.share.max.size': '1',
  'group.streams.max.size': '1',
};

/** Longer texts are told by their length. */
const SHOWN_LENGTH = 100;

/** As JSON, with what is large or differs from machine to machine left out. */
function normalised(response: unknown): unknown {
  return JSON.parse(
    JSON.stringify(response, (key, value: unknown) => {
      // The texts are our own; whether there is one is Kafka's.
      if (/errorMessage$/i.test(key)) return value === null ? null : 'text';
      if (key === 'nodeId' || key === 'metadataHash') return key;
      // Kafka lists groups in the order of a hash table.
      if (key === 'groups' && Array.isArray(value)) return value.toSorted(byGroupId);
      if (key === 'partitions' && Array.isArray(value)) return counted(value);
      if (isBufferJson(value)) return `<${value.data.length} bytes>`;
      return typeof value === 'string' && value.length > SHOWN_LENGTH
        ? `<${value.length} characters>`
        : value;
    }),
  ) as unknown;
}

/** Answers for partitions that are all alike are told by their number. */
function counted(answers: readonly unknown[]): unknown {
  const kinds = new Set(answers.map((answer) => JSON.stringify(answer)));
  return answers.length > 1 && kinds.size === 1 ? { count: answers.length, each: answers[0] } : answers;
}

const byGroupId = (left: { groupId: string }, right: { groupId: string }): number =>
  left.groupId < right.groupId ? -1 : 1;

/** A coordinator's topic is not there yet. */
const isTemporary = (response: unknown): boolean => /"errorCode":(14|15|16)\b/.test(JSON.stringify(response));

transcriptSuite(
  {
    file: 'hostile-groups-kafka-4.3.1.json',
    requests: HOSTILE_GROUP_REQUESTS,
    titleLength: 120,
    pauseAfterMs: ({ apiKey }) =>
      apiKey === ApiKeys.CreateTopics || apiKey === ApiKeys.FindCoordinator ? 1000 : 20,
    isTemporary,
    normalise: normalised,
  },
  { 'groups under hostile input answer as those of Kafka 4.3.1': PROPERTIES },
);
