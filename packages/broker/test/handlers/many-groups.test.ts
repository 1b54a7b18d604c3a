import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { MemoryDisk, SeededRandom, SimClock } from '@ottla/platform';
import { ApiKeys } from '@ottla/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Broker, startBroker } from '../../src/broker.ts';
import { PipelinedClient, type WireRequest } from './pipelined-client.ts';

const GROUPS = 10_000;
const CONNECTIONS = 20;
/** How many groups' answers another client may have to wait for. */
const MOST_BEFORE_OTHERS = 500;
const MOST_BYTES_PER_GROUP = 16 * 1024;
const SESSION_TIMEOUT_MS = 45_000;
const RETENTION_CHECK_MS = 600_000;

const { JoinGroup, ConsumerGroupHeartbeat, ShareGroupHeartbeat, StreamsGroupHeartbeat } = ApiKeys;
const { ApiVersions, CreateTopics, FindCoordinator, ListGroups } = ApiKeys;

let broker: Broker;
let clock: SimClock;
let clients: PipelinedClient[] = [];
let other: PipelinedClient;

const open = async (): Promise<PipelinedClient> => {
  const client = await PipelinedClient.open(broker.listeners[0]!.port);
  clients.push(client);
  return client;
};

beforeEach(async () => {
  clock = new SimClock();
  broker = await startBroker({
    properties: {
      listeners: 'PLAINTEXT://127.0.0.1:0',
      'log.dirs': '/logs',
      'offsets.topic.num.partitions': '4',
      'share.coordinator.state.topic.num.partitions': '4',
      'group.initial.rebalance.delay.ms': '0',
      'group.streams.initial.rebalance.delay.ms': '0',
    },
    clock,
    disk: new MemoryDisk({ clock }),
    random: new SeededRandom(1),
  });
  other = await open();
  const topics = [{ name: 't', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }];
  await other.ask({ apiKey: CreateTopics, version: 7, body: { topics, timeoutMs: 1000 } });
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await broker.close();
});

/** Lets the event loop turn, and the broker's time go on a little, until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    clock.advance(1);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Lets so much time pass, by steps within which what is under way can end. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1000) {
    clock.advance(1000);
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The answer, while time goes on. */
async function answerTo(request: WireRequest): Promise<unknown> {
  let answer: unknown;
  void other.ask(request).then((value) => (answer = value));
  await until(() => answer !== undefined);
  return answer;
}

async function coordinatorIsThere(): Promise<void> {
  const find = { apiKey: FindCoordinator, version: 4, body: { keyType: 0, coordinatorKeys: ['g'] } };
  for (;;) {
    const { coordinators } = (await answerTo(find)) as { coordinators: { errorCode: number }[] };
    if (coordinators[0]!.errorCode === 0) break;
  }
  // It answers once its partitions are loaded.
  const commit = { groupId: 'g', memberId: '', generationIdOrMemberEpoch: -1, topics: [] };
  for (;;) {
    const answer = JSON.stringify(await answerTo({ apiKey: ApiKeys.OffsetCommit, version: 9, body: commit }));
    if (!/"errorCode":1[456]/.test(answer)) return;
  }
}

/** How many groups are empty, once it is so many: what time has ended, its records end a little later. */
async function emptyGroups(wanted: number): Promise<number> {
  const body = { statesFilter: ['Empty'], typesFilter: [] };
  for (let attempt = 1; ; attempt += 1) {
    const { groups } = (await answerTo({ apiKey: ListGroups, version: 5, body })) as { groups: unknown[] };
    if (groups.length === wanted || attempt === MAX_ATTEMPTS) return groups.length;
  }
}
const MAX_ATTEMPTS = 100;

/** Bytes in use when all garbage is gone. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
}

const MEMBER = 'AAAAAAAAAAAAAAAAAAAAAQ';

/** A member that joins a group of its own, by each protocol. */
const JOINS: Readonly<Record<string, (groupId: string) => WireRequest>> = {
  classic: (groupId) => {
    const protocols = [{ name: 'range', metadata: Buffer.from('00010000000100017400000000', 'hex') }];
    const timeouts = { sessionTimeoutMs: SESSION_TIMEOUT_MS, rebalanceTimeoutMs: 60_000 };
    const body = { groupId, memberId: '', protocolType: 'consumer', protocols, ...timeouts };
    return { apiKey: JoinGroup, version: 3, body };
  },
  consumer: (groupId) => {
    const member = { groupId, memberId: MEMBER, memberEpoch: 0, rebalanceTimeoutMs: 60_000 };
    const body = { ...member, subscribedTopicNames: ['t'], topicPartitions: [] };
    return { apiKey: ConsumerGroupHeartbeat, version: 1, body };
  },
  share: (groupId) => {
    const body = { groupId, memberId: MEMBER, memberEpoch: 0, subscribedTopicNames: ['t'] };
    return { apiKey: ShareGroupHeartbeat, version: 1, body };
  },
  streams: (groupId) => {
    const topology = { epoch: 0, subtopologies: [{ subtopologyId: '0', sourceTopics: ['t'] }] };
    const tasks = { activeTasks: [], standbyTasks: [], warmupTasks: [] };
    const member = { groupId, memberId: MEMBER, memberEpoch: 0, processId: 'p', clientTags: [] };
    const body = { ...member, rebalanceTimeoutMs: 60_000, endpointInformationEpoch: -1, topology, ...tasks };
    return { apiKey: StreamsGroupHeartbeat, version: 0, body };
  },
};

test(
  'ten thousand groups of members that are never heard of again: others are served meanwhile, memory is bounded, and they end',
  { timeout: 120_000 },
  async () => {
    await coordinatorIsThere();
    const before = liveBytes();
    const joining = await Promise.all(Array.from({ length: CONNECTIONS }, open));
    const kinds = Object.values(JOINS);
    let answered = 0;
    const failed: unknown[] = [];
    for (let i = 0; i < GROUPS; i += 1) {
      const join = kinds[i % kinds.length]!(`g${i}`);
      const answer = joining[Math.floor(i / kinds.length) % CONNECTIONS]!.ask(join);
      void (answer as Promise<{ errorCode: number }>).then((value) => {
        answered += 1;
        if (value.errorCode !== 0) failed.push(value);
      });
    }
    const software = { clientSoftwareName: 'other', clientSoftwareVersion: '1' };
    let mostBeforeOthers = 0;
    while (answered < GROUPS) {
      const asked = answered;
      await other.ask({ apiKey: ApiVersions, version: 3, body: software });
      mostBeforeOthers = Math.max(mostBeforeOthers, answered - asked);
      clock.advance(0);
    }
    expect(failed).toEqual([]);
    expect(mostBeforeOthers).toBeLessThan(MOST_BEFORE_OTHERS);
    expect((liveBytes() - before) / GROUPS).toBeLessThan(MOST_BYTES_PER_GROUP);
    expect(await emptyGroups(0)).toBe(0);

    await pass(SESSION_TIMEOUT_MS + 5_000);
    expect(await emptyGroups(GROUPS)).toBe(GROUPS);
    await pass(RETENTION_CHECK_MS);
    // A share group stays until it is deleted, or its states would begin anew.
    expect(await emptyGroups(GROUPS / kinds.length)).toBe(GROUPS / kinds.length);
  },
);

// Comparing each with all the others would keep the broker from everybody else for minutes.
test('100,000 groups that are not there are deleted in one request, and answered in the order asked', async () => {
  await coordinatorIsThere();
  const groupsNames = Array.from({ length: 100_000 }, (_, index) => `absent-${index}`);
  const answer = await answerTo({ apiKey: ApiKeys.DeleteGroups, version: 2, body: { groupsNames } });
  const { results } = answer as { results: { groupId: string; errorCode: number }[] };
  expect(results.map(({ groupId }) => groupId)).toEqual(groupsNames);
  expect(new Set(results.map(({ errorCode }) => errorCode))).toEqual(new Set([69]));
});
