import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ApiKeys, encodeBatch, ErrorCodes, ZERO_UUID } from '@ottla/protocol';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

interface ShareFetchAnswer {
  readonly throttleTimeMs: number;
  readonly responses: { partitions: { records: Buffer | null; acquiredRecords: object[] }[] }[];
}

/** Asks until the answer is what it is waited for; the coordinators' topics are made meanwhile. */
async function askUntil<T>(
  connection: TranscriptClient,
  request: () => TranscriptRequest,
  isReady: (answer: T) => boolean,
): Promise<T> {
  let answer: T | undefined;
  for (let tries = 0; tries < 200; tries += 1) {
    answer = (await connection.exchange(request())) as T;
    if (isReady(answer)) return answer;
    clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error(`Not the answer that was waited for, after 200 tries: ${JSON.stringify(answer)}`);
}

test('a share consumer above its rate gets what was acquired for it, and is not heard before it is below', async () => {
  const memberId = 'AAAAAAAAAAAAAAAAAAAAAQ';
  const configs = [{ name: 'share.auto.offset.reset', configOperation: 0, value: 'earliest' }];
  await other.exchange(
    ask(ApiKeys.IncrementalAlterConfigs, 1, {
      resources: [{ resourceType: 32, resourceName: 'g', configs }],
      validateOnly: false,
    }),
  );
  const heartbeat = (): TranscriptRequest =>
    ask(ApiKeys.ShareGroupHeartbeat, 1, {
      groupId: 'g',
      memberId,
      rackId: null,
      memberEpoch: 0,
      subscribedTopicNames: ['t'],
    });
  const find = ask(ApiKeys.FindCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] });
  await askUntil<{ coordinators: { errorCode: number }[] }>(
    other,
    () => find,
    ({ coordinators }) => coordinators[0]!.errorCode === 0,
  );
  const { assignment } = await askUntil<{
    assignment: { topicPartitions: { topicId: string }[] } | null;
  }>(other, heartbeat, (answer) => (answer.assignment?.topicPartitions.length ?? 0) > 0);
  const topics = [{ topicId: assignment!.topicPartitions[0]!.topicId, partitions: [{ partitionIndex: 0 }] }];
  const shareFetch = (shareSessionEpoch: number): TranscriptRequest =>
    ask(ApiKeys.ShareFetch, 1, {
      groupId: 'g',
      memberId,
      shareSessionEpoch,
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 100_000,
      maxRecords: 1,
      batchSize: 1,
      topics: shareSessionEpoch === 0 ? topics : [],
      forgottenTopicsData: [],
    });
  await setQuota('consumer_byte_rate', QUOTA);
  let epoch = 0;
  const isGiven = ({ responses }: ShareFetchAnswer): boolean =>
    (responses[0]?.partitions[0]?.acquiredRecords.length ?? 0) > 0;
  const given = await askUntil<ShareFetchAnswer>(client, () => shareFetch(epoch++), isGiven);
  expect(given.responses[0]!.partitions[0]!.records!.length).toBeGreaterThan(BYTES);
  expect(given.throttleTimeMs).toBeGreaterThan(4000);
  expect(given.throttleTimeMs).toBeLessThan(5400);
  await isHeardAfter(given.throttleTimeMs);
  await setQuota('consumer_byte_rate', null);
});

describe('a client above its rate of partitions made and deleted', () => {
  const THROTTLED = { errorCode: ErrorCodes.THROTTLING_QUOTA_EXCEEDED, errorMessage: null };
  const newTopic = (name: string, numPartitions: number): object => ({
    name,
    numPartitions,
    replicationFactor: 1,
    assignments: [],
    configs: [],
  });
  const create = (version: number, topics: object[], validateOnly = false): TranscriptRequest =>
    ask(ApiKeys.CreateTopics, version, { topics, timeoutMs: 10_000, validateOnly });
  const metadataOf = (name: string): TranscriptRequest =>
    ask(ApiKeys.Metadata, 12, {
      topics: [{ name, topicId: ZERO_UUID }],
      allowAutoTopicCreation: true,
      includeTopicAuthorizedOperations: false,
    });

  beforeEach(() => setQuota('controller_mutation_rate', 1));
  afterEach(async () => {
    await setQuota('controller_mutation_rate', null);
    clock.advance(100_000);
  });

  test('is refused what is beyond it, and not heard until it may go on', async () => {
    expect(await client.exchange(create(7, [newTopic('a', 5)]))).toMatchObject({ throttleTimeMs: 0 });
    const refused = await client.exchange(create(7, [newTopic('b', 8), newTopic('c', 3)]));
    expect(refused).toMatchObject({
      throttleTimeMs: 2000,
      topics: [
        { name: 'b', errorCode: 0, numPartitions: 8 },
        { name: 'c', ...THROTTLED, numPartitions: -1 },
      ],
    });
    await isHeardAfter(2000);
    // Partitions of a request that only validates count as well.
    expect(await client.exchange(create(7, [newTopic('d', 7)], true))).toMatchObject({ throttleTimeMs: 0 });
    const topics = [{ name: 'a', topicId: ZERO_UUID }];
    expect(
      await client.exchange(ask(ApiKeys.DeleteTopics, 6, { topics, topicNames: [], timeoutMs: 1000 })),
    ).toMatchObject({ throttleTimeMs: 7000, responses: [{ name: 'a', ...THROTTLED }] });
    clock.advance(7000);
    await client.exchange(create(7, [newTopic('d', 7)], true));
    const more = {
      topics: [{ name: 'a', count: 6, assignments: null }],
      timeoutMs: 1000,
      validateOnly: false,
    };
    expect(await client.exchange(ask(ApiKeys.CreatePartitions, 3, more))).toMatchObject({
      throttleTimeMs: 7000,
      results: [{ name: 'a', ...THROTTLED }],
    });
    clock.advance(7000);
  });

  test('and of an older version is served and then not heard', async () => {
    expect(await client.exchange(create(5, [newTopic('e', 12), newTopic('f', 1)]))).toMatchObject({
      throttleTimeMs: 2000,
      topics: [{ errorCode: 0 }, { errorCode: 0 }],
    });
    await isHeardAfter(2000);
  });

  test('gets no topic by asking for its metadata either', async () => {
    await client.exchange(create(7, [newTopic('g', 12)], true));
    expect(await client.exchange(metadataOf('auto'))).toMatchObject({
      throttleTimeMs: 0,
      topics: [{ name: 'auto', errorCode: ErrorCodes.UNKNOWN_TOPIC_OR_PARTITION }],
    });
    // Commands are carried out one after the other: had the topic been made, it would be there now.
    await setQuota('controller_mutation_rate', null);
    const { topics } = (await other.exchange(ask(ApiKeys.Metadata, 12, { topics: null }))) as {
      topics: { name: string }[];
    };
    expect(topics.map(({ name }) => name)).toContain('t');
    expect(topics.map(({ name }) => name)).not.toContain('auto');
  });
});
