import { SeededRandom, SimClock, SimDisk } from '@ottla/platform';
import { ApiKeys, ErrorCodes } from '@ottla/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { ask } from '../transcripts/ask.ts';
import { TranscriptClient } from '../transcripts/transcript-client.ts';

const GROUP = 'the-readers-of-t';
const PARTITIONS = 500;
/** The answer to each name is some 10 kB, to all of them 600 MB. */
const REPEATS = 60_000;

let broker: Broker;
let client: TranscriptClient;

beforeAll(async () => {
  const clock = new SimClock();
  broker = await startBroker({
    properties: {
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': '/logs',
      'offsets.topic.num.partitions': '1',
    },
    clock,
    disk: new SimDisk({ clock, random: new SeededRandom(1) }),
    random: new SeededRandom(2),
  });
  client = await TranscriptClient.open(broker.listeners[0]!.port);
  const topics = [
    { name: 't', numPartitions: PARTITIONS, replicationFactor: 1, assignments: [], configs: [] },
  ];
  await client.exchange(ask(ApiKeys.CreateTopics, 7, { topics, timeoutMs: 10_000, validateOnly: false }));
  await commit();
});
afterAll(async () => {
  client.close();
  await broker.close();
});

/** The coordinator's topic is made meanwhile. */
async function commit(): Promise<void> {
  const partitions = Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: 7,
    committedLeaderEpoch: -1,
    committedMetadata: null,
  }));
  const member = { groupId: GROUP, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null };
  for (let tries = 0; tries < 1000; tries += 1) {
    await client.exchange(ask(ApiKeys.FindCoordinator, 4, { keyType: 0, coordinatorKeys: [GROUP] }));
    const { topics } = (await client.exchange(
      ask(ApiKeys.OffsetCommit, 8, { ...member, topics: [{ name: 't', partitions }] }),
    )) as { topics: { partitions: { errorCode: number }[] }[] };
    if (topics[0]!.partitions.every(({ errorCode }) => errorCode === ErrorCodes.NONE)) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('The offsets could not be committed');
}

const offsetsOf = (groupIds: readonly string[]) =>
  ask(ApiKeys.OffsetFetch, 8, {
    groups: groupIds.map((groupId) => ({ groupId, topics: null })),
    requireStable: false,
  });

test('a group that is named twice is answered twice', async () => {
  const { groups } = (await client.exchange(offsetsOf([GROUP, 'other', GROUP]))) as {
    groups: { groupId: string; topics: { partitions: object[] }[] }[];
  };
  expect(groups.map(({ groupId, topics }) => [groupId, topics[0]?.partitions.length ?? 0])).toEqual([
    [GROUP, PARTITIONS],
    ['other', 0],
    [GROUP, PARTITIONS],
  ]);
});

test('one that is named so often that the answer would fill the memory is refused, and others are served', async () => {
  const { groups } = (await client.exchange(offsetsOf(Array<string>(REPEATS).fill(GROUP)))) as {
    groups: { errorCode: number; topics: object[] }[];
  };
  expect(groups.length).toBe(REPEATS);
  expect(groups[0]).toMatchObject({ errorCode: ErrorCodes.UNKNOWN_SERVER_ERROR, topics: [] });
  expect(await client.exchange(offsetsOf([GROUP]))).toMatchObject({ groups: [{ errorCode: 0 }] });
});
