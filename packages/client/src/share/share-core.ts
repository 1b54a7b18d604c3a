import type { TimerHandle } from '@ottla/platform';
import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { ConsumerMembership } from '../consumer/group/consumer-membership.ts';
import type { MembershipHost } from '../consumer/group/membership.ts';
import type { Subscription } from '../consumer/subscription.ts';
import { SubscriptionWatch } from '../consumer/subscription-watch.ts';
import { ClosedError } from '../errors/client-errors.ts';
import { AcquiredRecords } from './acquired-records.ts';
import { sendShareHeartbeat } from './share-heartbeat.ts';
import { ShareMessage } from './share-message.ts';
import { ShareNode } from './share-node.ts';
import { ShareCounters, type ShareConsumerMetrics } from './share-consumer-metrics.ts';
import type { AcknowledgementResult, ResolvedShareOptions } from './share-options.ts';
import { SharePartition } from './share-partition.ts';

/** How long acknowledgements wait for others, or for a fetch that takes them along. */
const ACKNOWLEDGE_DELAY_MS = 50;

let consumerCount = 0;

const closed = (): ClosedError => new ClosedError('The share consumer was closed');

/** Puts the parts of a share consumer together: membership, sessions with the brokers, and what was acquired. */
export class ShareCore implements MembershipHost {
  readonly cluster: Cluster;
  readonly options: ResolvedShareOptions;
  readonly #counters = new ShareCounters();
  readonly #subscription: Subscription;
  readonly #partitions = new Map<string, SharePartition>();
  /** Given up, with acknowledgements that are still to be sent. */
  readonly #leaving = new Set<SharePartition>();
  readonly #nodes = new Map<number, ShareNode>();
  readonly #lane: string;
  readonly #groupLane: string;
  readonly #membership: ConsumerMembership;
  readonly #watch: SubscriptionWatch;
  readonly #abort = new AbortController();
  readonly #collectors = new Set<AcknowledgementResult[]>();
  #buffer: AcquiredRecords[] = [];
  #bufferedCount = 0;
  #timer: TimerHandle | null = null;
  #waiters: (() => void)[] = [];
  #untrack: () => void = () => {};
  #isStarted = false;
  #isClosed = false;
  #failure: Error | null = null;
  readonly #onAbort = (): void => this.#wake();

  constructor(cluster: Cluster, options: ResolvedShareOptions, subscription: Subscription) {
    this.cluster = cluster;
    this.options = options;
    this.#subscription = subscription;
    consumerCount += 1;
    this.#lane = `share-${consumerCount}`;
    this.#groupLane = `share-group-${consumerCount}`;
    this.#membership = new ConsumerMembership({
      cluster,
      groupId: options.group,
      groupInstanceId: null,
      host: this,
      counters: this.#counters.group,
      needs:
        'Share groups (KIP-932) need Kafka 4.2 or newer, with the feature share.version at 1; use a consumer, or upgrade the cluster',
      send: (heartbeat, limits) =>
        sendShareHeartbeat(cluster, { groupId: options.group, lane: this.#groupLane }, heartbeat, limits),
    });
    const { allowAutoTopicCreation } = options;
    this.#watch = new SubscriptionWatch({
      cluster,
      options: { allowAutoTopicCreation, excludeInternalTopics: true },
      subscription,
      membership: this.#membership,
      host: this,
      states: new Map(),
      signal: this.#abort.signal,
      onFailed: (error) => this.fail(error),
    });
  }

  get assignment(): TopicPartition[] {
    return [...this.#partitions.values()].map(({ topic, partition }) => ({ topic, partition }));
  }

  metrics(): ShareConsumerMetrics {
    return this.#counters.metrics(this.cluster.options.clock.monotonicMs(), this.#partitions.size);
  }

  get isEnded(): boolean {
    return this.#isClosed || this.options.signal?.aborted === true;
  }

  get isFailed(): boolean {
    return this.#failure !== null;
  }

  throwIfFailed(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  /** Begins to join; with the first loop. @throws ClosedError */
  start(): void {
    if (this.#isClosed) throw new ClosedError('The share consumer is closed');
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#counters.idle.begin(this.cluster.options.clock.monotonicMs());
    this.options.signal?.addEventListener('abort', this.#onAbort, { once: true });
    void this.#watch.start();
  }

  /** The next record that was acquired; null when there is none. @throws PartitionError when a batch cannot be read; its records are released */
  take(): ShareMessage | null {
    for (;;) {
      const records = this.#buffer[0];
      if (records === undefined) break;
      if (records.next()) {
        this.#bufferedCount -= 1;
        this.#counters.fetch.recordsConsumed += 1;
        const { reader, partition, deliveryCount } = records;
        const place = { offset: reader.offset, timestamp: reader.timestamp, deliveryCount };
        const owner = { partition, onAcknowledged: () => this.#acknowledgeSoon() };
        this.#fetchIfLow();
        return new ShareMessage(reader.run!, reader.records!, place, owner);
      }
      this.#buffer.shift();
      if (this.#buffer.length === 0) this.#bufferedCount = 0;
      if (records.error === null) continue;
      records.releaseRest();
      this.#acknowledgeSoon();
      throw records.error;
    }
    this.#fetchIfLow();
    return null;
  }

  /** Resolves when there may be something to take, or nothing will come any more. */
  async waitForRecords(): Promise<void> {
    const { clock } = this.cluster.options;
    this.#counters.idle.waits(clock.monotonicMs());
    await new Promise<void>((resolve) => this.#waiters.push(resolve));
    this.#counters.idle.goesOn(clock.monotonicMs());
  }

  /** Sends every acknowledgement there is and returns what became of them, together with those under way. */
  async flush(): Promise<AcknowledgementResult[]> {
    const results: AcknowledgementResult[] = [];
    this.#collectors.add(results);
    try {
      await Promise.all(
        [...this.#nodes].map(([nodeId, node]) => node.acknowledgeNext(() => this.#unsaidAt(nodeId))),
      );
    } finally {
      this.#collectors.delete(results);
    }
    return results;
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const own = this.#partitions.get(`${topic}-${partition}`);
      if (own === undefined) continue;
      own.isGone = true;
      this.#partitions.delete(own.id);
      this.#leaving.add(own);
    }
    const gone = this.#buffer.filter(({ partition }) => partition.isGone);
    for (const records of gone) records.releaseRest();
    this.#buffer = this.#buffer.filter(({ partition }) => !partition.isGone);
    this.#track();
    this.#acknowledgeSoon();
  }

  async assign(added: readonly TopicPartition[]): Promise<void> {
    for (const place of added) {
      const topicId = this.cluster.metadata.topics.get(place.topic)?.topicId ?? '';
      const partition = new SharePartition({ ...place, topicId });
      this.#partitions.set(partition.id, partition);
    }
    this.#track();
    this.#fetchIfLow();
  }

  fail(error: Error): void {
    if (this.#isClosed) return;
    this.#failure ??= error;
    this.#wake();
  }

  /** Releases what was not handed out, sends what is acknowledged, closes the sessions and leaves; within the time. */
  async close(timeoutMs: number): Promise<AcknowledgementResult[]> {
    this.#isClosed = true;
    this.#wake();
    this.#watch.stop();
    this.#timer?.cancel();
    this.options.signal?.removeEventListener('abort', this.#onAbort);
    const { clock, requestTimeoutMs } = this.cluster.options;
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    const remainingMs = (): number =>
      Math.max(1, Math.min(requestTimeoutMs, deadlineMs - clock.monotonicMs()));
    const results: AcknowledgementResult[] = [];
    this.#collectors.add(results);
    for (const records of this.#buffer.splice(0)) records.releaseRest();
    // A fetch that waits at the broker may say what it has acquired, but no longer than there is time.
    const late = clock.setTimer(timeoutMs, () => this.#abort.abort(closed()));
    await Promise.all(
      [...this.#nodes].map(([nodeId, node]) =>
        node.acknowledgeNext(() => this.#unsaidAt(nodeId), { timeoutMs: remainingMs }),
      ),
    );
    late.cancel();
    this.#abort.abort(closed());
    await this.#membership.leave({ leavesGroup: true, timeoutMs: remainingMs() });
    this.#untrack();
    this.#partitions.clear();
    this.cluster.closeLane(this.#lane);
    this.cluster.closeLane(this.#groupLane);
    return results;
  }

  /** Partitions with something to say that this node knows of. */
  #unsaidAt(nodeId: number): SharePartition[] {
    return [...this.#partitions.values(), ...this.#leaving].filter(
      (partition) => partition.nodeId === nodeId && (partition.hasPending || partition.hasRenewals),
    );
  }

  #track(): void {
    const before = this.#untrack;
    this.#untrack = this.cluster.trackTopics([...this.#partitions.values()].map(({ topic }) => topic));
    before();
  }

  /** Acquired records are locked for a time only: more are asked for when few are left. */
  #fetchIfLow(): void {
    if (this.#isClosed || this.#bufferedCount > 0) return;
    const { clock } = this.cluster.options;
    const nowMs = clock.monotonicMs();
    const byNode = new Map<number, SharePartition[]>();
    for (const partition of this.#partitions.values()) {
      const leaderId = this.cluster.partition(partition.topic, partition.partition)?.leaderId ?? -1;
      if (leaderId < 0) this.cluster.requestMetadataUpdate();
      if (leaderId < 0 || partition.retryAtMs > nowMs) {
        this.#lookAgain(Math.max(partition.retryAtMs - nowMs, this.cluster.options.retryBackoffMs));
        continue;
      }
      byNode.set(leaderId, [...(byNode.get(leaderId) ?? []), partition]);
    }
    for (const [nodeId, wanted] of byNode) {
      const node = this.#nodeOf(nodeId);
      if (node.retryAtMs > nowMs) this.#lookAgain(node.retryAtMs - nowMs);
      else node.fetch(wanted);
    }
    this.cluster.refreshMetadataIfStale();
  }

  #nodeOf(nodeId: number): ShareNode {
    const known = this.#nodes.get(nodeId);
    if (known !== undefined) return known;
    const node = new ShareNode({
      cluster: this.cluster,
      options: this.options,
      nodeId,
      lane: this.#lane,
      counters: this.#counters.fetch,
      memberId: () => this.#membership.memberId,
      signal: this.#abort.signal,
      onRecords: (partition, content) => this.#onRecords(partition, content),
      onResults: (results) => this.#onResults(results),
      onFailed: (error) => this.fail(error),
      onIdle: () => {
        if (this.#waiters.length > 0) this.#fetchIfLow();
        if (this.#unsaidAt(nodeId).length > 0) this.#acknowledgeSoon();
      },
    });
    this.#nodes.set(nodeId, node);
    return node;
  }

  #onRecords(partition: SharePartition, content: ConstructorParameters<typeof AcquiredRecords>[1]): void {
    const records = new AcquiredRecords(partition, content, {
      serdes: this.#subscription.serdesOf(partition.topic),
      checkCrcs: this.options.checkCrcs,
      isReadCommitted: false,
    });
    if (this.#isClosed || partition.isGone) {
      records.releaseRest();
      return;
    }
    this.#counters.fetch.bytesConsumed += content.records.length;
    this.#buffer.push(records);
    for (const { firstOffset, lastOffset } of content.acquired)
      this.#bufferedCount += lastOffset - firstOffset + 1;
    this.#wake();
  }

  #onResults(results: readonly AcknowledgementResult[]): void {
    if (results.length === 0) return;
    this.#counters.acknowledged(results);
    for (const collector of this.#collectors) collector.push(...results);
    for (const partition of this.#leaving) if (!partition.hasPending) this.#leaving.delete(partition);
    this.options.onAcknowledged(results);
  }

  #acknowledgeSoon(): void {
    this.#lookAgain(ACKNOWLEDGE_DELAY_MS);
  }

  #lookAgain(delayMs: number): void {
    if (this.#timer !== null || this.#isClosed) return;
    this.#timer = this.cluster.options.clock.setTimer(delayMs, () => {
      this.#timer = null;
      for (const [nodeId, node] of this.#nodes) {
        const unsaid = this.#unsaidAt(nodeId);
        if (unsaid.length > 0) node.acknowledge(unsaid);
      }
      if (this.#waiters.length > 0) this.#fetchIfLow();
    });
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}
