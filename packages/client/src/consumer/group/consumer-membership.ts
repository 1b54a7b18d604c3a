import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
  MessageInput,
} from '@ottla/protocol';
import { isRetriableError } from '../../errors/kafka-error.ts';
import { apis } from '../../network/apis.ts';
import type { MembershipParts } from './classic-membership.ts';
import {
  ConsumerMember,
  type ConsumerEffect,
  type ConsumerEvent,
  type MemberWants,
} from './consumer-member.ts';
import { EffectRunner } from './effect-runner.ts';
import type { Membership } from './membership.ts';
import { resolveTopicIds } from './resolve-topic-ids.ts';

/** Membership by ConsumerGroupHeartbeat (KIP-848): the broker assigns. */
export class ConsumerMembership implements Membership {
  readonly #parts: MembershipParts;
  readonly #machine: ConsumerMember;
  readonly #runner: EffectRunner;
  readonly #abort = new AbortController();
  #wants: MemberWants = { topics: [], regex: null };
  #goodbye: Promise<void> = Promise.resolve();
  #leaveTimeoutMs: number;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    const { options, cluster } = parts;
    this.#machine = new ConsumerMember({
      memberId: cluster.options.random.uuid(),
      groupInstanceId: options.groupInstanceId,
      retryBackoffMs: cluster.options.retryBackoffMs,
    });
    this.#runner = new EffectRunner({
      cluster,
      groupId: options.group,
      host: parts.host,
      dispatch: (event) => this.#dispatch(event),
    });
    this.#leaveTimeoutMs = cluster.options.requestTimeoutMs;
  }

  get generationId(): number {
    return this.#machine.memberEpoch;
  }

  get memberId(): string {
    return this.#machine.memberId;
  }

  start(): void {
    this.#dispatch({ type: 'start' });
  }

  subscribe({ topics, regex }: { readonly topics: readonly string[]; readonly regex: string | null }): void {
    const wants: MemberWants = regex === null ? { topics, regex } : { topics: null, regex };
    if (JSON.stringify(wants) === JSON.stringify(this.#wants)) return;
    this.#wants = wants;
    this.#dispatch({ type: 'subscribed', wants });
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
    this.#leaveTimeoutMs = timeoutMs;
    this.#abort.abort();
    this.#dispatch({ type: 'leave', leavesGroup });
    this.#runner.stop();
    await this.#goodbye;
  }

  #dispatch(event: ConsumerEvent): void {
    for (const effect of this.#machine.handle(event)) this.#perform(effect);
  }

  #perform(effect: ConsumerEffect): void {
    if (effect.do === 'heartbeat') {
      if (effect.memberEpoch < 0) this.#goodbye = this.#sayGoodbye(effect);
      else void this.#heartbeat(effect);
    } else if (effect.do === 'resolve') void this.#resolve(effect);
    else this.#runner.run(effect);
  }

  async #heartbeat(effect: Extract<ConsumerEffect, { do: 'heartbeat' }>): Promise<void> {
    const { cluster, host } = this.#parts;
    const { round } = effect;
    try {
      const answer = await this.#send(effect, { signal: this.#abort.signal });
      this.#dispatch({
        type: 'heartbeat-answered',
        round,
        ...answer,
        detail: answer.errorMessage,
        assignment: answer.assignment?.topicPartitions ?? null,
      });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (!isRetriableError(error)) host.fail(error instanceof Error ? error : new Error(String(error)));
      else {
        cluster.options.logger.debug({ err: error }, 'A heartbeat of the group failed');
        this.#dispatch({ type: 'failed', round });
      }
    }
  }

  async #sayGoodbye(effect: Extract<ConsumerEffect, { do: 'heartbeat' }>): Promise<void> {
    try {
      await this.#send(effect, { timeoutMs: this.#leaveTimeoutMs });
    } catch (error) {
      this.#parts.cluster.options.logger.debug(
        { err: error },
        'Leaving the group failed: the session will time out',
      );
    }
  }

  #send(
    effect: Extract<ConsumerEffect, { do: 'heartbeat' }>,
    limits: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { options, cluster } = this.#parts;
    const { clientRack } = cluster.options;
    const { memberId, memberEpoch, wants, owned } = effect;
    return this.#request(
      {
        groupId: options.group,
        memberId,
        memberEpoch,
        instanceId: options.groupInstanceId,
        rackId: effect.isFull && clientRack !== '' ? clientRack : null,
        rebalanceTimeoutMs: effect.isFull ? options.maxPollIntervalMs : -1,
        subscribedTopicNames: wants === null ? null : (wants.topics ?? []),
        // An empty pattern takes an earlier one back.
        ...(typeof wants?.regex === 'string' && { subscribedTopicRegex: wants.regex }),
        serverAssignor: effect.isFull ? options.remoteAssignor : null,
        topicPartitions: owned === null ? null : this.#byTopicId(owned),
      },
      limits,
    );
  }

  #request(
    body: MessageInput<ConsumerGroupHeartbeatRequest>,
    limits: { readonly timeoutMs?: number; readonly signal?: AbortSignal },
  ): Promise<ConsumerGroupHeartbeatResponse> {
    const { options, cluster, lane } = this.#parts;
    const target = { coordinator: 'group', key: options.group } as const;
    return cluster.request(target, apis.consumerGroupHeartbeat, body, { lane, ...limits });
  }

  #byTopicId(owned: ConsumerMember['owned']): { topicId: string; partitions: number[] }[] {
    const { topics } = this.#parts.cluster.metadata;
    const byId = new Map<string, number[]>();
    for (const { topic, partition } of owned) {
      const topicId = topics.get(topic)?.topicId;
      if (topicId === undefined) continue;
      const partitions = byId.get(topicId) ?? [];
      byId.set(topicId, partitions);
      partitions.push(partition);
    }
    return [...byId].map(([topicId, partitions]) => ({ topicId, partitions }));
  }

  async #resolve({ round, assignment }: Extract<ConsumerEffect, { do: 'resolve' }>): Promise<void> {
    try {
      const partitions = await resolveTopicIds(this.#parts.cluster, assignment, {
        topics: this.#wants.topics,
        signal: this.#abort.signal,
      });
      this.#dispatch({ type: 'resolved', round, partitions });
    } catch (error) {
      if (!this.#abort.signal.aborted)
        this.#parts.host.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
