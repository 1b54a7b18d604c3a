import type { TopicPartition } from '../admin/admin-requests.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { sleep } from '../cluster/wait.ts';
import { brokerError, isRetriableError } from '../errors/kafka-error.ts';
import type { ResolvedConsumerOptions } from './consumer-options.ts';
import type { Membership, MembershipHost } from './group/membership.ts';
import type { PartitionState } from './partition-state.ts';
import type { Subscription } from './subscription.ts';

export interface SubscriptionWatchParts {
  readonly cluster: Cluster;
  readonly options: Pick<ResolvedConsumerOptions, 'allowAutoTopicCreation' | 'excludeInternalTopics'>;
  readonly subscription: Subscription;
  readonly membership: Membership | null;
  readonly host: MembershipHost;
  readonly states: ReadonlyMap<string, Pick<PartitionState, 'moveTo'>>;
  readonly signal: AbortSignal;
  readonly onFailed: (error: Error) => void;
}

/**
 * Keeps what the consumer reads in step with the topics that there are: a pattern finds new ones, topics get more partitions. With a
 * group the membership is told, without one the partitions are taken at once.
 */
export class SubscriptionWatch {
  readonly #parts: SubscriptionWatchParts;
  #untrack: () => void = () => {};
  #endMetadata: () => void = () => {};
  #known = new Set<string>();
  #isRefreshing = false;

  constructor(parts: SubscriptionWatchParts) {
    this.#parts = parts;
  }

  /** Finds the topics and begins. Never rejects. */
  async start(): Promise<void> {
    const { cluster, subscription, membership, signal, onFailed } = this.#parts;
    try {
      this.#untrack = cluster.trackTopics(this.#names());
      await this.#refresh();
      if (signal.aborted) return;
      this.#endMetadata = cluster.onMetadata(() => this.#apply());
      this.#apply();
      membership?.start();
      if (subscription.pattern !== null) void this.#lookForTopics();
    } catch (error) {
      if (!signal.aborted) onFailed(error instanceof Error ? error : new Error(String(error)));
    }
  }

  stop(): void {
    this.#untrack();
    this.#endMetadata();
  }

  #names(): readonly string[] {
    const { manual, names } = this.#parts.subscription;
    return manual === null ? names : [...new Set(manual.map(({ topic }) => topic))];
  }

  /** Tries until a broker answers: topics that do not exist yet are waited for, as in Java. */
  async #refresh(): Promise<void> {
    const { cluster, subscription, options, signal } = this.#parts;
    const { allowAutoTopicCreation } = options;
    // Only topics that are named are created.
    const topics = subscription.pattern === null ? this.#names() : 'all';
    for (;;) {
      try {
        await cluster.refreshMetadata({ topics, allowAutoTopicCreation }, { signal });
        return;
      } catch (error) {
        if (!isRetriableError(error) || signal.aborted) throw error;
        await sleep(cluster.options.clock, cluster.options.retryBackoffMs, [signal]);
      }
    }
  }

  /** Patterns: all topics, now and then. */
  async #lookForTopics(): Promise<void> {
    const { cluster, signal } = this.#parts;
    try {
      for (;;) {
        await sleep(cluster.options.clock, Math.max(1, cluster.options.metadataMaxAgeMs), [signal]);
        await this.#refresh();
      }
    } catch {
      // The consumer was closed; a failure for good shows in its other requests.
    }
  }

  #apply(): void {
    const { cluster, subscription, options, membership } = this.#parts;
    this.#checkErrors();
    if (subscription.manual !== null) {
      this.#take(subscription.manual);
      return;
    }
    const topics = subscription.topicsIn(cluster.metadata, options.excludeInternalTopics);
    if (membership !== null) {
      const regex = subscription.pattern === null ? null : subscription.pattern.source;
      membership.subscribe({ topics, regex });
      this.#refreshUnknown(topics);
      return;
    }
    this.#take(
      topics.flatMap((topic) =>
        (cluster.metadata.topics.get(topic)?.partitions ?? []).map(({ partition }) => ({ topic, partition })),
      ),
    );
    this.#refreshUnknown(topics);
  }

  /** Looks again for topics that are not there yet. */
  #refreshUnknown(topics: readonly string[]): void {
    const { cluster, signal } = this.#parts;
    if (this.#isRefreshing || topics.every((name) => cluster.metadata.topics.has(name))) return;
    this.#isRefreshing = true;
    const run = async (): Promise<void> => {
      await sleep(cluster.options.clock, Math.max(1, cluster.options.retryBackoffMaxMs), [signal]);
      this.#isRefreshing = false;
      cluster.requestMetadataUpdate();
    };
    run().catch(() => {});
  }

  #checkErrors(): void {
    const { cluster, subscription, onFailed } = this.#parts;
    for (const name of subscription.names) {
      const code = cluster.metadata.topicErrors.get(name);
      if (code === undefined) continue;
      const error = brokerError(code, null, `topic "${name}"`);
      if (!isRetriableError(error)) onFailed(error);
    }
  }

  /** Without a membership: what is there is ours. */
  #take(partitions: readonly (TopicPartition & { readonly offset?: number })[]): void {
    const { host, states } = this.#parts;
    const added = partitions.filter(({ topic, partition }) => !this.#known.has(`${topic}-${partition}`));
    if (added.length === 0) return;
    for (const { topic, partition } of added) this.#known.add(`${topic}-${partition}`);
    const given = added.map(({ topic, partition }) => ({ topic, partition }));
    const done = host.assign(given);
    // Before the first fetch: `assign` goes on a turn later.
    for (const { topic, partition, offset } of added)
      if (offset !== undefined) states.get(`${topic}-${partition}`)?.moveTo(offset);
    void done;
  }
}
