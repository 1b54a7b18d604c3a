import type { SeededRandom } from '@ottla/platform';
import { ApiKeys, encodeBatch, ErrorCodes } from '@ottla/protocol';
import { AcknowledgeType } from '../../../src/share/share-partition-types.ts';
import { CONNECTION, turns } from '../simulated-replicas.ts';
import { recordName, ShareModel } from './share-model.ts';
import { GROUP, SESSION_TIMEOUT_MS, SHARED_TOPIC, SHARED_TOPIC_ID, ShareWorld } from './share-world.ts';

interface Held {
  readonly partition: number;
  readonly offset: number;
}

interface Member {
  readonly memberId: string;
  memberEpoch: number;
  sessionEpoch: number;
  assigned: readonly number[];
  held: Held[];
  isBusy: boolean;
  /** Its connection; a new one after each restart. */
  closed: AbortController;
}

type Answer = Record<string, unknown> | null;

interface PartitionAnswer {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly acquiredRecords: readonly { firstOffset: number; lastOffset: number; deliveryCount: number }[];
}

/**
 * Members of one share group that fetch, acknowledge, leave and fall silent, over coordinators whose writes fail and a
 * broker that dies at any moment. `ShareModel` holds against it what the members were told; besides, epochs only grow, and
 * what the coordinators say after a restart in silence is what they said before.
 */
export class ShareSimulation {
  lastAction = 'start';
  readonly model = new ShareModel();
  readonly #random: SeededRandom;
  readonly #world: ShareWorld;
  #members: Member[];
  #incarnation = 0;
  #groupEpoch = 0;
  #memberCount = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#world = new ShareWorld(random);
    this.#members = Array.from({ length: 4 }, () => this.#newMember());
  }

  start(): Promise<void> {
    return this.#world.start();
  }

  /** Does one thing that a member, a producer, the clock or the power supply might do. */
  async step(): Promise<void> {
    const dice = this.#random.nextInt(100);
    if (dice < 12) this.#produce();
    else if (dice < 80) this.#act(this.#members[this.#random.nextInt(this.#members.length)]!);
    else if (dice < 96) this.#advance(1 + this.#random.nextInt(120));
    else if (dice < 98) await this.#restart(this.#random.chance(0.5) ? 'crash' : 'power cut');
    else await this.#restartInSilence();
    await turns(this.#random.nextInt(12));
  }

  /** Nothing fails any more, and one member takes everything that is left: then nothing may be missing. */
  async drain(): Promise<void> {
    this.#world.appends.failurePercent = 0;
    this.#members = [];
    await this.#pass(2 * SESSION_TIMEOUT_MS);
    const last = this.#newMember();
    this.#members = [last];
    for (let round = 0; round < 400 && this.model.missing().length > 0; round++) {
      this.#start(last, () => this.#heartbeat(last));
      await this.#pass(10);
      this.#start(last, () => this.#fetch(last));
      await this.#pass(10);
      this.#start(last, () => this.#acknowledge(last, [...last.held], AcknowledgeType.accept));
      await this.#pass(10);
    }
    for (const name of this.model.missing()) this.model.problems.push(`${name} never came through`);
  }

  #newMember(): Member {
    this.#memberCount++;
    return {
      memberId: `member-${this.#memberCount}`,
      memberEpoch: 0,
      sessionEpoch: 0,
      assigned: [],
      held: [],
      isBusy: false,
      closed: new AbortController(),
    };
  }

  #act(member: Member): void {
    const dice = this.#random.nextInt(100);
    if (member.memberEpoch === 0 || dice < 20) this.#start(member, () => this.#heartbeat(member));
    else if (dice < 55) this.#start(member, () => this.#fetch(member));
    else if (dice < 92) this.#start(member, () => this.#acknowledgeSome(member));
    else if (dice < 95) this.#start(member, () => this.#endSession(member));
    else if (dice < 97) this.#start(member, () => this.#leave(member));
    else if (dice < 98) this.#disconnect(member);
    // A member that is not heard of again, and another in its place.
    else this.#members[this.#members.indexOf(member)] = this.#newMember();
  }

  /** One request of a member at a time, as clients do it. */
  #start(member: Member, action: () => Promise<void>): void {
    if (member.isBusy) return;
    member.isBusy = true;
    const incarnation = this.#incarnation;
    action()
      .catch((failure: unknown) => this.model.problems.push(`${this.lastAction}: ${String(failure)}`))
      .finally(() => {
        if (incarnation === this.#incarnation) member.isBusy = false;
      });
  }

  #produce(): void {
    this.lastAction = 'produce';
    const { clock, replicas } = this.#world.incarnation;
    const count = 1 + this.#random.nextInt(6);
    const partition = this.#random.nextInt(2);
    const timestamp = clock.nowMs();
    const records = encodeBatch({
      records: Array.from({ length: count }, () => ({ key: null, value: Buffer.from('x'), timestamp })),
    });
    const incarnation = this.#incarnation;
    void replicas
      .append({ topic: SHARED_TOPIC, partition, records }, { acks: -1, timeoutMs: 1000, origin: 'client' })
      .then(({ errorCode, baseOffset }) => {
        if (errorCode !== ErrorCodes.NONE || incarnation !== this.#incarnation) return;
        for (let index = 0; index < count; index++)
          this.model.produced(recordName(partition, baseOffset + index));
      });
  }

  async #heartbeat(member: Member): Promise<void> {
    const joins = member.memberEpoch === 0;
    const askedAtMs = this.#world.incarnation.clock.nowMs();
    const answer = await this.#call(member, ApiKeys.ShareGroupHeartbeat, 1, {
      groupId: GROUP,
      memberId: member.memberId,
      memberEpoch: member.memberEpoch,
      rackId: null,
      subscribedTopicNames: joins ? [SHARED_TOPIC] : null,
    });
    if (answer === null) return;
    const { errorCode, memberEpoch, assignment } = answer as {
      errorCode: number;
      memberEpoch: number;
      assignment: { topicPartitions: { partitions: number[] }[] } | null;
    };
    if (errorCode === ErrorCodes.UNKNOWN_MEMBER_ID || errorCode === ErrorCodes.FENCED_MEMBER_EPOCH) {
      this.#forgetMembership(member);
    } else if (errorCode === ErrorCodes.NONE) {
      if (memberEpoch < member.memberEpoch)
        this.model.problems.push(`The epoch of ${member.memberId} fell to ${memberEpoch}`);
      member.memberEpoch = memberEpoch;
      this.model.alive(member.memberId, askedAtMs);
      if (memberEpoch < this.#groupEpoch && joins)
        this.model.problems.push(`The group fell from epoch ${this.#groupEpoch} to ${memberEpoch}`);
      this.#groupEpoch = Math.max(this.#groupEpoch, memberEpoch);
      if (assignment !== null)
        member.assigned = assignment.topicPartitions.flatMap(({ partitions }) => partitions);
    }
  }

  async #fetch(member: Member): Promise<void> {
    const { clock } = this.#world.incarnation;
    const askedAtMs = clock.nowMs();
    if (member.sessionEpoch === 0) this.#lose(member);
    const answer = await this.#call(member, ApiKeys.ShareFetch, 2, {
      ...this.#session(member),
      maxWaitMs: 0,
      minBytes: 1,
      maxBytes: 100_000,
      maxRecords: 1 + this.#random.nextInt(20),
      batchSize: 10,
      shareAcquireMode: this.#random.nextInt(2),
      isRenewAck: false,
      topics: [
        topicOf(member.assigned.map((partitionIndex) => ({ partitionIndex, acknowledgementBatches: [] }))),
      ],
      forgottenTopicsData: [],
    });
    if (answer === null || !this.#isSessionOf(member, answer)) return;
    for (const { partitions } of answer['responses'] as { partitions: PartitionAnswer[] }[]) {
      for (const { partitionIndex: partition, acquiredRecords } of partitions) {
        for (const { firstOffset, lastOffset, deliveryCount } of acquiredRecords) {
          for (let offset = firstOffset; offset <= lastOffset; offset++) {
            const delivery = { memberId: member.memberId, deliveryCount, askedAtMs, nowMs: clock.nowMs() };
            this.model.delivered(recordName(partition, offset), delivery);
            member.held.push({ partition, offset });
          }
        }
      }
    }
  }

  #acknowledgeSome(member: Member): Promise<void> {
    const partition = this.#random.nextInt(2);
    const types = Object.values(AcknowledgeType).slice(1);
    const type = this.#random.chance(0.5)
      ? AcknowledgeType.accept
      : types[this.#random.nextInt(types.length)]!;
    const mine = member.held.filter((held) => held.partition === partition && this.#random.chance(0.7));
    return this.#acknowledge(member, mine, type);
  }

  async #acknowledge(member: Member, records: readonly Held[], type: number): Promise<void> {
    if (records.length === 0 || member.sessionEpoch === 0) return;
    const isRenewal = type === AcknowledgeType.renew;
    const isForGood = type === AcknowledgeType.accept || type === AcknowledgeType.reject;
    if (!isRenewal) {
      for (const { partition, offset } of records)
        this.model.ending(recordName(partition, offset), isForGood);
      member.held = member.held.filter((held) => !records.includes(held));
    }
    const partitions = [0, 1].flatMap((partitionIndex) => {
      const offsets = records
        .filter(({ partition }) => partition === partitionIndex)
        .map(({ offset }) => offset);
      const batches = [...new Set(offsets)].toSorted((one, other) => one - other);
      const acknowledgementBatches = batches.map((offset) => ({
        firstOffset: offset,
        lastOffset: offset,
        acknowledgeTypes: [type],
      }));
      return batches.length === 0 ? [] : [{ partitionIndex, acknowledgementBatches }];
    });
    const answer = await this.#call(member, ApiKeys.ShareAcknowledge, 2, {
      ...this.#session(member),
      isRenewAck: isRenewal,
      topics: [topicOf(partitions)],
    });
    if (answer === null || !this.#isSessionOf(member, answer) || type !== AcknowledgeType.accept) return;
    for (const topic of answer['responses'] as { partitions: PartitionAnswer[] }[]) {
      for (const { partitionIndex, errorCode } of topic.partitions) {
        if (errorCode !== ErrorCodes.NONE) continue;
        for (const { partition, offset } of records)
          if (partition === partitionIndex) this.model.accepted(recordName(partition, offset));
      }
    }
  }

  async #endSession(member: Member): Promise<void> {
    if (member.sessionEpoch === 0) return;
    member.sessionEpoch = -1;
    this.#lose(member);
    const request = { ...this.#session(member), isRenewAck: false, topics: [] };
    await this.#call(member, ApiKeys.ShareAcknowledge, 2, request);
    member.sessionEpoch = 0;
  }

  /** What it holds is given back; it stays a member and comes back by another connection. */
  #disconnect(member: Member): void {
    if (member.isBusy) return;
    this.lastAction = `${member.memberId} is disconnected`;
    this.#lose(member);
    member.sessionEpoch = 0;
    member.closed.abort();
    member.closed = new AbortController();
  }

  async #leave(member: Member): Promise<void> {
    const { memberId } = member;
    this.#forgetMembership(member);
    const request = { groupId: GROUP, memberId, memberEpoch: -1, rackId: null, subscribedTopicNames: null };
    await this.#call(member, ApiKeys.ShareGroupHeartbeat, 1, request);
  }

  #session({ memberId, sessionEpoch }: Member): object {
    return { groupId: GROUP, memberId, shareSessionEpoch: sessionEpoch };
  }

  /** Whether the session goes on; if not, the next fetch begins another. */
  #isSessionOf(member: Member, { errorCode }: Record<string, unknown>): boolean {
    if (errorCode === ErrorCodes.NONE) {
      member.sessionEpoch += 1;
      return true;
    }
    member.sessionEpoch = 0;
    this.#lose(member);
    return false;
  }

  #forgetMembership(member: Member): void {
    member.memberEpoch = 0;
    member.sessionEpoch = 0;
    member.assigned = [];
    this.#lose(member);
  }

  #lose(member: Member): void {
    member.held = [];
    this.model.letGo(member.memberId);
  }

  /** Null when the broker died before it answered. */
  async #call(member: Member, apiKey: number, apiVersion: number, request: object): Promise<Answer> {
    this.lastAction = `${member.memberId} api ${apiKey}`;
    const incarnation = this.#incarnation;
    const handler = this.#world.incarnation.handlers.get(apiKey)!;
    const connection = { ...CONNECTION, id: member.memberId, closed: member.closed.signal };
    const context = {
      apiVersion,
      correlationId: 1,
      clientId: 'client',
      requestBytes: 0,
      connection,
      onSent: null,
    };
    const answer = (await handler.handle(request, context)) as Answer;
    return incarnation === this.#incarnation ? answer : null;
  }

  async #restart(how: 'crash' | 'power cut'): Promise<void> {
    this.lastAction = how;
    this.#incarnation++;
    this.model.restarted();
    for (const member of this.#members) {
      member.isBusy = false;
      member.closed = new AbortController();
      member.sessionEpoch = 0;
      member.held = [];
    }
    await this.#world.restart(how);
  }

  /** Once nothing is under way any more, a restart must change nothing but what lives in memory. */
  async #restartInSilence(): Promise<void> {
    const { appends } = this.#world;
    const { failurePercent } = appends;
    appends.failurePercent = 0;
    await turns(40);
    const before = await this.#durableState();
    await this.#restart('power cut');
    await turns(40);
    const after = await this.#durableState();
    if (before !== null && after !== before)
      this.model.problems.push(`Before the restart ${before}, after it ${after}`);
    appends.failurePercent = failurePercent;
  }

  /** What the coordinators say of the group; null while one of them is loading. */
  async #durableState(): Promise<string | null> {
    const { shareGroups, states } = this.#world.incarnation;
    const group = await shareGroups.describe(GROUP);
    const read = await Promise.all(
      [0, 1].map((partition) => states.read({ groupId: GROUP, topicId: SHARED_TOPIC_ID, partition }, -1)),
    );
    const isLoading = [group, ...read].some(
      ({ errorCode }) =>
        errorCode === ErrorCodes.COORDINATOR_LOAD_IN_PROGRESS || errorCode === ErrorCodes.NOT_COORDINATOR,
    );
    return isLoading ? null : JSON.stringify({ group, read });
  }

  #advance(ms: number): void {
    this.lastAction = `${ms} ms pass`;
    this.#world.incarnation.clock.advance(ms);
  }

  async #pass(ms: number): Promise<void> {
    await turns();
    this.#advance(ms);
    await turns();
  }
}

function topicOf(partitions: readonly object[]): object {
  return { topicId: SHARED_TOPIC_ID, partitions };
}
