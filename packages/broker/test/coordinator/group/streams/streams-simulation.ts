import type { SeededRandom } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../../src/coordinator/group/group-coordinator-config.ts';
import { DEFAULT_STREAMS_GROUP_SETTINGS } from '../../../../src/coordinator/group/streams/streams-group-config.ts';
import type { StreamsGroup } from '../../../../src/coordinator/group/streams/streams-group.ts';
import type {
  StreamsHeartbeatCommand,
  StreamsHeartbeatReply,
} from '../../../../src/coordinator/group/streams/streams-types.ts';
import {
  toTaskIds,
  toTaskIdsWithEpochs,
  type AssignedTasks,
  type TaskIds,
  type Tasks,
} from '../../../../src/coordinator/group/streams/tasks.ts';
import { CoordinatorError } from '../../../../src/coordinator/runtime/coordinator-error.ts';
import { T1_ID } from '../fixed-metadata.ts';
import { FATES, GroupWorld } from '../group-world.ts';

const GROUP = 'group';
const CLIENTS = 6;
/** Two subtopologies over the same topic, so that one process may get two tasks of one number. The first has state. */
const TOPOLOGY = {
  epoch: 0,
  subtopologies: ['a', 'b'].map((subtopologyId) => ({
    subtopologyId,
    sourceTopics: ['t1'],
    sourceTopicRegex: [],
    // A store whose changelog is its own input: nothing has to be created, however many partitions there are.
    stateChangelogTopics:
      subtopologyId === 'a' ? [{ name: 't1', partitions: 0, replicationFactor: 0, topicConfigs: [] }] : [],
    repartitionSinkTopics: [],
    repartitionSourceTopics: [],
    copartitionGroups: [],
  })),
};

/** A member as its client sees itself. */
interface Client {
  readonly name: string;
  readonly processId: string;
  generation: number;
  memberEpoch: number;
  /** What it works on, or follows. */
  tasks: ClientTasks;
  busy: boolean;
}

interface ClientTasks {
  readonly active: readonly TaskIds[];
  readonly standby: readonly TaskIds[];
}

const NO_CLIENT_TASKS: ClientTasks = { active: [], standby: [] };

/**
 * Members of one streams group that join, leave, fall silent and come back, over a log whose appends end when and how the
 * seed says, under time that moves by jumps, while partitions are added. After each step it is asked what is wrong:
 *
 *   - no active task is held by two members, and no process has a task in two roles or twice,
 *   - no client works on what is not its member's, as far as the coordinator has told it,
 *   - an epoch that was acknowledged is never taken back,
 *   - an acknowledged offset is never lost nor older than the last one acknowledged,
 *   - the state is what a replay of the log gives, once nothing is in flight.
 */
export class StreamsSimulation extends GroupWorld {
  readonly #clients: readonly Client[];
  readonly #standbys: number;
  #ackedEpoch = 0;
  #offset = { acked: -1, sent: -1 };

  /** `numStandbyReplicas` of each task with state, and a wait of `initialRebalanceDelayMs` for the first members. */
  constructor(
    random: SeededRandom,
    settings: { readonly numStandbyReplicas: number; readonly initialRebalanceDelayMs: number },
  ) {
    const streams = {
      ...DEFAULT_STREAMS_GROUP_SETTINGS,
      sessionTimeoutMs: 300,
      heartbeatIntervalMs: 50,
      assignmentIntervalMs: 20,
      ...settings,
    };
    super({
      random,
      config: {
        ...DEFAULT_GROUP_COORDINATOR_CONFIG,
        offsetsRetentionMs: Number.MAX_SAFE_INTEGER,
        offsetsTopicPartitions: 1,
        streams: () => streams,
      },
    });
    this.#standbys = settings.numStandbyReplicas;
    this.#clients = Array.from({ length: CLIENTS }, (_, index) => ({
      name: `c${index}`,
      processId: `p${index % 4}`,
      generation: 0,
      memberEpoch: 0,
      tasks: NO_CLIENT_TASKS,
      busy: false,
    }));
  }

  /** Does one thing that a client, the disk, the clock or an operator might do. */
  async step(): Promise<void> {
    const dice = this.random.nextInt(100);
    if (dice < 60) this.#clientAction();
    else if (dice < 85) this.settle(FATES[this.random.nextInt(FATES.length)]!);
    else if (dice < 96) this.advance(1 + this.random.nextInt(80));
    else if (dice < 98) this.addPartition();
    else await this.restart();
    await this.turn();
    await this.#check();
  }

  /** From here on writes succeed and everybody sends heartbeats: the group has to settle. */
  async heal(): Promise<void> {
    for (let round = 0; round < 80; round++) {
      for (const client of this.#clients) if (!client.busy) this.#heartbeat(client);
      await this.turn();
      await this.settleAll();
      this.advance(40);
      // A shard that was lost is loaded again after a while.
      if (this.#group() === undefined) this.advance(1000);
      await this.turn();
    }
    await this.#check();
    const group = this.#group();
    if (group?.state !== 'Stable') this.problems.push(`the group is ${group?.state} after healing`);
    const numbers = Array.from({ length: this.partitionCount() }, (_, index) => index);
    const all = ['a', 'b'].flatMap((id) => numbers.map((partition) => `${id}_${partition}`));
    this.#expectTasks('active', all);
    this.#expectTasks(
      'standby',
      numbers.flatMap((partition) => Array.from({ length: this.#standbys }, () => `a_${partition}`)),
    );
  }

  #expectTasks(role: keyof ClientTasks, expected: readonly string[]): void {
    const found = this.#clients.flatMap(({ tasks }) => names(tasks[role])).toSorted();
    if (found.join() !== expected.toSorted().join())
      this.problems.push(`${role} after healing are ${found.join()}, not ${expected.join()}`);
  }

  #clientAction(): void {
    const client = this.#clients[this.random.nextInt(CLIENTS)]!;
    if (client.busy) return;
    const action = this.random.nextInt(20);
    if (action === 0 && client.memberEpoch > 0) this.#leave(client);
    else if (action < 4 && client.memberEpoch > 0) this.#commit(client);
    else this.#heartbeat(client);
  }

  #heartbeat(client: Client): void {
    const { memberEpoch, tasks } = client;
    this.lastAction = `heartbeat of ${client.name} at ${memberEpoch}`;
    const joins = memberEpoch <= 0;
    // Now and then a client only says that it is alive.
    const isTerse = !joins && this.random.nextInt(3) === 0;
    this.#send(client, {
      memberEpoch: joins ? 0 : memberEpoch,
      rebalanceTimeoutMs: joins ? 200 : -1,
      topology: joins ? TOPOLOGY : null,
      processId: joins ? client.processId : null,
      activeTasks: isTerse ? null : joins ? [] : tasks.active,
      standbyTasks: isTerse ? null : joins ? [] : tasks.standby,
      warmupTasks: isTerse ? null : [],
    });
  }

  #leave(client: Client): void {
    this.lastAction = `${client.name} leaves`;
    client.tasks = NO_CLIENT_TASKS;
    this.#send(client, { memberEpoch: -1 });
  }

  #send(client: Client, fields: Partial<StreamsHeartbeatCommand>): void {
    const command: StreamsHeartbeatCommand = {
      type: 'streams-heartbeat',
      groupId: GROUP,
      memberId: memberIdOf(client),
      memberEpoch: 0,
      endpointEpoch: 0,
      rackId: null,
      rebalanceTimeoutMs: -1,
      topology: null,
      activeTasks: null,
      standbyTasks: null,
      warmupTasks: null,
      processId: null,
      userEndpoint: null,
      clientTags: null,
      shutdownApplication: false,
      clientId: 'sim',
      clientHost: '/127.0.0.1',
      ...fields,
    };
    this.call(client, async () => {
      try {
        this.#accept(client, await this.coordinator.submit(command));
      } catch (failure) {
        this.#refused(client, failure);
      }
    });
  }

  #accept(client: Client, reply: StreamsHeartbeatReply): void {
    if (reply.memberEpoch <= 0) {
      this.#startOver(client);
      return;
    }
    if (reply.memberEpoch < client.memberEpoch)
      this.problems.push(`epoch of ${client.name} fell from ${client.memberEpoch} to ${reply.memberEpoch}`);
    client.memberEpoch = reply.memberEpoch;
    this.#ackedEpoch = Math.max(this.#ackedEpoch, reply.memberEpoch);
    if (reply.tasks === null) return;
    client.tasks = { active: toTaskIds(reply.tasks.active), standby: toTaskIds(reply.tasks.standby) };
  }

  #refused(client: Client, failure: unknown): void {
    if (!(failure instanceof CoordinatorError)) throw failure;
    if (failure.code === ErrorCodes.UNKNOWN_SERVER_ERROR || failure.code === ErrorCodes.INVALID_REQUEST)
      this.problems.push(`unexpected failure after ${this.lastAction}: ${failure.message}`);
    // Whatever else it was, an answer may have got lost with it: Java's client rejoins only when it is told to.
    const isOut = [
      ErrorCodes.UNKNOWN_MEMBER_ID,
      ErrorCodes.FENCED_MEMBER_EPOCH,
      ErrorCodes.GROUP_ID_NOT_FOUND,
    ].some((code) => code === failure.code);
    if (isOut) this.#startOver(client);
  }

  /** Gives up everything and joins anew, now and then as another member. */
  #startOver(client: Client): void {
    client.tasks = NO_CLIENT_TASKS;
    client.memberEpoch = 0;
    client.generation += this.random.nextInt(2);
  }

  /** Only the task that reads partition 0 for the first subtopology commits its offset. */
  #commit(client: Client): void {
    if (!names(client.tasks.active).includes('b_0')) return;
    this.lastAction = `${client.name} commits`;
    const offset = ++this.#offset.sent;
    const partition = {
      partitionIndex: 0,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    };
    this.call(client, async () => {
      try {
        const [topic] = await this.coordinator.commitOffsets({
          groupId: GROUP,
          memberId: memberIdOf(client),
          groupInstanceId: null,
          generationId: client.memberEpoch,
          apiVersion: 9,
          retentionTimeMs: -1,
          producer: null,
          topics: [{ name: 't1', topicId: T1_ID, partitions: [partition] }],
        });
        if (topic?.partitions[0]?.errorCode === ErrorCodes.NONE)
          this.#offset.acked = Math.max(this.#offset.acked, offset);
      } catch (failure) {
        if (!(failure instanceof CoordinatorError)) throw failure;
      }
    });
  }

  #group(): StreamsGroup | undefined {
    return this.coordinator.inspect(0, ({ state }) => state.streams.get(GROUP));
  }

  async #check(): Promise<void> {
    const group = this.#group();
    if (group !== undefined) {
      this.#checkHolders(group);
      this.#checkClients(group);
    }
    if (this.log.pendingCount > 0) return;
    const replayed = await this.replay();
    const logged = replayed.state.streams.get(GROUP);
    if (group !== undefined && this.waiting === 0 && durable(group) !== durable(logged))
      this.problems.push(`live ${durable(group)} is not what the log says: ${durable(logged)}`);
    if ((logged?.groupEpoch ?? 0) < this.#ackedEpoch)
      this.problems.push(`epoch ${this.#ackedEpoch} was acknowledged, the log has ${logged?.groupEpoch}`);
    const stored = replayed.state.offsets.committed.get(GROUP, 't1', 0)?.offset ?? -1;
    if (stored < this.#offset.acked || stored > this.#offset.sent)
      this.problems.push(`offset is ${stored}, acknowledged ${this.#offset.acked}`);
  }

  #checkHolders(group: StreamsGroup): void {
    const owners = new Map<string, string>();
    const inProcess = new Map<string, string>();
    const hold = (holders: Map<string, string>, task: string, memberId: string): void => {
      const other = holders.get(task);
      if (other !== undefined) this.problems.push(`${task} is held by ${other} and ${memberId}`);
      holders.set(task, memberId);
    };
    for (const { memberId, processId, assigned, pendingRevocation } of group.members.values()) {
      for (const held of [assigned, pendingRevocation]) {
        for (const task of names(toTaskIds(held.active))) hold(owners, task, memberId);
        for (const task of [...names(toTaskIds(held.active)), ...names(toTaskIds(held.standby))])
          hold(inProcess, `${processId}/${task}`, memberId);
      }
    }
  }

  /** A client that has the epoch of its member works on nothing but what the member holds. */
  #checkClients(group: StreamsGroup): void {
    for (const client of this.#clients) {
      const member = group.members.get(memberIdOf(client));
      if (member === undefined || client.busy || member.memberEpoch !== client.memberEpoch) continue;
      const held = [member.assigned, member.pendingRevocation].flatMap(({ active }) =>
        names(toTaskIds(active)),
      );
      const stray = names(client.tasks.active).filter((task) => !held.includes(task));
      if (stray.length > 0)
        this.problems.push(`${client.name} works on ${stray}, which its member does not hold`);
    }
  }
}

function memberIdOf({ name, generation }: Client): string {
  return `${name}-${generation}`;
}

function names(tasks: readonly TaskIds[]): string[] {
  return tasks.flatMap(({ subtopologyId, partitions }) =>
    partitions.map((partition) => `${subtopologyId}_${partition}`),
  );
}

function durable(group: StreamsGroup | undefined): string {
  if (group === undefined) return 'nothing';
  const assigned = ({ active, standby }: AssignedTasks): unknown => [
    toTaskIdsWithEpochs(active),
    toTaskIds(standby),
  ];
  const target = ({ active, standby }: Tasks): unknown => [toTaskIds(active), toTaskIds(standby)];
  const members = [...group.members.values()]
    .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map((member) => [
      member.memberId,
      member.processId,
      member.memberEpoch,
      member.previousMemberEpoch,
      member.state,
      assigned(member.assigned),
      assigned(member.pendingRevocation),
      target(group.targetOf(member.memberId)),
    ]);
  const { groupEpoch, metadataHash, targetEpoch, validatedTopologyEpoch, assignmentConfigs } = group;
  return JSON.stringify([
    groupEpoch,
    metadataHash,
    targetEpoch,
    validatedTopologyEpoch,
    [...assignmentConfigs],
    [...(group.topology?.requiredTopics ?? [])],
    members,
  ]);
}
