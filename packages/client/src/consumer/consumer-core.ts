import type { TimerHandle } from '@ottla/platform';
import { AdminRequests } from '../admin/admin-requests.ts';
import { GroupOffsets } from '../admin/group-offsets.ts';
import { OffsetsAdmin } from '../admin/offsets-admin.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ClosedError } from '../errors/client-errors.ts';
import { AutoCommit } from './auto-commit.ts';
import { ConsumerCounters, type ConsumerMetrics } from './consumer-metrics.ts';
import { ConsumerInterceptors } from './consumer-interceptor.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import type { Message } from './delivery/message.ts';
import { RecordSource } from './delivery/record-source.ts';
import { Fetcher } from './fetch/fetcher.ts';
import { ClassicMembership } from './group/classic-membership.ts';
import { sendConsumerHeartbeat } from './group/consumer-heartbeat.ts';
import { ConsumerMembership } from './group/consumer-membership.ts';
import type { Membership } from './group/membership.ts';
import { OffsetCommitter, type GroupMetadata } from './offset-committer.ts';
import type { PartitionState } from './partition-state.ts';
import { PollWatch } from './poll-watch.ts';
import { Positions } from './positions.ts';
import { RebalanceHost } from './rebalance-host.ts';
import type { Subscription } from './subscription.ts';
import { SubscriptionWatch } from './subscription-watch.ts';

/** How a consumer ends. */
export interface CloseOptions {
  /** For finishing records, committing and leaving, all together. Default: 30 000. */
  readonly timeoutMs?: number;
  /** Whether the group is told at once. Default: yes for dynamic members, no for static ones, which keep their partitions for their return. */
  readonly leaveGroup?: boolean;
}

let consumerCount = 0;

/** Puts the parts of a consumer together: membership, positions, fetching, and what the loops take their records from. */
export class ConsumerCore {
  readonly cluster: Cluster;
  readonly options: ResolvedConsumerOptions;
  readonly states = new Map<string, PartitionState>();
  readonly offsets: OffsetsAdmin;
  readonly groupOffsets: GroupOffsets;
  readonly committer: OffsetCommitter;
  readonly source: RecordSource;
  readonly #counters = new ConsumerCounters();
  readonly #fetcher: Fetcher;
  readonly #positions: Positions;
  readonly #host: RebalanceHost;
  readonly #membership: Membership | null;
  readonly #subscription: SubscriptionWatch;
  readonly #pollWatch: PollWatch;
  readonly #autoCommit: AutoCommit;
  readonly #abort = new AbortController();
  readonly #groupLane: string;
  #waiters: (() => void)[] = [];
  #isStarted = false;
  #isClosed = false;
  #failure: Error | null = null;
  readonly #onAbort = (): void => this.#wake();

  constructor(cluster: Cluster, options: ResolvedConsumerOptions, subscription: Subscription) {
    this.cluster = cluster;
    this.options = options;
    consumerCount += 1;
    this.#groupLane = `group-${consumerCount}`;
    const requests = new AdminRequests(cluster);
    this.offsets = new OffsetsAdmin(requests);
    this.groupOffsets = new GroupOffsets(requests, this.offsets);
    const interceptors = ConsumerInterceptors.of(options.interceptors, cluster.options.logger);
    this.committer = new OffsetCommitter({
      cluster,
      lane: this.#groupLane,
      identity: () => this.groupMetadata,
      interceptors,
      latency: this.#counters.commit,
    });
    this.#fetcher = new Fetcher({
      cluster,
      options,
      lane: `fetch-${consumerCount}`,
      counters: this.#counters.fetch,
      states: () => this.states.values(),
      onRecords: (states) => this.#offer(states),
      onTrouble: (state) => this.#onTrouble(state),
    });
    this.#positions = new Positions({
      cluster,
      options,
      offsets: this.offsets,
      groupOffsets: this.groupOffsets,
      signal: this.#abort.signal,
      onSettled: (state) => this.#onSettled(state),
    });
    this.source = new RecordSource({
      options,
      interceptors,
      counters: this.#counters.fetch,
      serdesOf: (topic) => subscription.serdesOf(topic),
      onDrained: () => this.#fetcher.poke(),
    });
    this.#host = new RebalanceHost({
      cluster,
      options,
      states: this.states,
      commit: (offsets, timeoutMs) => this.committer.commit(offsets, { timeoutMs }),
      onAdded: () => this.#fetcher.poke(),
      onFailed: (error) => this.#fail(error),
    });
    this.#membership = this.#createMembership(subscription);
    this.#subscription = new SubscriptionWatch({
      cluster,
      options,
      subscription,
      membership: this.#membership,
      host: this.#host,
      states: this.states,
      signal: this.#abort.signal,
      onFailed: (error) => this.#fail(error),
    });
    const { clock } = cluster.options;
    this.#pollWatch = new PollWatch(clock, options.maxPollIntervalMs, {
      onExpired: () => this.#membership?.pollExpired(),
      onAlive: () => this.#membership?.polled(),
    });
    this.#autoCommit = new AutoCommit({ clock, options, states: this.states, committer: this.committer });
  }

  get groupMetadata(): GroupMetadata {
    const { group, groupInstanceId } = this.options;
    const generationId = this.#membership?.generationId ?? -1;
    const memberId = this.#membership?.memberId ?? '';
    return { groupId: group ?? '', generationId, memberId, groupInstanceId };
  }

  metrics(): ConsumerMetrics {
    const nowMs = this.cluster.options.clock.monotonicMs();
    return this.#counters.metrics(nowMs, [...this.states.values()], this.options.isReadCommitted);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** No loop gets anything any more. */
  get isEnded(): boolean {
    return this.#isClosed || this.options.signal?.aborted === true;
  }

  /** A rebalance waits for the loops to finish what they hold. */
  get isRebalanceWaiting(): boolean {
    return this.#host.isWaiting;
  }

  get bufferedBytes(): number {
    return this.#fetcher.bufferedBytes;
  }

  /** Begins to join and to read; with the first loop. Idempotent. @throws ClosedError */
  start(): void {
    if (this.#isClosed) throw new ClosedError('The consumer is closed');
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#counters.idle.begin(this.cluster.options.clock.monotonicMs());
    this.#pollWatch.start();
    this.#autoCommit.start();
    void this.#subscription.start();
  }

  /** The application asks for records. */
  polled(): void {
    this.#pollWatch.polled();
  }

  get isFailed(): boolean {
    return this.#failure !== null;
  }

  /** Throws what has ended the consumer. */
  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /**
   * Resolves when there may be something to take, or nothing will come any more. `isIdle`: the application has nothing else to do, so that
   * waiting is as good as asking all the time.
   */
  async waitForRecords(isIdle = true): Promise<void> {
    const { clock } = this.cluster.options;
    this.#pollWatch.isWaiting = isIdle;
    this.#counters.idle.waits(clock.monotonicMs());
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.#counters.idle.goesOn(clock.monotonicMs());
    this.#pollWatch.isWaiting = false;
  }

  /** A loop has finished what it held of a partition. */
  finished(state: PartitionState): void {
    state.inHandOffset = -1;
    if (this.#host.isWaiting) this.#host.released();
  }

  /** Wakes up whoever waits, to look again. */
  wake(): void {
    this.#wake();
  }

  /** The partition may be read, or from another place. */
  changed(state: PartitionState): void {
    this.source.offer(state);
    this.#fetcher.poke();
    this.#wake();
  }

  /** @throws KafkaError when the partition is not assigned just now */
  stateOf(topic: string, partition: number): PartitionState | undefined {
    return this.states.get(`${topic}-${partition}`);
  }

  stateOfMessage(message: Message): PartitionState | undefined {
    return this.stateOf(message.topic, message.partition);
  }

  rejoin(reason: string): void {
    this.#membership?.rejoin(reason);
  }

  /** Commits, leaves and ends everything; always within the time. */
  async close(
    { timeoutMs = 30_000, leaveGroup }: CloseOptions,
    running: Promise<void> | null,
  ): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { clock, requestTimeoutMs } = this.cluster.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const remainingMs = (): number => Math.max(1, Math.floor(deadlineMs - clock.monotonicMs()));
    this.#wake();
    this.#pollWatch.stop();
    this.#autoCommit.stop();
    this.#abort.abort(new ClosedError('The consumer was closed'));
    this.#subscription.stop();
    this.#host.stop();
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    const leavesGroup = leaveGroup ?? this.options.groupInstanceId === null;
    try {
      // Its failure is its caller's.
      if (running !== null)
        await this.#within(
          remainingMs(),
          running.catch(() => {}),
        );
      // As in Java a last commit that fails (it has been logged) costs a second delivery and no error, and a coordinator that does not
      // answer in its usual time is not waited for.
      const commitMs = Math.min(remainingMs(), requestTimeoutMs);
      await this.#within(
        commitMs,
        this.#autoCommit.commitLast(commitMs).catch(() => {}),
      );
      await this.#within(remainingMs(), this.#giveUpAll());
    } finally {
      await this.#membership?.leave({ leavesGroup, timeoutMs: remainingMs() });
      await this.#fetcher.close(Math.min(remainingMs(), 1_000));
      for (const state of this.states.values()) state.dropBuffered();
      this.states.clear();
      this.cluster.closeLane(this.#groupLane);
    }
  }

  /** The application hears that its partitions go, as in Java. What a loop still holds cannot be waited for: it may be what closes us. */
  async #giveUpAll(): Promise<void> {
    const partitions = [...this.states.values()].map(({ topic, partition }) => ({ topic, partition }));
    if (partitions.length === 0 || this.#membership === null) return;
    const { listener } = this.options;
    try {
      await listener.onRevoked?.(partitions);
    } catch (error) {
      this.cluster.options.logger.warn({ err: error }, 'onRevoked failed while the consumer was closed');
    }
  }

  /** The listener may never come back: the deadline counts all the same. */
  async #within(timeoutMs: number, work: Promise<void>): Promise<void> {
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.cluster.options.clock.setTimer(timeoutMs, resolve);
    });
    try {
      await Promise.race([work, late]);
    } finally {
      timer?.cancel();
    }
  }

  #createMembership(subscription: Subscription): Membership | null {
    const { cluster, options } = this;
    const { group } = options;
    if (group === null || subscription.manual !== null) return null;
    const counters = this.#counters.group;
    const host = this.#host;
    const parts = { cluster, options: { ...options, group }, lane: this.#groupLane, host, counters };
    if (options.groupProtocol === 'classic') return new ClassicMembership(parts);
    return new ConsumerMembership({
      cluster,
      groupId: group,
      groupInstanceId: options.groupInstanceId,
      host,
      counters,
      needs:
        'groupProtocol "consumer" (KIP-848) needs Kafka 4.0 or newer, with the feature group.version at 1; set groupProtocol to "classic", or upgrade the cluster',
      send: (heartbeat, limits) => sendConsumerHeartbeat(parts, heartbeat, limits),
    });
  }

  #offer(states: readonly PartitionState[]): void {
    for (const state of states) this.source.offer(state);
    this.#wake();
  }

  #onTrouble(state: PartitionState): void {
    if (state.error === null) this.#positions.settle(state);
    else this.#offer([state]);
  }

  #onSettled(state: PartitionState): void {
    if (state.error !== null) this.#offer([state]);
    this.#fetcher.pokeAt(state.retryAtMs);
    this.#fetcher.poke();
    this.#wake();
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.#failure ??= error;
    this.#wake();
  }

  #wake(): void {
    const waiters = this.#waiters;
    if (waiters.length === 0) return;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
