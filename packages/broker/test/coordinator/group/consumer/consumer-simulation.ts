import type { SeededRandom } from '@ottla/platform';
import { ErrorCodes } from '@ottla/protocol';
import type { ConsumerGroup } from '../../../../src/coordinator/group/consumer/consumer-group.ts';
import type { ConsumerHeartbeatReply } from '../../../../src/coordinator/group/consumer/consumer-types.ts';
import type { GroupCoordinator } from '../../../../src/coordinator/group/group-coordinator.ts';
import { DEFAULT_GROUP_COORDINATOR_CONFIG } from '../../../../src/coordinator/group/group-coordinator-config.ts';
import { CoordinatorError } from '../../../../src/coordinator/runtime/coordinator-error.ts';
import { T1_ID } from '../fixed-metadata.ts';
import { FATES, GroupWorld } from '../group-world.ts';
import { ClassicClient } from './classic-client.ts';

const GROUP = 'group';
const TIMINGS = { sessionTimeoutMs: 300, heartbeatIntervalMs: 50, assignmentIntervalMs: 20 };
const CONFIG = {
  ...DEFAULT_GROUP_COORDINATOR_CONFIG,
  minSessionTimeoutMs: 10,
  initialRebalanceDelayMs: 20,
  offsetsRetentionMs: Number.MAX_SAFE_INTEGER,
  offsetsTopicPartitions: 1,
};

/** A member as its client sees itself. */
interface Client {
  readonly name: string;
  readonly instanceId: string | null;
  generation: number;
  memberEpoch: number;
  /** Partitions of `t1` that it reads. */
  owned: readonly number[];
  /** An answer got lost: the next request says everything, so that the answer does too. */
  saysAll: boolean;
  busy: boolean;
  /** Set for a member of the classic protocol: then this is all that counts. */
  readonly classic: ClassicClient | null;
}

/**
 * Members of one consumer group that join, leave, fall silent and come back, over a log whose appends end when and how the
 * seed says, under time that moves by jumps, while partitions are added. After each step it is asked what is wrong:
 *
 *   - no partition is held by two members,
 *   - no client reads what is not its member's, as far as the coordinator has told it,
 *   - an epoch that was acknowledged is never taken back,
 *   - an acknowledged offset is never lost nor older than the last one acknowledged,
 *   - the state is what a replay of the log gives, once nothing is in flight.
 */
export class ConsumerSimulation extends GroupWorld {
  readonly #isMixed: boolean;
  readonly #clients: Client[];
  #ackedEpoch = 0;
  #offset = { acked: -1, sent: -1 };

  /** `classicClients` of the six members use the classic protocol, so that the group migrates as they come and go. */
  constructor(random: SeededRandom, classicClients = 0) {
    super({ random, config: CONFIG, consumerTimings: TIMINGS });
    this.#isMixed = classicClients > 0;
    this.#clients = Array.from({ length: 6 }, (_, index) => ({
      name: `c${index}`,
      instanceId: index === 0 ? 'instance' : null,
      generation: 0,
      memberEpoch: 0,
      owned: [],
      saysAll: false,
      busy: false,
      classic: index >= 6 - classicClients ? new ClassicClient(GROUP, TIMINGS.sessionTimeoutMs) : null,
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
      for (const client of this.#clients) {
        if (client.busy) continue;
        if (client.classic === null) this.#heartbeat(client);
        else this.#classicAction(client, client.classic, false);
      }
      await this.turn();
      // What waited for a write in flight is written next: until nothing is left.
      await this.settleAll();
      this.advance(40);
      // A shard that was lost is loaded again after a while.
      if (this.#group() === undefined) this.advance(1000);
      await this.turn();
    }
    await this.#check();
    const group = this.#group();
    const read = this.#clients
      .flatMap(({ owned, classic }) => classic?.owned ?? owned)
      .toSorted((a, b) => a - b);
    const all = Array.from({ length: this.partitionCount() }, (_, index) => index);
    if (group?.state !== 'Stable') this.problems.push(`the group is ${group?.state} after healing`);
    if (read.join() !== all.join()) this.problems.push(`${read} are read after healing, not ${all}`);
  }

  #clientAction(): void {
    const client = this.#clients[this.random.nextInt(this.#clients.length)]!;
    if (client.busy) return;
    const action = this.random.nextInt(20);
    if (client.classic !== null) {
      this.#classicAction(client, client.classic, action === 0);
      return;
    }
    if (action === 0 && client.memberEpoch > 0) this.#leave(client);
    else if (action < 4 && client.memberEpoch > 0) this.#commit(client);
    else this.#heartbeat(client);
  }

  #classicAction(client: Client, classic: ClassicClient, leaves: boolean): void {
    this.lastAction = `${client.name} ${leaves ? 'leaves' : 'acts'}, in the classic protocol`;
    this.call(client, async () => {
      const errorCode =
        leaves && classic.isMember
          ? await classic.leave(this.coordinator)
          : await classic.act(this.coordinator, this.image);
      if (errorCode === ErrorCodes.UNKNOWN_SERVER_ERROR)
        this.problems.push(`unexpected failure of ${client.name}`);
    });
  }

  #heartbeat(client: Client): void {
    const { memberEpoch, owned } = client;
    this.lastAction = `heartbeat of ${client.name} at ${memberEpoch}`;
    const joins = memberEpoch <= 0;
    this.#send(client, {
      memberEpoch: joins ? 0 : memberEpoch,
      rebalanceTimeoutMs: joins || client.saysAll ? 200 : -1,
      subscribedTopicNames: joins || client.saysAll ? ['t1'] : null,
      topicPartitions: owned.length === 0 ? [] : [{ topicId: T1_ID, partitions: owned }],
    });
  }

  #leave(client: Client): void {
    const forAWhile = client.instanceId !== null && this.random.nextInt(2) === 0;
    this.lastAction = `${client.name} leaves`;
    client.owned = [];
    this.#send(client, {
      memberEpoch: forAWhile ? -2 : -1,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      topicPartitions: null,
    });
  }

  #send(
    client: Client,
    fields: Pick<
      Parameters<GroupCoordinator['consumerHeartbeat']>[0],
      'memberEpoch' | 'rebalanceTimeoutMs' | 'subscribedTopicNames' | 'topicPartitions'
    >,
  ): void {
    const memberId = memberIdOf(client);
    const request = {
      type: 'consumer-heartbeat' as const,
      groupId: GROUP,
      memberId,
      instanceId: client.instanceId,
      rackId: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      clientId: 'sim',
      clientHost: '/127.0.0.1',
      ...fields,
    };
    this.call(client, async () => {
      try {
        this.#accept(client, await this.coordinator.consumerHeartbeat(request, 1));
      } catch (failure) {
        this.#refused(client, failure);
      }
    });
  }

  #accept(client: Client, reply: ConsumerHeartbeatReply): void {
    if (reply.memberEpoch <= 0) {
      this.#startOver(client);
      return;
    }
    if (reply.memberEpoch < client.memberEpoch)
      this.problems.push(`epoch of ${client.name} fell from ${client.memberEpoch} to ${reply.memberEpoch}`);
    client.memberEpoch = reply.memberEpoch;
    client.saysAll = false;
    this.#ackedEpoch = Math.max(this.#ackedEpoch, reply.memberEpoch);
    if (reply.assignment !== null)
      client.owned = reply.assignment.flatMap(({ partitions }) => [...partitions]).toSorted((a, b) => a - b);
  }

  #refused(client: Client, failure: unknown): void {
    if (!(failure instanceof CoordinatorError)) throw failure;
    switch (failure.code) {
      case ErrorCodes.UNKNOWN_MEMBER_ID:
      case ErrorCodes.FENCED_MEMBER_EPOCH:
      case ErrorCodes.FENCED_INSTANCE_ID:
      case ErrorCodes.GROUP_ID_NOT_FOUND:
        this.#startOver(client);
        break;
      case ErrorCodes.UNKNOWN_SERVER_ERROR:
        this.problems.push(`unexpected failure after ${this.lastAction}`);
        break;
      default:
        client.saysAll = true;
    }
  }

  /** Gives up everything and joins anew, now and then as another process. */
  #startOver(client: Client): void {
    client.owned = [];
    client.memberEpoch = 0;
    client.generation += this.random.nextInt(2);
  }

  #commit(client: Client): void {
    const [partitionIndex] = client.owned;
    if (partitionIndex === undefined) return;
    this.lastAction = `${client.name} commits`;
    const offset = ++this.#offset.sent;
    const partition = {
      partitionIndex: 0,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    };
    if (partitionIndex !== 0) return;
    this.call(client, async () => {
      try {
        const [topic] = await this.coordinator.commitOffsets({
          groupId: GROUP,
          memberId: memberIdOf(client),
          groupInstanceId: client.instanceId,
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

  #group(): ConsumerGroup | undefined {
    return this.coordinator.inspect(0, ({ state }) => state.consumer.get(GROUP));
  }

  async #check(): Promise<void> {
    const group = this.#group();
    if (group !== undefined) {
      this.#checkOwners(group);
      this.#checkClients(group);
    }
    if (this.log.pendingCount > 0) return;
    const replayed = await this.replay();
    const logged = replayed.state.consumer.get(GROUP);
    if (group !== undefined && this.waiting === 0 && durable(group) !== durable(logged))
      this.problems.push(`live ${durable(group)} is not what the log says: ${durable(logged)}`);
    // A group that was a classic one in between may be a new one.
    if (!this.#isMixed && (logged?.groupEpoch ?? 0) < this.#ackedEpoch)
      this.problems.push(`epoch ${this.#ackedEpoch} was acknowledged, the log has ${logged?.groupEpoch}`);
    const stored = replayed.state.offsets.committed.get(GROUP, 't1', 0)?.offset ?? -1;
    if (stored < this.#offset.acked || stored > this.#offset.sent)
      this.problems.push(`offset is ${stored}, acknowledged ${this.#offset.acked}`);
  }

  #checkOwners(group: ConsumerGroup): void {
    const holders = new Map<number, string>();
    for (const { memberId, assigned, pendingRevocation } of group.members.values()) {
      for (const held of [assigned, pendingRevocation]) {
        for (const partition of held.get(T1_ID)?.keys() ?? []) {
          const other = holders.get(partition);
          if (other !== undefined) this.problems.push(`${partition} is held by ${other} and ${memberId}`);
          holders.set(partition, memberId);
        }
      }
    }
  }

  /** A client that has the epoch of its member reads nothing but what the member holds. */
  #checkClients(group: ConsumerGroup): void {
    for (const client of this.#clients) {
      const member = group.members.get(memberIdOf(client));
      if (
        member === undefined ||
        client.classic !== null ||
        client.busy ||
        member.memberEpoch !== client.memberEpoch
      )
        continue;
      const held = [member.assigned, member.pendingRevocation];
      const stray = client.owned.filter(
        (partition) => !held.some((partitions) => partitions.get(T1_ID)?.has(partition) === true),
      );
      if (stray.length > 0)
        this.problems.push(`${client.name} reads ${stray}, which its member does not hold`);
    }
  }
}

function memberIdOf({ name, generation }: Client): string {
  return `${name}-${generation}`;
}

function durable(group: ConsumerGroup | undefined): string {
  if (group === undefined) return 'nothing';
  const members = [...group.members.values()]
    .toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
    .map(({ memberId, memberEpoch, state, assigned, pendingRevocation }) => [
      memberId,
      memberEpoch,
      state,
      [...(assigned.get(T1_ID) ?? [])],
      [...(pendingRevocation.get(T1_ID) ?? [])],
      [...(group.target.of(memberId).get(T1_ID) ?? [])],
    ]);
  return JSON.stringify([group.groupEpoch, group.metadataHash, group.target.epoch, members]);
}
