import { SeededRandom, SILENT_LOGGER, SimClock } from '@ottla/platform';
import { expect, it } from 'vitest';
import { GroupCoordinator } from '../../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../../src/coordinator/group/group-coordinator-config.ts';
import type { MetadataImage } from '../../../../src/metadata/image.ts';
import { fixedImage } from '../fixed-metadata.ts';
import { MemoryLog } from '../memory-log.ts';

const TIMINGS = { sessionTimeoutMs: 60_000, heartbeatIntervalMs: 5000, assignmentIntervalMs: 0 };

/** A coordinator over metadata that a test changes. */
class Cluster {
  readonly clock = new SimClock();
  readonly groups: GroupCoordinator;
  timings = TIMINGS;
  #image = fixedImage(1);

  constructor() {
    this.groups = new GroupCoordinator({
      nodeId: 1,
      config: DEFAULT_GROUP_COORDINATOR_CONFIG,
      log: new MemoryLog(),
      metadata: { current: () => this.#image, subscribe: () => {} },
      clock: this.clock,
      random: new SeededRandom(1),
      logger: SILENT_LOGGER,
      consumerTimings: () => this.timings,
    });
    this.groups.start(this.#image);
  }

  async pass(ms: number): Promise<void> {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
    this.clock.advance(ms);
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
  }

  createTopic(name: string): void {
    const previous = this.#image;
    const topic = { ...previous.topics.byName.get('t1')!, name, id: name.padEnd(22, 'x') };
    const byName = new Map(previous.topics.byName).set(name, topic);
    const byId = new Map(previous.topics.byId).set(topic.id, topic);
    this.#image = {
      ...previous,
      offset: previous.offset + 1,
      topics: { byName, byId },
    } satisfies MetadataImage;
    this.groups.onMetadataChange(
      { previous, changedTopicIds: new Set([topic.id]), deletedTopics: new Map(), changedConfigs: new Set() },
      this.#image,
    );
  }

  async heartbeat(
    memberEpoch: number,
  ): Promise<{ memberEpoch: number; heartbeatIntervalMs: number; count: number | null }> {
    const joins = memberEpoch === 0;
    const reply = await this.groups.consumerHeartbeat(
      {
        type: 'consumer-heartbeat',
        groupId: 'g',
        memberId: 'm',
        memberEpoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: joins ? 1000 : -1,
        subscribedTopicNames: null,
        subscribedTopicRegex: joins ? 't.*' : null,
        serverAssignor: null,
        topicPartitions: joins ? [] : null,
        clientId: 'c',
        clientHost: '/127.0.0.1',
      },
      1,
    );
    const count = reply.assignment?.reduce((sum, { partitions }) => sum + partitions.length, 0) ?? null;
    return { memberEpoch: reply.memberEpoch, heartbeatIntervalMs: reply.heartbeatIntervalMs, count };
  }
}

it('a topic that is created later is matched, though not within ten seconds of the last time', async () => {
  const cluster = new Cluster();
  await cluster.pass(0);
  expect(await cluster.heartbeat(0)).toMatchObject({ memberEpoch: 1, count: 0 });
  await cluster.pass(1);
  expect(await cluster.heartbeat(1)).toMatchObject({ memberEpoch: 2, count: 3 });
  cluster.createTopic('t2');
  await cluster.heartbeat(2);
  await cluster.pass(1);
  expect(await cluster.heartbeat(2)).toMatchObject({ memberEpoch: 2, count: null });
  await cluster.pass(10_001);
  await cluster.heartbeat(2);
  await cluster.pass(1);
  expect(await cluster.heartbeat(2)).toMatchObject({ memberEpoch: 3, count: 6 });
});

it('timings of a group that change count from the next heartbeat on', async () => {
  const cluster = new Cluster();
  await cluster.pass(0);
  expect(await cluster.heartbeat(0)).toMatchObject({ heartbeatIntervalMs: 5000 });
  await cluster.pass(1);
  cluster.timings = { ...TIMINGS, heartbeatIntervalMs: 700, sessionTimeoutMs: 2000 };
  expect(await cluster.heartbeat(1)).toMatchObject({ heartbeatIntervalMs: 700 });
  await cluster.pass(2001);
  const [described] = await cluster.groups.describeConsumerGroups(['g']);
  expect(described?.groupState).toBe('Empty');
});
