import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ApiKeys, encodeBatch } from '@ottla/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { ask } from '../transcripts/ask.ts';
import type { TranscriptRequest } from '../transcripts/topic-requests.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

/** 15,000 bytes in the first second, which Kafka divides by ten seconds: 1,500 a second. */
const BYTES = 15_000;
const QUOTA = 1000;

const clock = new SimClock();
let broker: Broker;
let client: TranscriptClient;
let other: TranscriptClient;

beforeAll(async () => {
  broker = await startBroker({
    properties: { listeners: 'PLAINTEXT://127.0.0.1:0', 'log.dirs': '/logs' },
    clock,
    disk: new SimDisk({ clock, random: new SeededRandom(1) }),
    random: new SeededRandom(2),
  });
  client = await TranscriptClient.open(broker.listeners[0]!.port);
  other = await TranscriptClient.open(broker.listeners[0]!.port);
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  await client.exchange(ask(ApiKeys.CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false }));
});
afterAll(async () => {
  client.close();
  other.close();
  await broker.close();
});

const produce = (acks = -1): TranscriptRequest => {
  const records = encodeBatch({ records: [{ timestamp: 1, value: Buffer.alloc(BYTES) }] });
  const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
  return ask(ApiKeys.Produce, 9, { transactionalId: null, acks, timeoutMs: 5000, topicData });
};

const fetch = (session: { sessionId: number; sessionEpoch: number }, topics: object[]): TranscriptRequest =>
  ask(ApiKeys.Fetch, 12, {
    replicaId: -1,
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 100_000,
    ...session,
    topics,
  });

const fromStart = [
  { topic: 't', partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 100_000 }] },
];

async function setQuota(key: string, value: number | null): Promise<void> {
  const entity = [{ entityType: 'client-id', entityName: 'transcript' }];
  const ops = [{ key, value: value ?? 0, remove: value === null }];
  await other.exchange(
    ask(ApiKeys.AlterClientQuotas, 1, { entries: [{ entity, ops }], validateOnly: false }),
  );
}

/** What a connection waits for, until the clock has gone on for so long. */
async function isHeardAfter(durationMs: number): Promise<void> {
  const versions = ask(ApiKeys.ApiVersions, 3, { clientSoftwareName: 'x', clientSoftwareVersion: '1' });
  let isAnswered = false;
  const answer = client.exchange(versions).then(() => (isAnswered = true));
  await other.exchange(versions);
  clock.advance(durationMs - 1);
  await other.exchange(versions);
  expect(isAnswered).toBe(false);
  clock.advance(1);
  await answer;
}

test('a producer above its rate is told how long it waits, and is not heard before', async () => {
  await setQuota('producer_byte_rate', QUOTA);
  const { throttleTimeMs, responses } = (await client.exchange(produce())) as {
    throttleTimeMs: number;
    responses: { partitionResponses: { errorCode: number; baseOffset: number }[] }[];
  };
  expect(responses[0]!.partitionResponses[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
  // The request's other fields count as well.
  expect(throttleTimeMs).toBeGreaterThan(5000);
  expect(throttleTimeMs).toBeLessThan(5400);
  await isHeardAfter(throttleTimeMs);
  await setQuota('producer_byte_rate', null);
  expect(await client.exchange(produce())).toMatchObject({ throttleTimeMs: 0 });
});

test('a consumer above its rate gets nothing, waits, and then gets what it asked for in the same session', async () => {
  const opened = (await client.exchange(fetch({ sessionId: 0, sessionEpoch: 0 }, fromStart))) as {
    sessionId: number;
    throttleTimeMs: number;
  };
  expect(opened.throttleTimeMs).toBe(0);
  await setQuota('consumer_byte_rate', QUOTA);
  const session = { sessionId: opened.sessionId, sessionEpoch: 1 };
  const refused = (await client.exchange(fetch(session, fromStart))) as { throttleTimeMs: number };
  expect(refused).toMatchObject({ errorCode: 0, sessionId: opened.sessionId, responses: [] });
  expect(refused.throttleTimeMs).toBeGreaterThan(5000);
  expect(refused.throttleTimeMs).toBeLessThan(5400);
  await isHeardAfter(refused.throttleTimeMs);
  await setQuota('consumer_byte_rate', null);
  const given = await client.exchange(fetch({ ...session, sessionEpoch: 2 }, []));
  expect(given).toMatchObject({
    throttleTimeMs: 0,
    responses: [{ topic: 't', partitions: [{ partitionIndex: 0, errorCode: 0 }] }],
  });
});
