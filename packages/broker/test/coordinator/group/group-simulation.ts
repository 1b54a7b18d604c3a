import { SILENT_LOGGER, SimClock, type SeededRandom } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { GroupCoordinator } from '../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../src/coordinator/group/group-coordinator-config.ts';
import { DEFAULT_CONSUMER_GROUP_TIMINGS } from '../../../src/coordinator/group/consumer/consumer-group-config.ts';
import { GroupMachine } from '../../../src/coordinator/group/group-machine.ts';
import { groupRecordSerde } from '../../../src/coordinator/group/group-records.ts';
import type { JoinReply } from '../../../src/coordinator/group/classic/classic-types.ts';
import { CoordinatorError } from '../../../src/coordinator/runtime/coordinator-error.ts';
import { loadPartition } from '../../../src/coordinator/runtime/shard-loader.ts';
import { fixedMetadata, T1_ID } from './fixed-metadata.ts';
import { MemoryLog, type AppendFate } from './memory-log.ts';
import { GROUP_METADATA_TOPIC } from '../../../src/controller/topic-names.ts';

const CONFIG = {
  ...DEFAULT_GROUP_COORDINATOR_CONFIG,
  minSessionTimeoutMs: 10,
  initialRebalanceDelayMs: 20,
  maxSize: 4,
  offsetsRetentionMs: Number.MAX_SAFE_INTEGER,
  offsetsRetentionCheckIntervalMs: 500,
  offsetsTopicPartitions: 1,
};

const FATES: readonly AppendFate[] = [
  { errorCode: ErrorCodes.NONE, kept: true },
  { errorCode: ErrorCodes.NONE, kept: true },
  { errorCode: ErrorCodes.NONE, kept: true },
  { errorCode: ErrorCodes.NONE, kept: true },
  { errorCode: ErrorCodes.NOT_ENOUGH_REPLICAS, kept: false },
  { errorCode: ErrorCodes.REQUEST_TIMED_OUT, kept: true },
];

/** A client: what it believes of its membership. */
interface Client {
  readonly groupId: string;
  readonly instanceId: string | null;
  memberId: string;
  generationId: number;
  isLeader: boolean;
  members: readonly string[];
  busy: boolean;
}

interface SeenGroup {
  readonly generationId: number;
  /** The next group of this name may be a new one. */
  readonly mayVanish: boolean;
}

interface GroupFacts {
  readonly groupId: string;
  readonly generationId: number;
  readonly groupState: string;
  readonly memberIds: number;
  readonly leaderIsMember: boolean;
  readonly countsAgree: boolean;
  readonly isStored: boolean;
}

/**
 * A few clients of a few groups, a coordinator over a log whose appends end when and how the seed says, and time that
 * moves by jumps. After each step it is asked what is wrong:
 *
 *   - the generation of a group never falls while its coordinator lives,
 *   - a leader is a member, awaited joins and protocol counts are what the members say,
 *   - an acknowledged offset is never lost nor older than the last one acknowledged,
 *   - the durable state is what a replay of the log gives.
 */
export class GroupSimulation {
  lastAction = 'start';
  readonly #random: SeededRandom;
  readonly #clock = new SimClock();
  readonly #log = new MemoryLog(() => {});
  readonly #deferred: (() => void)[] = [];
  readonly #clients: Client[];
  /** Generation and state of each group as last seen, since its coordinator was loaded. */
  readonly #generations = new Map<string, SeenGroup>();
  /** Last acknowledged, and everything sent after it that may or may not count. */
  readonly #offsets = new Map<string, { acked: number; sent: number }>();
  readonly #problems: string[] = [];
  #coordinator: GroupCoordinator;
  #waiting = 0;
  #nextOffset = 1;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#clients = Array.from({ length: 8 }, (_, index) => ({
      groupId: `group-${index % 2}`,
      instanceId: index < 2 ? `instance-${index}` : null,
      memberId: '',
      generationId: -1,
      isLeader: false,
      members: [],
      busy: false,
    }));
    this.#coordinator = this.#newCoordinator();
  }

  async start(): Promise<void> {
    await this.#settleTurn();
  }

  /** Does one thing that a client, the disk, the clock or an operator might do. */
  async step(): Promise<void> {
    const dice = this.#random.nextInt(100);
    if (dice < 55) this.#clientAction();
    else if (dice < 80) this.#settleAppend(FATES[this.#random.nextInt(FATES.length)]!);
    else if (dice < 98) this.#advance(1 + this.#random.nextInt(60));
    else await this.#restart();
    await this.#settleTurn();
    await this.#compareWithReplay();
  }

  /** From here on writes succeed and time passes: everybody has to get an answer. */
  async heal(): Promise<void> {
    for (let i = 0; i < 60; i++) {
      this.#settleAll();
      this.#advance(50 * (i + 1) * 10);
      await this.#settleTurn();
    }
    await this.#compareWithReplay();
  }

  unanswered(): number {
    return this.#waiting;
  }

  violations(): readonly string[] {
    return this.#problems;
  }

  #newCoordinator(): GroupCoordinator {
    const coordinator = new GroupCoordinator({
      nodeId: 1,
      config: CONFIG,
      log: this.#log,
      metadata: fixedMetadata(1),
      clock: this.#clock,
      random: this.#random,
      logger: SILENT_LOGGER,
      defer: (callback) => void this.#deferred.push(callback),
    });
    coordinator.start(fixedMetadata(1).current());
    return coordinator;
  }

  #clientAction(): void {
    const client = this.#clients[this.#random.nextInt(this.#clients.length)]!;
    const action = this.#random.nextInt(10);
    if (action === 9) this.#commitOutside();
    else if (client.busy) return;
    else if (client.memberId === '' || action < 3) this.#join(client);
    else if (action < 5) this.#sync(client);
    else if (action < 7) this.#commit(client);
    else if (action < 8) this.#heartbeat(client);
    else this.#leave(client);
  }

  #join(client: Client): void {
    this.lastAction = `join ${client.groupId} as "${client.memberId}"`;
    const { groupId, memberId, instanceId } = client;
    this.#call(client, async () => {
      const reply = await this.#coordinator.join({
        groupId,
        memberId,
        groupInstanceId: instanceId,
        clientId: 'sim',
        clientHost: '/127.0.0.1',
        sessionTimeoutMs: 100,
        rebalanceTimeoutMs: 150,
        protocolType: 'consumer',
        protocols: [
          { name: this.#random.nextInt(20) === 0 ? 'odd' : 'range', metadata: Buffer.from([0, 0]) },
        ],
        requireKnownMemberId: true,
        supportsSkippingAssignment: true,
      });
      this.#joined(client, reply);
    });
  }

  #joined(client: Client, reply: JoinReply): void {
    if (reply.errorCode === ErrorCodes.MEMBER_ID_REQUIRED) client.memberId = reply.memberId;
    if (reply.errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || reply.errorCode === ErrorCodes.FENCED_INSTANCE_ID)
      client.memberId = '';
    if (reply.errorCode !== ErrorCodes.NONE) return;
    client.memberId = reply.memberId;
    client.generationId = reply.generationId;
    client.isLeader = reply.leader === reply.memberId;
    client.members = reply.members.map(({ memberId }) => memberId);
    if (client.isLeader && !client.members.includes(client.memberId))
      this.#problems.push(`leader ${client.memberId} is no member`);
  }

  #sync(client: Client): void {
    this.lastAction = `sync ${client.memberId}`;
    const { groupId, memberId, instanceId, generationId, members } = client;
    this.#call(client, async () => {
      await this.#coordinator
        .sync({
          groupId,
          memberId,
          groupInstanceId: instanceId,
          generationId,
          protocolType: null,
          protocolName: null,
          assignments: members.map((id) => ({
            memberId: id,
            assignment: Buffer.from(`${generationId}/${id}`),
          })),
        })
        .then((reply) => {
          const text = reply.assignment.toString();
          // A leader that was told to skip sends none; whoever gets one has to get its own.
          if (reply.errorCode === 0 && text !== '' && !this.#isAssignmentOf(text, client))
            this.#problems.push(`${memberId} got ${text}`);
        });
    });
  }

  /** A static member keeps the assignment of the id it had before. */
  #isAssignmentOf(assignment: string, client: Client): boolean {
    return client.instanceId !== null || assignment.endsWith(`/${client.memberId}`);
  }

  #heartbeat(client: Client): void {
    this.lastAction = `heartbeat ${client.memberId}`;
    const { groupId, memberId, instanceId, generationId } = client;
    this.#call(client, async () => {
      const errorCode = await this.#coordinator.heartbeat({
        groupId,
        memberId,
        groupInstanceId: instanceId,
        generationId,
      });
      if (errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || errorCode === ErrorCodes.FENCED_INSTANCE_ID)
        client.memberId = '';
    });
  }

  #leave(client: Client): void {
    this.lastAction = `leave ${client.memberId}`;
    const { groupId, memberId } = client;
    this.#call(client, async () => {
      await this.#coordinator.leave({ groupId, members: [{ memberId, groupInstanceId: null }] });
      client.memberId = '';
    });
  }

  #commit(client: Client): void {
    this.lastAction = `commit by ${client.memberId}`;
    this.#commitAs(client, {
      groupId: client.groupId,
      memberId: client.memberId,
      instanceId: client.instanceId,
      generationId: client.generationId,
    });
  }

  #commitOutside(): void {
    this.lastAction = 'standalone commit';
    this.#commitAs(null, { groupId: 'standalone', memberId: '', instanceId: null, generationId: -1 });
  }

  #commitAs(
    client: Client | null,
    who: { groupId: string; memberId: string; instanceId: string | null; generationId: number },
  ): void {
    const offset = this.#nextOffset++;
    const known = this.#offsets.get(who.groupId) ?? { acked: -1, sent: -1 };
    this.#offsets.set(who.groupId, { ...known, sent: offset });
    this.#call(client, async () => {
      const [topic] = await this.#coordinator.commitOffsets({
        groupId: who.groupId,
        memberId: who.memberId,
        groupInstanceId: who.instanceId,
        generationId: who.generationId,
        apiVersion: 9,
        retentionTimeMs: -1,
        producer: null,
        topics: [
          {
            name: 't1',
            topicId: T1_ID,
            partitions: [
              {
                partitionIndex: 0,
                committedOffset: offset,
                committedLeaderEpoch: -1,
                committedMetadata: null,
              },
            ],
          },
        ],
      });
      const current = this.#offsets.get(who.groupId)!;
      if (topic?.partitions[0]?.errorCode === 0)
        this.#offsets.set(who.groupId, { ...current, acked: Math.max(current.acked, offset) });
    });
  }

  #call(client: Client | null, action: () => Promise<void>): void {
    this.#waiting++;
    if (client !== null) client.busy = true;
    action()
      .catch((failure: unknown) => {
        if (!(failure instanceof CoordinatorError)) this.#problems.push(String(failure));
        else if (failure.code === ErrorCodes.UNKNOWN_SERVER_ERROR)
          this.#problems.push(`unexpected failure after ${this.lastAction}`);
        if (
          client !== null &&
          failure instanceof CoordinatorError &&
          failure.code === ErrorCodes.UNKNOWN_MEMBER_ID
        )
          client.memberId = '';
      })
      .finally(() => {
        this.#waiting--;
        if (client !== null) client.busy = false;
      });
  }

  #settleAppend(fate: AppendFate): void {
    this.lastAction = `append ends with ${fate.errorCode}`;
    this.#log.settle(fate);
  }

  #settleAll(): void {
    while (this.#log.pendingCount > 0) this.#log.settle();
  }

  #advance(ms: number): void {
    this.lastAction = `${ms} ms pass`;
    this.#clock.advance(ms);
  }

  /** The broker dies and starts again: who waited gets no answer that counts, appends under way may or may not be kept. */
  async #restart(): Promise<void> {
    this.lastAction = 'restart';
    while (this.#log.pendingCount > 0)
      this.#log.settle({ errorCode: ErrorCodes.NOT_LEADER_OR_FOLLOWER, kept: this.#random.nextInt(2) === 0 });
    this.#deferred.length = 0;
    const old = this.#coordinator;
    old.onMetadataChange(lostTopic(), fixedMetadata(1).current());
    await this.#settleTurn();
    this.#generations.clear();
    this.#coordinator = this.#newCoordinator();
  }

  async #settleTurn(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const callback of this.#deferred.splice(0)) callback();
    }
    await new Promise((resolve) => setImmediate(resolve));
    this.#checkGroups();
  }

  #checkGroups(): void {
    // A shard that has to be loaded again goes on from what the log says.
    if (this.#coordinator.inspect(0, () => true) === undefined) this.#generations.clear();
    for (const {
      groupId,
      generationId,
      groupState,
      memberIds,
      leaderIsMember,
      countsAgree,
      isStored,
    } of this.#groups()) {
      const last = this.#generations.get(groupId) ?? { generationId: -1, mayVanish: true };
      // An empty group may have expired, one that is not in the log yet may fail to get there; the next starts from 0.
      const isNew = last.mayVanish && generationId === 0;
      if (generationId < last.generationId && !isNew) {
        this.#problems.push(`generation of ${groupId} fell from ${last.generationId} to ${generationId}`);
      }
      this.#generations.set(groupId, { generationId, mayVanish: groupState === 'Empty' || !isStored });
      if (!leaderIsMember) this.#problems.push(`leader of ${groupId} is no member`);
      if (!countsAgree) this.#problems.push(`counts of ${groupId} are off`);
      if (groupState === 'Empty' && memberIds > 0) this.#problems.push(`${groupId} is Empty with members`);
      if (groupState !== 'Empty' && groupState !== 'PreparingRebalance' && memberIds === 0)
        this.#problems.push(`${groupId} is ${groupState} without members`);
    }
  }

  #groups(): GroupFacts[] {
    return (
      this.#coordinator.inspect(0, ({ state }) =>
        Array.from(state.groupIds(), (groupId) => {
          const group = state.classicGroup(groupId)!;
          const members = [...group.members.values()];
          const awaiting = members.filter(({ awaitingJoin }) => awaitingJoin !== null).length;
          const votes = [...group.supportedProtocols.values()].reduce((sum, count) => sum + count, 0);
          return {
            groupId,
            generationId: group.generationId,
            groupState: group.state,
            memberIds: members.length,
            leaderIsMember:
              group.leaderId === null ? members.length === 0 : group.members.has(group.leaderId),
            isStored: state.classic.stored(groupId) !== undefined,
            countsAgree: awaiting === group.awaitingJoinCount && votes === members.length,
          };
        }),
      ) ?? []
    );
  }

  /** Nothing in flight: the durable state has to be what the log says, with every acknowledged offset. */
  async #compareWithReplay(): Promise<void> {
    if (this.#log.pendingCount > 0) return;
    const replayed = new GroupMachine({
      config: CONFIG,
      image: () => fixedMetadata(1).current(),
      newTopicsVersion: () => 0,
      consumerTimings: () => DEFAULT_CONSUMER_GROUP_TIMINGS,
    });
    await loadPartition({
      partition: { topic: GROUP_METADATA_TOPIC, partition: 0 },
      machine: replayed,
      serde: groupRecordSerde,
      log: this.#log,
      cancelled: () => false,
    });
    const live = this.#coordinator.inspect(0, (machine) => durable(machine));
    if (live !== undefined && this.#log.pendingCount === 0 && live !== durable(replayed)) {
      this.#problems.push(`live ${live} is not what the log says: ${durable(replayed)}`);
    }
    for (const [groupId, { acked, sent }] of this.#offsets) {
      const stored = replayed.state.offsets.committed.get(groupId, 't1', 0)?.offset ?? -1;
      if (stored < acked || stored > sent)
        this.#problems.push(`offset of ${groupId} is ${stored}, acknowledged ${acked}`);
    }
  }
}

function durable({ state }: GroupMachine): string {
  return JSON.stringify(
    [...state.groupIds()]
      .filter((groupId) => state.classic.stored(groupId) !== undefined || state.offsets.has(groupId))
      .toSorted()
      .map((groupId) => [
        groupId,
        state.classic.stored(groupId) ?? null,
        [...(state.offsets.committed.ofGroup(groupId) ?? [])].map(([topic, partitions]) => [
          topic,
          [...partitions],
        ]),
      ]),
  );
}

function lostTopic(): Parameters<GroupCoordinator['onMetadataChange']>[0] {
  const previous = fixedMetadata(1).current();
  const topic = previous.topics.byName.get(GROUP_METADATA_TOPIC)!;
  return {
    previous,
    changedTopicIds: new Set(),
    deletedTopics: new Map([[topic.id, topic]]),
    changedConfigs: new Set(),
  };
}
