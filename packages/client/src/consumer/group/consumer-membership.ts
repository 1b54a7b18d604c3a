import type { GroupCounters } from '../../metrics/group-counters.ts';
import { ErrorCodes } from '@ottla/protocol';
import type { MemberWants, ConsumerEffect, ConsumerEvent, TopicIdPartitions } from './consumer-member.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { CallLimits } from '../../cluster/limits.ts';
import { UnsupportedApiVersionError } from '../../errors/client-errors.ts';
import { isKafkaError, isRetriableError, throwIfError } from '../../errors/kafka-error.ts';
import { ConsumerMember } from './consumer-member.ts';
import { EffectRunner } from './effect-runner.ts';
import type { Membership, MembershipHost } from './membership.ts';
import { resolveTopicIds } from './resolve-topic-ids.ts';

/** What a heartbeat says. */
export type MemberHeartbeat = Extract<ConsumerEffect, { readonly do: 'heartbeat' }>;

/** What is answered, by the protocols of consumer groups and of share groups alike. */
export interface MemberHeartbeatAnswer {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  readonly assignment: { readonly topicPartitions: readonly TopicIdPartitions[] } | null;
}

export interface ConsumerMembershipParts {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly host: MembershipHost;
  readonly counters: GroupCounters;
  /** What a cluster that does not serve the protocol lacks, and what to do: begins the error. */
  readonly needs: string;
  readonly send: (heartbeat: MemberHeartbeat, limits: CallLimits) => Promise<MemberHeartbeatAnswer>;
}

/** Membership by heartbeats (KIP-848, KIP-932): the broker assigns. */
export class ConsumerMembership implements Membership {
  readonly #parts: ConsumerMembershipParts;
  readonly #machine: ConsumerMember;
  readonly #runner: EffectRunner;
  readonly #abort = new AbortController();
  #wants: MemberWants = { topics: [], regex: null };
  #goodbye: Promise<void> = Promise.resolve();
  #leaveTimeoutMs: number;

  constructor(parts: ConsumerMembershipParts) {
    this.#parts = parts;
    const { cluster, groupId, groupInstanceId, host, counters } = parts;
    this.#machine = new ConsumerMember({
      memberId: cluster.options.random.uuid(),
      groupInstanceId,
      retryBackoffMs: cluster.options.retryBackoffMs,
    });
    this.#runner = new EffectRunner({
      cluster,
      groupId,
      host,
      counters,
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
    // As in Java: a coordinator that does not answer in its usual time is not waited for.
    this.#leaveTimeoutMs = Math.min(timeoutMs, this.#parts.cluster.options.requestTimeoutMs);
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

  async #heartbeat(effect: MemberHeartbeat): Promise<void> {
    const { cluster, host, counters } = this.#parts;
    const { clock } = cluster.options;
    const { round } = effect;
    const sentMs = clock.monotonicMs();
    counters.heartbeatSent(sentMs);
    try {
      const answer = await this.#parts.send(effect, { signal: this.#abort.signal });
      counters.heartbeatAnswered(clock.monotonicMs() - sentMs);
      throwIfError(
        answer.errorCode === ErrorCodes.UNSUPPORTED_VERSION ? answer.errorCode : 0,
        answer.errorMessage,
      );
      this.#dispatch({
        type: 'heartbeat-answered',
        round,
        ...answer,
        detail: answer.errorMessage,
        assignment: answer.assignment?.topicPartitions ?? null,
      });
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      if (isKafkaError(error, 'UNSUPPORTED_VERSION'))
        host.fail(new UnsupportedApiVersionError(`${this.#parts.needs} (${error.message})`, error));
      else if (!isRetriableError(error)) host.fail(error instanceof Error ? error : new Error(String(error)));
      else {
        cluster.options.logger.debug({ err: error }, 'A heartbeat of the group failed');
        this.#dispatch({ type: 'failed', round });
      }
    }
  }

  async #sayGoodbye(effect: MemberHeartbeat): Promise<void> {
    try {
      await this.#parts.send(effect, { timeoutMs: this.#leaveTimeoutMs });
    } catch (error) {
      this.#parts.cluster.options.logger.debug(
        { err: error },
        'Leaving the group failed: the session will time out',
      );
    }
  }

  async #resolve({ round, assignment }: Extract<ConsumerEffect, { do: 'resolve' }>): Promise<void> {
    this.#parts.counters.rebalanceBegan(this.#parts.cluster.options.clock.monotonicMs());
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
