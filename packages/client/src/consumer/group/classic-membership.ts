import type { Cluster } from '../../cluster/cluster.ts';
import type { Api, RequestBody } from '../../network/api.ts';
import { ErrorCodes } from '@ottla/protocol';
import { isRetriableError, KafkaError } from '../../errors/kafka-error.ts';
import { apis } from '../../network/apis.ts';
import type { GroupCounters } from '../../metrics/group-counters.ts';
import type { Timing } from '../../metrics/timing.ts';
import type { Assignor } from '../assignors/assignor.ts';
import type { ResolvedConsumerOptions } from '../consumer-options.ts';
import { ClassicMember, type ClassicEffect, type ClassicEvent } from './classic-member.ts';
import { decodeAssignment, encodeSubscription } from './consumer-protocol.ts';
import { EffectRunner } from './effect-runner.ts';
import { leadGroup, topicsFingerprint } from './lead-group.ts';
import type { Membership, MembershipHost } from './membership.ts';

export interface MembershipParts {
  readonly cluster: Cluster;
  readonly options: ResolvedConsumerOptions & { readonly group: string };
  readonly lane: string;
  readonly host: MembershipHost;
  readonly counters: GroupCounters;
}

/** How much longer than the rebalance timeout the answer to a JoinGroup may take, as in Java. */
const JOIN_PATIENCE_MS = 5_000;

/** Membership by JoinGroup, SyncGroup and Heartbeat: members choose an assignor, and one of them applies it. */
export class ClassicMembership implements Membership {
  readonly #parts: MembershipParts;
  readonly #machine: ClassicMember;
  readonly #runner: EffectRunner;
  readonly #abort = new AbortController();
  #topics: readonly string[] = [];
  #previous: { partitions: ClassicMember['owned']; generationId: number } | null = null;
  /** As the leader: what the assignment was made from. */
  #led: { readonly topics: readonly string[]; readonly fingerprint: string } | null = null;
  #untrack: () => void = () => {};
  readonly #endMetadata: () => void;
  #goodbye: Promise<void> = Promise.resolve();
  #leaveTimeoutMs = 0;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const { options, cluster } = parts;
    const isCooperative = options.assignors.every(
      ({ rebalanceProtocol }) => rebalanceProtocol === 'cooperative',
    );
    this.#machine = new ClassicMember({
      groupInstanceId: options.groupInstanceId,
      heartbeatIntervalMs: options.heartbeatIntervalMs,
      sessionTimeoutMs: options.sessionTimeoutMs,
      retryBackoffMs: cluster.options.retryBackoffMs,
      // As in Java: cooperative only when every assignor is, so that members can be moved over one by one.
      rebalanceProtocol: isCooperative ? 'cooperative' : 'eager',
    });
    this.#runner = new EffectRunner({
      cluster,
      groupId: options.group,
      host: parts.host,
      counters: parts.counters,
      dispatch: (event) => this.#dispatch(event),
    });
    this.#endMetadata = cluster.onMetadata(() => this.#onMetadata());
    this.#leaveTimeoutMs = cluster.options.requestTimeoutMs;
  }

  get generationId(): number {
    return this.#machine.generationId;
  }

  get memberId(): string {
    return this.#machine.memberId;
  }

  start(): void {
    this.#dispatch({ type: 'start' });
  }

  subscribe({ topics }: { readonly topics: readonly string[] }): void {
    const isChanged =
      topics.length !== this.#topics.length || topics.some((name) => !this.#topics.includes(name));
    this.#topics = topics;
    this.#dispatch({ type: 'subscribed', topics });
    if (isChanged) this.#dispatch({ type: 'rejoin', reason: 'the subscription has changed' });
  }

  rejoin(reason: string): void {
    this.#dispatch({ type: 'rejoin', reason });
  }

  polled(): void {
    this.#dispatch({ type: 'polled' });
  }

  pollExpired(): void {
    this.#dispatch({ type: 'poll-expired' });
  }

  async leave({ leavesGroup, timeoutMs }: { leavesGroup: boolean; timeoutMs: number }): Promise<void> {
    this.#endMetadata();
    this.#untrack();
    // As in Java: a coordinator that does not answer in its usual time is not waited for.
    this.#leaveTimeoutMs = Math.min(timeoutMs, this.#parts.cluster.options.requestTimeoutMs);
    // What waits (a JoinGroup may, for minutes) must not stand before the goodbye.
    this.#abort.abort();
    this.#dispatch({ type: 'leave', leavesGroup });
    this.#runner.stop();
    await this.#goodbye;
  }

  #dispatch(event: ClassicEvent): void {
    const nowMs = this.#parts.cluster.options.clock.monotonicMs();
    for (const effect of this.#machine.handle(event, nowMs)) this.#perform(effect);
  }

  #perform(effect: ClassicEffect): void {
    if (effect.do === 'join') void this.#join(effect);
    else if (effect.do === 'lead') void this.#lead(effect);
    else if (effect.do === 'sync') void this.#sync(effect);
    else if (effect.do === 'heartbeat') void this.#heartbeat(effect);
    else if (effect.do === 'leave') this.#goodbye = this.#leave(effect.memberId);
    else {
      if (effect.do === 'assign')
        this.#previous = { partitions: this.#machine.owned, generationId: this.#machine.generationId };
      this.#runner.run(effect);
    }
  }

  async #join({
    round,
    memberId,
    generationId,
    owned,
    reason,
  }: Extract<ClassicEffect, { do: 'join' }>): Promise<void> {
    const { options, cluster, counters } = this.#parts;
    counters.rebalanceBegan(cluster.options.clock.monotonicMs());
    this.#led = null;
    const rebalanceTimeoutMs = options.maxPollIntervalMs;
    const rackId = cluster.options.clientRack === '' ? null : cluster.options.clientRack;
    const protocols = options.assignors.map((assignor) => ({
      name: assignor.name,
      metadata: encodeSubscription({
        topics: this.#topics,
        userData: assignor.subscriptionUserData(this.#previous),
        ownedPartitions: owned,
        generationId,
        rackId,
      }),
    }));
    const body = {
      groupId: options.group,
      sessionTimeoutMs: options.sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId,
      groupInstanceId: options.groupInstanceId,
      protocolType: 'consumer',
      protocols,
      reason,
    };
    const timeoutMs = Math.max(cluster.options.requestTimeoutMs, rebalanceTimeoutMs + JOIN_PATIENCE_MS);
    await this.#ask('join', round, async () => {
      const answer = await this.#timed(counters.join, apis.joinGroup, body, timeoutMs);
      return { type: 'joined', round, ...answer, protocolName: answer.protocolName ?? '' };
    });
  }

  async #lead({ round, protocolName, members }: Extract<ClassicEffect, { do: 'lead' }>): Promise<void> {
    const { cluster, options } = this.#parts;
    await this.#ask('lead', round, async () => {
      const assignor = options.assignors.find(({ name }) => name === protocolName);
      if (assignor === undefined)
        throw new KafkaError(
          'INCONSISTENT_GROUP_PROTOCOL',
          `The group uses assignor "${protocolName}", which this member does not have`,
        );
      const { assignments, topics } = await leadGroup(
        cluster,
        { assignor: assignor as Assignor, members },
        this.#limits(),
      );
      this.#untrack();
      this.#untrack = cluster.trackTopics(topics);
      this.#led = { topics, fingerprint: topicsFingerprint(cluster, topics) };
      return { type: 'led', round, assignments };
    });
  }

  async #sync(effect: Extract<ClassicEffect, { do: 'sync' }>): Promise<void> {
    const { options, cluster, counters } = this.#parts;
    const { round, generationId, memberId, protocolName, assignments } = effect;
    const body = {
      groupId: options.group,
      generationId,
      memberId,
      groupInstanceId: options.groupInstanceId,
      protocolType: 'consumer',
      protocolName,
      assignments,
    };
    // The leader may need a while: the coordinator waits for it as long as for the members to join.
    const timeoutMs = Math.max(
      cluster.options.requestTimeoutMs,
      options.maxPollIntervalMs + JOIN_PATIENCE_MS,
    );
    await this.#ask('sync', round, async () => {
      const { errorCode, assignment } = await this.#timed(counters.sync, apis.syncGroup, body, timeoutMs);
      const partitions = errorCode === ErrorCodes.NONE ? decodeAssignment(assignment) : [];
      return { type: 'synced', round, errorCode, partitions };
    });
  }

  async #heartbeat({
    round,
    generationId,
    memberId,
  }: Extract<ClassicEffect, { do: 'heartbeat' }>): Promise<void> {
    const { group: groupId, groupInstanceId } = this.#parts.options;
    const body = { groupId, generationId, memberId, groupInstanceId };
    const { requestTimeoutMs, clock } = this.#parts.cluster.options;
    const { counters } = this.#parts;
    const sentMs = clock.monotonicMs();
    counters.heartbeatSent(sentMs);
    await this.#ask('heartbeat', round, async () => {
      const { errorCode } = await this.#request(apis.heartbeat, body, requestTimeoutMs);
      counters.heartbeatAnswered(clock.monotonicMs() - sentMs);
      return { type: 'heartbeat-answered', generationId, errorCode };
    });
  }

  async #leave(memberId: string): Promise<void> {
    const { options, cluster, lane } = this.#parts;
    const { group: groupId, groupInstanceId } = options;
    const member = { memberId, groupInstanceId, reason: 'the consumer is being closed' };
    try {
      await cluster.request(
        { coordinator: 'group', key: groupId },
        apis.leaveGroup,
        (version) => (version >= 3 ? { groupId, members: [member] } : { groupId, memberId }),
        { lane, timeoutMs: this.#leaveTimeoutMs },
      );
    } catch (error) {
      cluster.options.logger.debug(
        { err: error, groupId },
        'Leaving the group failed: the session will time out',
      );
    }
  }

  /** Makes a request and tells the machine what came of it. */
  async #ask(
    request: Extract<ClassicEvent, { type: 'failed' }>['request'],
    round: number,
    work: () => Promise<ClassicEvent>,
  ): Promise<void> {
    let event: ClassicEvent;
    try {
      event = await work();
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!isRetriableError(error)) {
        this.#parts.host.fail(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (request !== 'heartbeat') this.#parts.counters.rebalanceFailed();
      this.#parts.cluster.options.logger.debug({ err: error, request }, 'A request of the group failed');
      event = { type: 'failed', request, round };
    }
    this.#dispatch(event);
  }

  #request<Req, Res>(api: Api<Req, Res>, body: RequestBody<Req>, timeoutMs: number): Promise<Res> {
    const { cluster, options, lane } = this.#parts;
    const target = { coordinator: 'group', key: options.group } as const;
    return cluster.request(target, api, body, { lane, timeoutMs, signal: this.#abort.signal });
  }

  /** The same, counted: how long a step of the rebalance took, or that it was refused. */
  // oxlint-disable-next-line max-params -- as `#request`, and where it counts
  async #timed<Req, Res extends { readonly errorCode: number }>(
    timing: Timing,
    api: Api<Req, Res>,
    body: RequestBody<Req>,
    timeoutMs: number,
  ): Promise<Res> {
    const { clock } = this.#parts.cluster.options;
    const startedMs = clock.monotonicMs();
    const answer = await this.#request(api, body, timeoutMs);
    if (answer.errorCode === ErrorCodes.NONE) timing.add(clock.monotonicMs() - startedMs);
    // The first answer to a new member is a refusal that tells it its id.
    else if (answer.errorCode !== ErrorCodes.MEMBER_ID_REQUIRED) this.#parts.counters.rebalanceFailed();
    return answer;
  }

  #limits(): { timeoutMs: number; signal: AbortSignal } {
    return { timeoutMs: this.#parts.cluster.options.requestTimeoutMs, signal: this.#abort.signal };
  }

  /** The leader watches the topics of the whole group. */
  #onMetadata(): void {
    if (this.#led === null || this.#machine.phase !== 'stable') return;
    const { topics, fingerprint } = this.#led;
    if (topicsFingerprint(this.#parts.cluster, topics) === fingerprint) return;
    this.#led = null;
    this.rejoin('the partitions of the topics have changed');
  }
}
